#!/usr/bin/env python3
"""A full disk stops the node with its sentence and exit code, and loses nothing that was acknowledged.

Exit status 77, which CTest shows as skipped: no small disk can be mounted here.
"""

import os
import subprocess
import sys

from gradient_node import init_chain, workspace

STORAGE, SKIPPED = 6, 77


def mount(disk):
    if os.geteuid() != 0:
        print("SKIPPED: mounting a small tmpfs needs root")
        return False
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        print(f"SKIPPED: cannot mount a tmpfs here: {done.stderr.strip()}")
    return done.returncode == 0


def fill(file):
    with open(file, "wb", buffering=0) as out:
        try:
            while True:
                out.write(b"\0" * 65536)
        except OSError:
            pass


def full_disk_stops_the_node_and_loses_nothing():
    with workspace() as (folder, make):
        disk = folder / "disk"
        disk.mkdir()
        if not mount(disk):
            return False
        try:
            node = make("disk/data", chain=init_chain(folder))
            node.log = folder / "disk.log"
            node.start()
            height = node.wait_height(2)
            fill(disk / "blocker")
            assert node.wait_end(120) == STORAGE, node.log_text()
            assert "no space left" in node.log_text().lower(), node.log_text()
            (disk / "blocker").unlink()
            assert node.verify()["height"] >= height
            node.start()
            node.wait_height(height + 1)
            node.stop()
        finally:
            subprocess.run(["umount", "-l", disk], check=False)
        return True


if __name__ == "__main__":
    sys.exit(0 if full_disk_stops_the_node_and_loses_nothing() else SKIPPED)
