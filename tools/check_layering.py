#!/usr/bin/env python3
"""Checks the include graph against the layering of the project. There is no list of exceptions.

Usage: check_layering.py ROOT | --self-test
"""

import re
import sys
import tempfile
from pathlib import Path

LAYERS = ("model", "chain", "node", "tools")
SUFFIXES = {".hpp", ".cpp", ".h", ".inc", ".inl"}
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.DOTALL
)

# Rooms of chain/ that call the solver core; everything else sees only its results.
CHAIN_MAY_TRAIN = ("chain/consensus/", "chain/work/", "chain/state/", "chain/transition/", "chain/tasks/", "chain/transactions/", "chain/fraud/",
                   "chain/light/")

# (third-party header pattern, places that may include it)
FENCES = [
    (r"boost/json(/|\.hpp)", ("node/", "tools/", "chain/consensus/genesis")),
    (r"boost/(?!json(/|\.hpp))", ("node/", "tools/")),
    (r"leveldb/", ("chain/storage/leveldb_store.",)),
    (r"Eigen/|unsupported/Eigen/", ("model/",)),
    (r"openssl/", ("chain/base/hash.", "chain/crypto/", "node/", "tools/wallet/")),
    (r"spdlog/|fmt/", ("node/", "tools/")),
    (r"CLI/", ("node/", "tools/")),
]

# (layer prefix, standard headers it may not include, why)
BANNED_HEADERS = [
    ("model/", {"chrono", "fstream", "iostream", "filesystem", "ctime", "random"},
     "the solver core has no clock, no files and no random source of its own"),
    ("chain/", {"thread", "iostream", "ctime", "mutex", "future"},
     "the ledger has no threads, no console and no clock"),
]

# (layer prefix, pattern in the code, why)
BANNED_CODE = [
    ("chain/", r"\b(system|steady|high_resolution|utc)_clock\b", "time is an argument"),
    ("chain/", r"\bthrow\b", "errors are values below node/"),
    ("model/", r"\bthrow\b", "errors are values below node/"),
    ("model/", r"\bstd::(rand|random_device)\b", "randomness comes from the seed"),
]

# Folders that are one layer each; a cycle among any two folders of these is refused as well.
def folder_of(path):
    return path.rsplit("/", 1)[0]


def may_include(source, target):
    """Whether the project file `source` may include the project file `target`; else the rule."""
    layer, other = source.split("/")[0], target.split("/")[0]
    if layer == "model":
        return other == "model" or "model/ includes nothing of the project outside model/"
    if source.startswith("chain/base/"):
        return target.startswith("chain/base/") or "chain/base/ includes only chain/base/"
    if layer == "chain":
        if other == "model":
            return source.startswith(CHAIN_MAY_TRAIN) or (
                "within chain/ only %s may include model/" % ", ".join(CHAIN_MAY_TRAIN))
        return other == "chain" or "chain/ includes only chain/ and model/"
    if layer == "node":
        return other in ("node", "chain", "model") or "node/ includes only node/, chain/, model/"
    if layer == "tools":
        return other in LAYERS or "tools/ includes only tools/, node/, chain/, model/"
    return True


def strip(text, keep_strings=False):
    def replace(match):
        body = match.group(0)
        if body.startswith(("//", "/*")):
            return "\n" * body.count("\n")
        return body if keep_strings else '""'
    return COMMENT_OR_STRING.sub(replace, text)


