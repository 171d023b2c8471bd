#!/usr/bin/env python3
"""Tasks of text and of matrices: published, created, funded, trained to their budget, ended and refunded."""

import random

from cli_support import DATA, FAILURE, USAGE, balance, cli, start_rich_node, units, wait_until, write_npy
from gradient_node import main, one_sentence, sample_text, workspace

SMALL = ["--rows", "32", "--batch", "1", "--steps-per-unit", "1"]
PAY = ["--pay", "0.01", "--escrow", "4"]
PAID = ["--from", "miner", "--units", "30", *PAY]
LONG = 100  # units of a task that is not to end before what is done with it


def matrices(folder, rows=640):
    """Four .npy files: B is linear in A3."""
    rng = random.Random(7)

    def uniform(columns):
        return [[rng.uniform(-1, 1) for _ in range(columns)] for _ in range(rows)]

    a3 = uniform(6)
    tables = {"a1": uniform(5), "a2": uniform(5), "a3": a3,
              "b": [[0.5 * row[0] - 0.3 * row[1], 0.2 * row[2]] for row in a3]}
    return {name: write_npy(folder / f"{name}.npy", table) for name, table in tables.items()}


def trained_ended_refunded(node, task, budget=30):
    """Watches a task to its end; everything but what miners were paid comes back."""
    wait_until(lambda: cli(node, "task", "show", task)["status"] != "active", 300)
    ended = cli(node, "task", "show", task)
    assert ended["status"] == "completed" and ended["units_claimed"] >= budget, ended
    node.wait_height(ended["refund_height"] + 1)
    refunded = cli(node, "task", "show", task)
    assert units(refunded["escrow"]) == 0, refunded
    return refunded


def text_task():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        wait_until(lambda: balance(node, "miner") > 20 * 10**8)
        text = folder / "mine.txt"
        text.write_text(sample_text(size=150_000, seed=9))

        published = cli(node, "data", "publish", text, "--from", "miner")
        assert len(published["chunks"]) == 3 and published["published"] == 3, published
        again = cli(node, "data", "publish", text, "--from", "miner")
        assert again["published"] == 0 and again["known"] == 3 and again["root"] == published["root"], again

        # Another key owns the task, so that its refund is not mixed with the miner's pay.
        owner = cli(node, "wallet", "new", "owner")["address"]
        sent = cli(node, "send", "--from", "miner", "--to", owner, "--amount", "10")
        cli(node, "tx", "wait", sent["id"])
        made = cli(node, "task", "create", "--text", text, "--from", "owner", "--units", LONG, *PAY, *SMALL)
        assert made["task"] >= 1 and made["data_root"] == published["root"] and made["data_fees"] == "0", made
        funded = cli(node, "task", "fund", made["task"], "--from", "owner", "--amount", "1")
        assert any(task["task"] == made["task"] for task in cli(node, "task", "list")["tasks"])
        shown = cli(node, "task", "show", made["task"])
        assert shown["owner"] == owner and shown["rows"] == 32 and shown["unit_budget"] == LONG, shown

        cli(node, "tx", "wait", funded["id"])
        ended = trained_ended_refunded(node, made["task"], LONG)
        spent = units(made["fee"]) + units(funded["fee"]) + units(ended["paid"])
        assert balance(node, "owner") == 10 * 10**8 - spent, (ended, made, funded)
        listed = cli(node, "task", "list", "--all")["tasks"]
        assert any(task["task"] == made["task"] and task["status"] == "completed" for task in listed), listed
        node.stop()
        assert node.verify()["valid"] is True


def matrix_task():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        wait_until(lambda: balance(node, "miner") > 20 * 10**8)
        files = [part for name, file in matrices(folder).items() for part in (f"--{name}", file)]
        made = cli(node, "task", "create", *files, *PAID, *SMALL)
        shown = cli(node, "task", "show", made["task"])
        assert shown["data_format"] == "matrices" and shown["width"] == 16 and shown["causal"] == 0, shown
        trained_ended_refunded(node, made["task"])
        node.stop()
        assert node.verify()["valid"] is True


def cancelled_by_its_owner():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        wait_until(lambda: balance(node, "miner") > 20 * 10**8)
        text = folder / "mine.txt"
        text.write_text(sample_text(seed=9))
        made = cli(node, "task", "create", "--text", text, "--from", "miner", "--units", "1000000", "--pay", "0.000001",
                   "--escrow", "4", *SMALL)
        sent = cli(node, "task", "cancel", made["task"], "--from", "miner")
        cli(node, "tx", "wait", sent["id"])
        assert cli(node, "task", "show", made["task"])["status"] == "cancelled"
        error = cli(node, "task", "cancel", made["task"], "--from", "miner", expect=FAILURE)
        assert "task_ended" in one_sentence(error), error
        node.stop()


def refusals():
    with workspace() as (folder, make):
        node = start_rich_node(folder, make)
        files = matrices(folder)

        def refused(code, *arguments, **changed):
            named = [part for name, file in {**files, **changed}.items() for part in (f"--{name}", file)]
            return one_sentence(cli(node, "task", "create", *named, *PAID, *arguments, expect=code))

        bad = write_npy(folder / "bad.npy", [[0.5] * 5] * 9 + [[0.5, float("nan"), 0, 0, 0]] + [[0.5] * 5] * 630)
        sentence = refused(DATA, a1=bad)
        assert "bad.npy" in sentence and "row 10" in sentence and "column 2" in sentence, sentence
        large = write_npy(folder / "large.npy", [[0.5] * 5] * 639 + [[0.5, 0.5, 0.5, 0.5, 7]])
        sentence = refused(DATA, a2=large)
        assert "row 640" in sentence and "column 5" in sentence and "7" in sentence, sentence
        short = write_npy(folder / "short.npy", [[0.5] * 5] * 639)
        assert "639 rows" in refused(DATA, a2=short)
        refused(DATA, a1=write_npy(folder / "same.npy", [[0.5] * 5] * 640))
        assert "multiple of 16" in refused(USAGE, "--rows", "33")
        assert "no member" in refused(USAGE, "--config", '{"row": 32}')
        csv = folder / "a1.csv"
        csv.write_text("1,2,3,4,5\n0.1,0.2,0.3,x,0.5\n")
        sentence = refused(DATA, a1=csv)
        assert "row 2, column 4" in sentence, sentence
        node.stop()


if __name__ == "__main__":
    main(text_task, matrix_task, cancelled_by_its_owner, refusals)
