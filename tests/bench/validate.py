"""`firstboot validate`: its time and memory by the size of what it is given, natively."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bed.base import story_dir
from bed.disk import Disk

from .table import Row, at_most

#: For 1 MB, in milliseconds.
LIMIT = 100
#: Megabytes: of any input, and for each of its own.
ANY, EACH = 64, 8
#: What a longer text may take beyond its share.
LIKENESS = 1.25
#: The quickest of so many counts.
TIMES = 3


@dataclass(frozen=True)
class Costs:
    """Of the quickest run; memory at least that of the small process that started it."""

    ms: float
    mb: float


def _files(megabytes: int) -> str:
    """Files of 4 kB."""
    line = "      " + "x" * 93 + "\n"
    entry = "  - path: /etc/app/{}\n    content: |\n" + line * 40
    return "#cloud-config\nwrite_files:\n" + "".join(entry.format(at) for at in range(megabytes * 1_000_000 // len(entry)))


def _values(number: int) -> str:
    """Nearly as many values as there may be, each as short as can be."""
    return "#cloud-config\nruncmd:\n" + "- [a, b]\n" * (number // 3)


def _aliases() -> str:
    """Each of nine lists holds the one before nine times."""
    lists = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lists += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 10)]
    return "#cloud-config\n" + "\n".join(lists) + "\n"


def _problems() -> str:
    """As many things wrong as there may be values."""
    return "#cloud-config\nssh_authorized_keys:\n" + "- aaaa\n" * 240_000


def _unknown(number: int) -> str:
    """Keys that are nearly known, and one as long as all the others: marked by ?, as one of over 1,024 has to be."""
    return "#cloud-config\n" + "".join(f"hostnam{at}: x\n" for at in range(number)) + "? " + "k" * 500_000 + "\n: x\n"


def _users(number: int) -> str:
    """Each with a number and a file of its own."""
    users = "".join(f"- {{name: u{at}, uid: {2000 + at}}}\n" for at in range(number))
    files = "".join(f"- {{path: /srv/{at}, owner: v{at}}}\n" for at in range(number))
    return f"#cloud-config\nusers:\n{users}write_files:\n{files}"


def _run(program: Path, text: str) -> Costs:
    path = story_dir() / "user-data"
    path.write_text(text)
    said = subprocess.run([program, "firstboot", "validate", path], capture_output=True, text=True).stdout
    assert "this is not YAML" not in said, said[-500:]
    command = [sys.executable, "-B", "-S", "-m", "bench.spawned", str(TIMES),
               str(program), "firstboot", "validate", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return min((Costs(*map(float, line.split())) for line in done.stdout.splitlines()), key=lambda run: run.ms)


def claim() -> list[Row]:
    with Disk("overlay").mounted() as top:
        program = top.snapshot(1) / "usr/bin/health-checker"
        one, ten, fifty = (_run(program, _files(size)) for size in (1, 10, 50))
        print("  validated: 1, 10, 50 MB", file=sys.stderr, flush=True)
        wrong = {"240,000 things wrong": _problems(), "unknown keys": _unknown(30_000),
                 "users and files": _users(15_000)}
        texts = {"240,000 values": _values(240_000), "aliases of aliases": _aliases(), **wrong}
        others = {name: (_run(program, text), len(text) / 1e6) for name, text in texts.items()}

    def memory(name: str, costs: Costs, megabytes: float) -> Row:
        return at_most(f"validate, {name}: peak memory", costs.mb, round(ANY + EACH * megabytes, 1), "MB")

    return [
        at_most("validate, 1 MB, wall clock", one.ms, LIMIT, "ms"),
        at_most("validate, 50 MB, wall clock: no more than its share of 10 MB's", fifty.ms,
                round(ten.ms * 5 * LIKENESS, 1), "ms", alternative=f"10 MB {ten.ms:.0f} ms"),
        memory("1 MB", one, 1), memory("50 MB", fifty, 50),
        *(memory(name, costs, size) for name, (costs, size) in others.items()),
        *(at_most(f"validate, {name}, wall clock", others[name][0].ms, round(LIMIT * max(1, others[name][1]), 1), "ms")
          for name in wrong),
    ]
