"""What a vector expects, computed from what it gives (tests/vectors/README.md)."""

import hashlib
import struct
from dataclasses import asdict

import attention
import data_sets
import text_rows
import unit


def digest(values):
    """SHA-256 of integers as 32-bit words."""
    return hashlib.sha256(struct.pack(f"<{len(values)}i", *values)).hexdigest()


def flat(matrices):
    return [value for matrix in matrices for row in matrix for value in row]


def intermediates(result):
    """Digests of a step's tensors, the sequences of the batch behind each other, and their exponents."""
    sequences = result.sequences
    tensors = {"Xw": flat([result.xw]), "Yw": flat([result.yw])}
    for name, field in [("A1", "a1"), ("A2", "a2"), ("A3", "a3"), ("U", "u"), ("F", "f"), ("H", "h"),
                        ("C", "c"), ("Residual", "residual"), ("R", "r"), ("P", "p")]:
        tensors[name] = flat(getattr(q, field) for q in sequences)
    tensors.update({"T": flat([result.tq]), "V": flat([result.vq]),
                    "GX": flat([result.gx]), "GY": flat([result.gy]),
                    "X": flat([result.x]), "Y": flat([result.y])})
    found = {name: digest(values) for name, values in tensors.items()}
    for name, field in [("eU", "e_u"), ("eH", "e_h"), ("eC", "e_c"), ("eR", "e_r"), ("eP", "e_p")]:
        found[name] = [getattr(q, field) for q in sequences]
    return found | {"eT": result.e_t, "eV": result.e_v, "loss": result.loss}


def text_rows_of(data, given):
    """Digests of a text's tokens and of the sequences and prompts named."""
    rows = data.training.rows
    found = {"training_sequences": len(data.training), "held_out_sequences": len(data.held_out),
             "training_tokens": hashlib.sha256(data.training_tokens).hexdigest(),
             "held_out_tokens": hashlib.sha256(data.held_out_tokens).hexdigest()}
    for part, sequences in (("training", data.training), ("held_out", data.held_out)):
        found[part] = [[digest(flat([m])) for m in sequences[i % len(sequences)]]
                       for i in given["sequences"]]
    found["prompts"] = [[digest(flat([m])) for m in text_rows.prompt(tokens, rows)]
                        for tokens in given["prompts"]]
    return found


def expected(case):
    """The `expected` part of a case; its other parts are the input."""
    config = attention.AttentionConfig(**case["config"])
    data = data_sets.data_set(config, case["data"])
    parameters = data_sets.parameters(config, case["initial"])
    found = {"parameter_count": len(parameters), "work": unit.unit_work(config),
             "initial": digest(parameters), "units": []}
    if "text" in case["data"]:
        found["text"] = text_rows_of(data, case["data"])
    for given in case["units"]:
        probe = unit.probe_unit(config, data, parameters, bytes.fromhex(given["seed"])) \
            if given.get("probe") else None
        result = unit.train_unit(config, data, parameters, bytes.fromhex(given["seed"]))
        parameters = result.parameters
        outcome = {"parameters": digest(parameters), "loss": result.loss,
                   "gradient": result.gradient.hex(),
                   "evaluations": [asdict(unit.evaluate(config, data, parameters, first, count))
                                   for first, count in given["evaluate"]]}
        outputs = unit.predict(config, parameters, data.held_out[0])
        outcome["prediction"] = digest(flat([outputs]))
        if given.get("intermediates"):
            outcome["steps"] = [intermediates(step) for step in result.steps]
        if probe:
            outcome["probe"] = asdict(probe) | {"healthy": probe.is_healthy()}
        found["units"].append(outcome)
    return found
