#!/usr/bin/env python3
"""The exact training step beside PyTorch float32: same shape, one core, taking turns.

Usage: compare_torch.py [--bench BUILD/bin/unit_bench] [--rounds N] [--json]

Needs PyTorch (Debian: python3-torch, and libopenblas0-pthread, without which its products run on the slow
reference BLAS); the product does not. PyTorch runs the step in three ways, and the fastest is the one that counts:
gradients written out over batched products ("manual"), the same with results written into
memory kept from step to step ("manual out"), and automatic differentiation ("autograd").
Nothing is asked of PyTorch but the mathematics: no data loading, rounding, noise or hashing.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

# One core for this process and the benchmark it starts; before PyTorch counts the cores.
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

try:
    import torch
except ImportError:
    sys.exit("compare_torch: PyTorch is missing (Debian: apt-get install python3-torch "
             "libopenblas0-pthread, and run with /usr/bin/python3)")

ROWS, WIDTH, VALUE_WIDTH, OUTPUTS, BATCH, STEPS = 64, 128, 128, 128, 8, 16
RATE = 2.0**-10


class Step:
    """The batch and the parameters; a subclass says how a step is written."""

    def __init__(self):
        generator = torch.Generator().manual_seed(1)

        def uniform(*shape):
            return torch.rand(shape, generator=generator) - 0.5
        self.a1, self.a2 = uniform(BATCH, ROWS, WIDTH), uniform(BATCH, ROWS, WIDTH)
        self.a3 = uniform(BATCH, ROWS, VALUE_WIDTH)
        hot = torch.randint(OUTPUTS, (BATCH, ROWS), generator=generator)
        self.b = torch.nn.functional.one_hot(hot, OUTPUTS).float()
        self.mask = torch.full((ROWS, ROWS), float("-inf")).triu(1)
        self.x = uniform(WIDTH, WIDTH) * 0.5
        self.y = torch.zeros(VALUE_WIDTH, OUTPUTS)
        self.flat_a1, self.flat_a3 = self.a1.flatten(0, 1), self.a3.flatten(0, 1)
        self.a2_t = self.a2.transpose(1, 2)


class Manual(Step):
    def step(self):
        u = (self.flat_a1 @ self.x).view(BATCH, ROWS, WIDTH)
        f = torch.softmax(torch.baddbmm(self.mask, u, self.a2_t), -1)
        h = (self.flat_a3 @ self.y).view(BATCH, ROWS, OUTPUTS)
        r = torch.baddbmm(self.b, f, h, beta=-1)
        p = torch._softmax_backward_data(torch.bmm(r, h.transpose(1, 2)), f, -1, torch.float32)
        t = torch.bmm(p, self.a2)
        v = torch.bmm(f.transpose(1, 2), r)
        self.x.addmm_(self.flat_a1.t(), t.view(-1, WIDTH), alpha=-RATE)
        self.y.addmm_(self.flat_a3.t(), v.view(-1, OUTPUTS), alpha=-RATE)
        return torch.dot(r.view(-1), r.view(-1))


class ManualOut(Step):
    def __init__(self):
        super().__init__()
        self.u, self.t = torch.empty(BATCH * ROWS, WIDTH), torch.empty(BATCH, ROWS, WIDTH)
        self.h = torch.empty(BATCH * ROWS, OUTPUTS)
        self.r, self.v = torch.empty(BATCH, ROWS, OUTPUTS), torch.empty(BATCH, ROWS, OUTPUTS)
        self.s, self.f, self.q, self.p = (torch.empty(BATCH, ROWS, ROWS) for _ in range(4))

    def step(self):
        torch.mm(self.flat_a1, self.x, out=self.u)
        torch.baddbmm(self.mask, self.u.view(BATCH, ROWS, WIDTH), self.a2_t, out=self.s)
        torch.softmax(self.s, -1, out=self.f)
        torch.mm(self.flat_a3, self.y, out=self.h)
        h = self.h.view(BATCH, ROWS, OUTPUTS)
        torch.baddbmm(self.b, self.f, h, beta=-1, out=self.r)
        torch.bmm(self.r, h.transpose(1, 2), out=self.q)
        torch.mul(self.q, self.f, out=self.p)
        self.q.sub_(self.p.sum(-1, keepdim=True)).mul_(self.f)
        torch.bmm(self.q, self.a2, out=self.t)
        torch.bmm(self.f.transpose(1, 2), self.r, out=self.v)
        self.x.addmm_(self.flat_a1.t(), self.t.view(-1, WIDTH), alpha=-RATE)
        self.y.addmm_(self.flat_a3.t(), self.v.view(-1, OUTPUTS), alpha=-RATE)
        return torch.dot(self.r.view(-1), self.r.view(-1))


class Autograd(Step):
    def __init__(self):
        super().__init__()
        self.x.requires_grad_()
        self.y.requires_grad_()

    def step(self):
        with torch.enable_grad():
            u = (self.flat_a1 @ self.x).view(BATCH, ROWS, WIDTH)
            f = torch.softmax(torch.baddbmm(self.mask, u, self.a2_t), -1)
            h = (self.flat_a3 @ self.y).view(BATCH, ROWS, OUTPUTS)
            r = torch.bmm(f, h) - self.b
            loss = 0.5 * torch.dot(r.view(-1), r.view(-1))
        gx, gy = torch.autograd.grad(loss, (self.x, self.y))
        self.x.sub_(gx, alpha=RATE)
        self.y.sub_(gy, alpha=RATE)
        return 2 * loss


WAYS = {"manual": Manual, "manual out": ManualOut, "autograd": Autograd}


def check_ways_agree():
    """All ways reach the same loss after some steps."""
    losses = []
    for make in WAYS.values():
        way = make()
        losses.append([float(way.step()) for _ in range(20)][-1])
    if max(losses) > min(losses) * 1.0001:
        sys.exit(f"compare_torch: the ways differ: {losses}")


def torch_microseconds(way, units):
    """Median over some units of the processor time of one step."""
    times = []
    for _ in range(units):
        begin = time.process_time()
        for _ in range(STEPS):
            way.step()
        times.append((time.process_time() - begin) / STEPS * 1e6)
    return statistics.median(times)


def exact_microseconds(bench, units):
    """The same of the exact unit, with its engine's name."""
    output = subprocess.run([bench, "--only", "best", "--rounds", str(units), "--json"], check=True,
                            capture_output=True, text=True).stdout
    (name, step), = json.loads(output)["steps"].items()
    return name, step["median_us"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    binaries = os.environ.get("GRADIENT_BIN_DIR", "build/release/bin")
    parser.add_argument("--bench", default=os.path.join(binaries, "unit_bench"))
    parser.add_argument("--rounds", type=int, default=7, help="turns; each runs every way")
    parser.add_argument("--units", type=int, default=20, help="units of 16 steps in a turn")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    check_ways_agree()
    with open("/proc/self/maps", encoding="ascii") as maps:
        blas = sorted({line.split("/")[-1].strip() for line in maps if "blas" in line})
    ways = {name: make() for name, make in WAYS.items()}
    for way in ways.values():
        torch_microseconds(way, 3)
    times, ratios = {name: [] for name in ways}, {name: [] for name in ways}
    exact_times = []
    for _ in range(arguments.rounds):
        engine, exact = exact_microseconds(arguments.bench, arguments.units)
        exact_times.append(exact)
        for name, way in ways.items():
            times[name].append(torch_microseconds(way, arguments.units))
            ratios[name].append(exact / times[name][-1])

    result = {"torch": torch.__version__, "cpu_capability": torch.backends.cpu.get_cpu_capability()
              if hasattr(torch.backends, "cpu") else None, "blas": blas, "engine": engine,
              "exact_us": statistics.median(exact_times),
              "torch_us": {name: statistics.median(t) for name, t in times.items()},
              "ratio": {name: statistics.median(r) for name, r in ratios.items()}}
    result["ratio_to_fastest"] = max(result["ratio"].values())
    if arguments.json:
        print(json.dumps(result))
        return
    print(f"PyTorch {result['torch']} on one thread, {', '.join(blas) or 'its own products'}")
    print(f"{'one step':<24} {'median us':>10} {'exact / it':>11}")
    print(f"{engine:<24} {result['exact_us']:>10.1f} {1:>11.2f}")
    for name in ways:
        print(f"{'torch ' + name:<24} {result['torch_us'][name]:>10.1f} {result['ratio'][name]:>11.2f}")
    verdict = "" if result["ratio_to_fastest"] < 1 else "  NOT MET"
    print(f"exact / fastest PyTorch: {result['ratio_to_fastest']:.2f} (asked: below 1){verdict}")


if __name__ == "__main__":
    main()
