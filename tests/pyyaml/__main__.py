"""Reads each document with both, and says where they disagree; see tests/pyyaml/run."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from .documents import Documents

#: Of what PyYAML takes: what we refuse all the same, by our words for it. Nothing is applied then, and that is said.
REFUSED = (
    "ends a line in YAML 1.1",
    "it repeats a value that it is part of",
    # What is not what its tag says, for which Python's own functions have more patience.
    "!!binary is base64",
    "is no whole number",
    "is no number",
    # No parser of YAML 1.2 takes it: a hyphen alone in a list in brackets, a comment right after a quote, lines of nothing before a block's indentation,
    # an anchor or a comment in the place of a key.
    "plain scalar cannot start with '-'",
    "comments must be separated from other tokens",
    "wrongly indented line in block scalar",
    "simple key expected ':'",
    "a cloud-config is a mapping (hostname: x), and this is",
    "did not find expected <document start>",
    "may not precede any of",
)
#: The documents of a run must be of use: so many of them are read by both.
LEAST = 0.4


class Loader(yaml.SafeLoader):  # type: ignore[misc]
    """As cloud-init's, but for dates, which are text here as they are written."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in them if tag != "tag:yaml.org,2002:timestamp"]
    for first, them in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_yaml_str)


def _theirs(text: bytes) -> object:
    """What PyYAML makes of it; `None` if it makes nothing of it."""
    try:
        return yaml.load(text, Loader)
    # Its constructors let errors of Python's own through.
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None


def _is_same(a: object, b: object) -> bool:
    """With types, and the order of keys."""
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isnan(a) and math.isnan(b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_is_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return _is_same([list(it) for it in a.items()], [list(it) for it in b.items()])
    return type(a) is type(b) and a == b


def _compare(program: Path, text: str, file: Path) -> tuple[str, str]:
    """What came of it, and if that is wrong, the details."""
    theirs = _theirs(text.encode())
    file.write_text(text, newline="")
    done = subprocess.run([program, "firstboot", "merge", file], capture_output=True, text=True, timeout=20)
    if done.returncode not in (0, 1):
        return "failed", done.stderr
    if not isinstance(theirs, dict):
        return ("refused by both" if done.returncode else "taken by us alone"), ""
    if done.returncode:
        return ("refused by us alone" if any(it in done.stderr for it in REFUSED) else "refused"), done.stderr
    ours = yaml.load(done.stdout, Loader) or {}
    return ("the same", "") if _is_same(ours, theirs) else ("different", f"PyYAML: {theirs!r}\n  here: {ours!r}")


def main(program: Path, count: int, seed: int) -> int:
    documents, came, wrong = Documents(seed), Counter[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(count):
            text = documents.next()
            what, details = _compare(program, text, Path(folder, "user-data"))
            came[what] += 1
            if what in ("failed", "refused", "different"):
                wrong += 1
                print(f"FAILED {what}: {text!r}\n  {details}", file=sys.stderr)
    for what, number in came.most_common():
        print(f"{number:7} {what}")
    if came["the same"] < LEAST * count:
        print(f"FAILED fewer than {LEAST:.0%} of the documents say anything", file=sys.stderr)
        wrong += 1
    return 1 if wrong else 0


sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
