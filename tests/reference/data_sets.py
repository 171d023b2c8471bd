"""Data sets and initial parameters as the vectors describe them (tests/vectors/README.md)."""

from dataclasses import dataclass

import text_rows
import unit

MATRICES = ("a1", "a2", "a3", "b")


@dataclass
class DataSet:
    """Sequences of base mantissas; each is [A1, A2, A3, B], a matrix being a list of rows."""

    training: list
    held_out: list
    context_rows: int = 0


class Generator:
    """The linear congruential generator x <- 6364136223846793005 x + 1442695040888963407 mod 2^64."""

    def __init__(self, state):
        self.state = state

    def next(self):
        """The upper 31 bits of the next state."""
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return self.state >> 33

    def uniform(self, amplitude):
        return self.next() % (2 * amplitude + 1) - amplitude

    def row(self, law, columns):
        draw = law["draw"]
        if draw == "constant":
            return [law["value"]] * columns
        if draw == "uniform":
            return [self.uniform(law["amplitude"]) for _ in range(columns)]
        if draw == "sign":
            return [law["amplitude"] * (1 - 2 * (self.next() & 1)) for _ in range(columns)]
        if draw == "one_hot":
            place = self.next() % columns
            return [law["value"] if column == place else 0 for column in range(columns)]
        raise ValueError(f"unknown draw {draw}")


def columns_of(config):
    return dict(a1=config.width, a2=config.width, a3=config.value_width, b=config.outputs)


def text(description):
    """The bytes of a text: words drawn from a list, each followed by a space, or bytes below a limit."""
    generator = Generator(description["generator"])
    if "words" in description:
        words = description["words"].split(" ")
        drawn = (words[generator.next() % len(words)] + " " for _ in range(description["draws"]))
        return "".join(drawn).encode()
    return bytes(generator.next() % description["below"] for _ in range(description["draws"]))


def data_set(config, description):
    columns = columns_of(config)
    if "text" in description:
        return text_rows.TextDataSet(text(description["text"]), config.rows)
    if "generator" not in description:
        def shaped(sequence):
            return [[sequence[name][i : i + columns[name]]
                     for i in range(0, len(sequence[name]), columns[name])] for name in MATRICES]
        return DataSet([shaped(s) for s in description["training"]],
                       [shaped(s) for s in description["held_out"]])
    generator = Generator(description["generator"])

    def drawn():
        return [[generator.row(description[name], columns[name]) for _ in range(config.rows)]
                for name in MATRICES]
    return DataSet([drawn() for _ in range(description["training"])],
                   [drawn() for _ in range(description["held_out"])])


def parameters(config, description):
    if "seed" in description:
        return unit.initial_parameters(config, bytes.fromhex(description["seed"]))
    generator = Generator(description["generator"])
    x = [generator.row(description["x"], config.width) for _ in range(config.width)]
    y = [generator.row(description["y"], config.outputs) for _ in range(config.value_width)]
    return unit.join_parameters(x, y)
