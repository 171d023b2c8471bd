#!/usr/bin/env python3
"""Builds model_digest with every compiler, optimisation level and instruction set at hand; all must agree.

Usage: model_digest_builds.py BUILD_DIR. A compiler that is not installed is named and fails the test: it stands in
tools/packages.txt.
"""

import os
import pathlib
import subprocess
import sys

SOURCE = pathlib.Path(os.environ.get("GRADIENT_SOURCE_DIR", pathlib.Path(__file__).parents[2]))


def processor_flags():
    """Feature words of this processor."""
    for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines():
        if line.startswith("flags"):
            return set(line.split(":")[1].split())
    return set()


def builds():
    """(name, compiler, flags) of every build."""
    for compiler in ("g++", "clang++"):
        yield f"{compiler}-O0", compiler, "-O0"
        yield f"{compiler}-O3", compiler, "-O3"
    flags = processor_flags()
    if {"avx2", "fma"} <= flags:
        yield "g++-O3-x86-64-v3", "g++", "-O3 -march=x86-64-v3"
    if {"avx512f", "avx512bw", "avx512vl", "avx512dq", "avx512cd"} <= flags:
        yield "g++-O3-x86-64-v4", "g++", "-O3 -march=x86-64-v4"


def run(command):
    """Runs a command; prints its output and stops where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}\n{done.stdout[-4000:]}")
    return done.stdout


def main():
    root = pathlib.Path(sys.argv[1])
    digests = {}
    for name, compiler, flags in builds():
        folder = root / name
        run(["cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={compiler}",
             "-DCMAKE_BUILD_TYPE=None", f"-DCMAKE_CXX_FLAGS={flags}", "-DGRADIENT_BENCH=OFF"])
        run(["cmake", "--build", folder, "--target", "model_digest"])
        for line in run([folder / "bin" / "model_digest"]).splitlines():
            print(f"{name:20} {line}", flush=True)
            digests.setdefault(line.split()[-1], f"{name} {line}")
    if len(digests) != 1:
        sys.exit("digests differ:\n" + "\n".join(digests.values()))


if __name__ == "__main__":
    main()
