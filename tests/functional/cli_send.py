#!/usr/bin/env python3
"""Coins from the miner's pay to another key: send, tx show, tx wait, wallet balance and history."""

from cli_support import FAILURE, USAGE, balance, cli, start_rich_node, units
from gradient_node import main, one_sentence, workspace


def coins_move():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        bob = cli(node, "wallet", "new", "bob")["address"]
        assert balance(node, "bob") == 0

        sent = cli(node, "send", "--from", "miner", "--to", bob, "--amount", "1.50000001")
        assert 0 < units(sent["fee"]) < 10**6, sent
        seen = cli(node, "tx", "wait", sent["id"], "--confirmations", "2")
        assert seen["status"] == "included" and seen["confirmations"] >= 2, seen
        assert seen["transaction"]["to"] == bob and seen["transaction"]["amount"] == "1.50000001", seen
        assert balance(node, "bob") == 150_000_001

        # Two at once: the second one's nonce counts the first one in the pool.
        first = cli(node, "send", "--from", "bob", "--to", sent["from"], "--amount", "0.1", "--fee", "0.01")
        second = cli(node, "send", "--from", "bob", "--to", sent["from"], "--amount", "0.2", "--fee", "0.02")
        for each in (first, second):
            cli(node, "tx", "wait", each["id"])
        assert balance(node, "bob") == 150_000_001 - 33_000_000

        history = cli(node, "wallet", "history", "bob")["entries"]
        assert [entry["amount"] for entry in history] == ["0.2", "0.1", "1.50000001"], history
        assert history[2]["from"] == sent["from"] and history[0]["to"] == sent["from"], history
        pays = cli(node, "wallet", "history", "miner", "--count", "100")["entries"]
        assert any(entry["kind"] == "pay" and entry["mined_block"] for entry in pays), pays
        node.stop()
        assert node.verify()["valid"] is True


def waits_in_the_pool():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        bob = cli(node, "wallet", "new", "bob")["address"]
        node.stop_mining()
        sent = cli(node, "send", "--from", "miner", "--to", bob, "--amount", "2")
        shown = cli(node, "tx", "show", sent["id"])
        assert shown["status"] == "pooled" and shown["position"] == 1, shown
        account = cli(node, "wallet", "balance", "miner")
        assert account["next_nonce"] == account["nonce"] + 1 and len(account["pooled"]) == 1, account
        error = cli(node, "tx", "wait", sent["id"], "--timeout", "0", expect=FAILURE)
        assert "pooled" in one_sentence(error), error
        node.rpc("mine_start")
        assert cli(node, "tx", "wait", sent["id"])["status"] == "included"
        node.stop()


def outlives_a_kill():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        bob = cli(node, "wallet", "new", "bob")["address"]
        node.stop_mining()
        sent = [cli(node, "send", "--from", "miner", "--to", bob, "--amount", amount) for amount in ("1", "2")]
        node.kill()
        node.start()
        assert "transactions read back: 2 wait again, 0 do not any more" in node.log_text()
        for one in sent:
            assert cli(node, "tx", "wait", one["id"])["status"] == "included"
        assert balance(node, "bob") == units("3")
        node.stop()


def refusals():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        bob = cli(node, "wallet", "new", "bob")["address"]

        def refused(code, *arguments):
            return one_sentence(cli(node, "send", *arguments, expect=code))

        poor = refused(FAILURE, "--from", "bob", "--to", bob, "--amount", "1")
        assert "insufficient_balance" in poor or "account_overdrawn" in poor, poor
        assert "zero_amount" in refused(FAILURE, "--from", "miner", "--to", bob, "--amount", "0")
        assert "fee_too_low" in refused(FAILURE, "--from", "miner", "--to", bob, "--amount", "1", "--fee", "0")
        assert "--amount" in refused(USAGE, "--from", "miner", "--to", bob, "--amount", "0.000000001")
        assert "--to" in refused(USAGE, "--from", "miner", "--to", bob[:-1] + "x", "--amount", "1")
        assert "no key of that name" in refused(USAGE, "--from", "carol", "--to", bob, "--amount", "1")
        one_sentence(cli(node, "tx", "show", "00" * 32, expect=FAILURE))
        one_sentence(cli(node, "tx", "wait", "00", expect=USAGE))
        node.stop()


if __name__ == "__main__":
    main(coins_move, waits_in_the_pool, outlives_a_kill, refusals)
