#!/usr/bin/env python3
"""SIGKILL at random moments loses nothing that was acknowledged.

Usage: node_kill.py [--kills N] [--seed S]
"""

import argparse
import random
import time

from gradient_node import init_chain, main, workspace

PARSER = argparse.ArgumentParser()
PARSER.add_argument("--kills", type=int, default=3)
PARSER.add_argument("--seed", type=int, default=None)
OPTIONS = PARSER.parse_args()


def survives_kills():
    seed = OPTIONS.seed if OPTIONS.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed} (repeat with --seed {seed})", flush=True)
    rng = random.Random(seed)
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        acknowledged = []  # ids by height, as the node told them
        for kill in range(OPTIONS.kills):
            node.start()
            # Whatever was acknowledged before the last kill is still there.
            for height, block in enumerate(acknowledged):
                assert node.rpc("chain_show", block=str(height))["id"] == block, (kill, height)
            # The moment is random in blocks and within a block; the wait is the test's subject, not a way to synchronise.
            node.wait_height(len(acknowledged) + rng.randrange(1, 4))
            time.sleep(rng.random() * 0.3)
            height, _ = node.tip()
            for h in range(len(acknowledged), height + 1):
                acknowledged.append(node.rpc("chain_show", block=str(h))["id"])
            node.kill()
            result = node.verify()
            assert result["valid"] is True and result["height"] >= height, (result, height)
            print(f"kill {kill + 1}: acknowledged height {height}, found {result['height']}", flush=True)
        node.start()
        node.wait_height(len(acknowledged))
        node.stop()


if __name__ == "__main__":
    main(survives_kills)