def find_cycle(graph):
    """One cycle of the directed graph as a list of nodes, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for successor in sorted(graph.get(node, ())):
            cycle = visit(successor)
            if cycle:
                return cycle
        path.pop()
        done.add(node)
        return None

    for node in sorted(graph):
        cycle = visit(node)
        if cycle:
            return cycle
    return None


def check(root):
    """All violations under root, as sentences."""
    problems, folders, files = [], {}, {}
    sources = sorted(p for layer in LAYERS for p in (root / layer).rglob("*")
                     if p.suffix in SUFFIXES and p.is_file())
    for file in sources:
        source = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        for kind, target in INCLUDE.findall(strip(text, keep_strings=True)):
            if kind == '"':
                if target.split("/")[0] not in LAYERS or not (root / target).is_file():
                    # A path that is not from the root hides its layer.
                    problems.append(f'{source}: "{target}" is not a project path from the root')
                    continue
                verdict = may_include(source, target)
                if verdict is not True:
                    problems.append(f"{source}: includes {target}: {verdict}")
                files.setdefault(source, set()).add(target)
                if folder_of(source) != folder_of(target):
                    folders.setdefault(folder_of(source), set()).add(folder_of(target))
                continue
            for pattern, places in FENCES:
                if re.match(pattern, target) and not source.startswith(places):
                    problems.append(f"{source}: <{target}> belongs only in {', '.join(places)}")
            for prefix, headers, why in BANNED_HEADERS:
                if source.startswith(prefix) and target in headers:
                    problems.append(f"{source}: <{target}>: {why}")
        code = strip(text)
        for prefix, pattern, why in BANNED_CODE:
            match = re.search(pattern, code) if source.startswith(prefix) else None
            if match:
                problems.append(f"{source}: {match.group(0)}: {why}")
    for name, graph in (("files", files), ("folders", folders)):
        cycle = find_cycle(graph)
        if cycle:
            problems.append(f"include cycle between {name}: " + " -> ".join(cycle))
    return problems


# Each planted tree must give exactly one complaint holding the given words; the first must give none.
PLANTED = [
    ({"chain/base/a.hpp": "", "chain/state/s.cpp": '#include "model/m.hpp"\n#include "chain/base/a.hpp"',
      "model/m.hpp": "#include <Eigen/Core>\n// #include <chrono>",
      "node/n.cpp": '#include <boost/asio.hpp>\n#include "chain/base/a.hpp"\nvoid f() { throw 1; }',
      "chain/consensus/genesis_spec.cpp": "#include <boost/json.hpp>",
      "tools/wallet/w.cpp": "#include <openssl/evp.h>"}, None),
    ({"model/m.hpp": '#include "chain/base/a.hpp"', "chain/base/a.hpp": ""}, "nothing of the project"),
    ({"chain/base/a.hpp": '#include "chain/types/t.hpp"', "chain/types/t.hpp": ""}, "only chain/base/"),
    ({"chain/types/t.hpp": '#include "model/m.hpp"', "model/m.hpp": ""}, "within chain/ only"),
    ({"chain/pool/p.hpp": '#include "node/n.hpp"', "node/n.hpp": ""}, "only chain/ and model/"),
    ({"node/n.hpp": '#include "tools/t.hpp"', "tools/t.hpp": ""}, "node/ includes only"),
    ({"chain/pool/p.hpp": "#include <boost/asio.hpp>"}, "belongs only in"),
    ({"chain/pool/p.hpp": "#include <boost/json.hpp>"}, "belongs only in"),
    ({"chain/storage/block_store.cpp": "#include <leveldb/db.h>"}, "belongs only in"),
    ({"chain/types/t.hpp": "#include <Eigen/Core>"}, "belongs only in"),
    ({"chain/base/codec.hpp": "#include <openssl/sha.h>"}, "belongs only in"),
    ({"tools/cli/c.cpp": "#include <openssl/evp.h>"}, "belongs only in"),
    ({"model/m.cpp": "#include <chrono>"}, "no clock"),
    ({"model/loops.inl": "#include <chrono>"}, "no clock"),
    ({"chain/pool/p.cpp": "#include <thread>"}, "no threads"),
    ({"chain/pool/p.cpp": "auto t = std::chrono::system_clock::now();"}, "time is an argument"),
    ({"chain/pool/p.cpp": "void f() { throw 1; }"}, "errors are values"),
    ({"chain/a/x.hpp": '#include "chain/b/y.hpp"', "chain/b/y.hpp": "",
      "chain/b/z.hpp": '#include "chain/a/w.hpp"', "chain/a/w.hpp": ""}, "cycle between folders"),
    ({"chain/a/x.hpp": '#include "x2.hpp"', "chain/a/x2.hpp": ""}, "not a project path"),
]


def self_test():
    failures = 0
    for tree, words in PLANTED:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            for path, text in tree.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text + "\n", encoding="utf-8")
            problems = check(root)
        good = not problems if words is None else len(problems) == 1 and words in problems[0]
        if not good:
            failures += 1
            print(f"planted {tree}: expected {words!r}, got {problems}")
    print(f"layering self-test: {len(PLANTED) - failures} of {len(PLANTED)} trees judged rightly")
    return failures


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 1 if self_test() else 0
    if len(sys.argv) != 2:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    problems = check(Path(sys.argv[1]))
    for problem in problems:
        print(problem)
    print(f"layering: {len(problems)} violations")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
