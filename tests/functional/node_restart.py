#!/usr/bin/env python3
"""A node stops cleanly on every signal and by RPC, and starts again from the same tip."""

import signal

from gradient_node import init_chain, main, run_cli, workspace


def restarts_from_the_same_tip():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(3)
        for how in (signal.SIGTERM, signal.SIGINT):
            node.stop(how)
            # With mining off, nothing can come after the tip that was stored.
            node.start("--mine", "false")
            height, tip = node.tip()
            assert height >= 3, height
            node.stop()
            node.start("--mine", "false")
            assert node.tip() == (height, tip), (node.tip(), height, tip)
            node.stop()
            node.start()
            node.wait_height(height + 1)
            assert node.rpc("chain_show", block=str(height))["id"] == tip
        run_cli("--data", node.folder, "stop")
        assert node.wait_end() == 0
        assert not (node.folder / ".cookie").exists()
        assert not (node.folder / "rpc_endpoint").exists()


def chain_spec_is_needed_only_once():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(1)
        node.stop()
        node.chain.unlink()
        node.chain = None
        node.start()
        node.wait_height(2)
        node.stop()


def verifies_after_a_stop():
    with workspace() as (folder, make):
        node = make(chain=init_chain(folder))
        node.start()
        node.wait_height(4)
        node.stop()
        result = node.verify("--all-units")
        assert result["valid"] is True and result["height"] >= 4, result


if __name__ == "__main__":
    main(restarts_from_the_same_tip, chain_spec_is_needed_only_once, verifies_after_a_stop)
