#!/usr/bin/env python3
"""The page /metrics and the log as JSON: what monitoring reads."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

from gradient_node import CALL_TIMEOUT_S, init_chain, main, workspace
from prometheus_client.parser import text_string_to_metric_families

DASHBOARD = Path(__file__).parents[2] / "tools" / "monitoring" / "grafana_dashboard.json"
# Only there once something has happened that this script does not make happen.
ABSENT = {"gradient_p2p_messages_received_total", "gradient_p2p_penalties_total"}


def page(node):
    status, text = node.http(None, method="GET", path="/metrics")
    assert status == 200, (status, text)
    return text.decode()


def values(text):
    """{(name, labels): value}; every family must be one that Prometheus's own reader takes."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation.endswith("."), family
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def only(found, name):
    matching = [value for (which, _), value in found.items() if which == name]
    assert len(matching) == 1, (name, matching)
    return matching[0]


def figures():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder)).start()
        node.wait_height(5)
        node.stop_mining()
        height = node.tip()[0]
        found = values(page(node))
        status = node.rpc("status")
        for name, told in (("gradient_chain_height", height), ("gradient_chain_units", status["chain"]["units"]),
                           ("gradient_mining_units_computed_total", status["mining"]["units_computed"]),
                           ("gradient_chain_hits", status["chain"]["hits"]), ("gradient_mining_enabled", 0),
                           ("gradient_sync_stuck", 1),  # it is alone and does not mine
                           ("gradient_chain_verification_ratio", status["chain"]["verification_ratio"])):
            assert only(found, name) == told, (name, found, status)
        assert only(found, "gradient_storage_database_bytes") > 10_000, found
        assert only(found, "process_resident_memory_bytes") > 2**20, found
        assert 0 < only(found, "process_cpu_seconds_total") < 600, found
        labels = dict(next(labels for name, labels in found if name == "gradient_build_info"))
        assert labels["network"] == status["network"] and labels["version"] == status["version"], labels
        # Counters do not fall.
        node.rpc("mine_start")
        node.wait_height(height + 3)
        later = values(page(node))
        fallen = [key for key, value in found.items() if key[0].endswith("_total") and later.get(key, -1) < value]
        assert not fallen and only(later, "gradient_chain_height") >= height + 3, fallen
        assert only(later, "gradient_sync_stuck") == 0 and only(later, "gradient_mining_enabled") == 1, later
        eventually(node, lambda found: only(found, "gradient_mining_active") == 1)
        check_with_promtool(page(node))
        node.stop_mining()
        scored = eventually(node, lambda found: "gradient_model_held_out_brier" in {name for name, _ in found})
        check_dashboard({name for name, _ in scored})


def eventually(node, holds):
    """The page's values once they do: a score lags behind a tip that moves fast, lanes rest from tip to work."""
    deadline = time.monotonic() + CALL_TIMEOUT_S
    while not holds(found := values(page(node))):
        assert time.monotonic() < deadline, found
    return found


def check_with_promtool(text):
    promtool = shutil.which("promtool")
    if promtool is None:
        print("NOTICE: promtool isn't installed (Debian: prometheus), so `promtool check metrics` was left out",
              flush=True)
        return
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30,
                          check=False)
    assert done.returncode == 0 and not done.stdout and not done.stderr, (done.stdout, done.stderr)


def check_dashboard(names):
    """A panel that asks for what no node tells would stay empty."""
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    assert len(asked) > 20, asked
    for expression in asked:
        used = set(re.findall(r"\b(?:gradient|process)_\w+", expression))
        assert used and used - ABSENT <= names, (expression, used - names)


def access():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--mine", "false"]).start()
        assert node.http(None, method="GET", path="/metrics", headers={"Authorization": "Basic eDp5"})[0] == 401
        assert node.http("{}", method="POST", path="/metrics")[0] == 405


def log_as_json():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder), arguments=["--log-format", "json"]).start()
        node.wait_height(1)
        node.stop()
        lines = [json.loads(line) for line in node.log.read_text().splitlines()]
        assert len(lines) > 3 and all(set(line) == {"time", "level", "message"} for line in lines), lines
        assert {"info"} <= {line["level"] for line in lines} <= {"info", "warning"}, lines
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines), lines


if __name__ == "__main__":
    main(figures, access, log_as_json)
