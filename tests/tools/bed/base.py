"""Paths, programs and the tally that everything else in the test bed stands on."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .guest import Guest

REPO = Path(os.environ.get("REPO", Path(__file__).resolve().parents[3]))
#: The program, where Cargo has built it.
PROGRAM = REPO / os.environ.get("CARGO_TARGET_DIR", "target") / "release/health-checker"
CACHE = Path(os.environ.get("HC_CACHE", "/nonexistent"))
#: Where disks of running stories live: on a file system that can share blocks between copies.
SCRATCH = Path("/run/hc/scratch")


@dataclass
class Tally:
    """What a story used and left behind: boots against the budget, and the last words on failure."""

    boots: int = 0
    guests: list[Guest] = field(default_factory=list)


TALLY = Tally()


def image_dir() -> Path:
    """Kernel, initrd and disks: the runner's copy, else the build that the caller named."""
    return SCRATCH if (SCRATCH / "initrd").exists() else Path(os.environ["HC_IMAGE"])


def story_dir() -> Path:
    """This story's own directory on the scratch file system; removed after the story."""
    path = Path(os.environ.get("HC_STORY_DIR", str(SCRATCH / f"adhoc-{os.getpid()}")))
    path.mkdir(parents=True, exist_ok=True)
    return path


def sh(*command: str | Path, data: bytes | None = None) -> str:
    """Runs a program of the tools tree; its standard output, or its complaint as an error."""
    done = subprocess.run([str(c) for c in command], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        said = (done.stderr + done.stdout).decode(errors="replace").strip()
        raise RuntimeError(f"{' '.join(str(c) for c in command)}: exit {done.returncode}: {said}")
    return done.stdout.decode(errors="replace")


def verbose() -> bool:
    """V=1: raw consoles on standard error."""
    return os.environ.get("V", "") not in ("", "0")
