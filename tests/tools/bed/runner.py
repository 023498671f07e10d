"""Finds stories, runs each in a process of its own, and says what came of them.

A story is a file with a docstring (its title) and a function `story`. If that takes an argument,
it runs once for each layout of /etc. Marks of the file, all optional:
    SHORT = True           belongs to `make test`; or the layouts that do: SHORT = ("overlay",)
    ETC = ("overlay",)     the layouts it runs on, if not both
    TIMEOUT = 600          seconds
"""

from __future__ import annotations

import ast
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .base import CACHE, REPO, SCRATCH
from .container import remove_cgroups
from .disk import prepare_scratch
from .one import EMULATOR_FAILED

#: Machine boots that `make test` may use: each costs twenty seconds.
BUDGET = 25


@dataclass
class Story:
    path: Path
    etc: str
    title: str
    short: bool
    timeout: float

    @property
    def name(self) -> str:
        return f"{self.path.stem}[{self.etc}]" if self.etc else self.path.stem


@dataclass
class Outcome:
    story: Story
    ok: bool
    seconds: float
    boots: int
    report: str
    emulator_failed: bool = False


def discover(tier: str) -> list[Story]:
    """Read, not imported: a broken file is one failing story, not the end of the run."""
    found: list[Story] = []
    for path in sorted((REPO / "tests" / tier / "stories").glob("[a-z]*.py")):
        try:
            found += _read(path)
        except (SyntaxError, ValueError) as error:
            found.append(Story(path, "", f"unreadable: {error}", True, 10))
    return found


def _read(path: Path) -> list[Story]:
    tree = ast.parse(path.read_text(), str(path))
    title = (ast.get_docstring(tree) or "").split("\n")[0]
    marks: dict[str, Any] = {"SHORT": False, "ETC": ("overlay", "nested"), "TIMEOUT": 600}
    layouts: tuple[str, ...] = ()
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id in marks:
                marks[node.targets[0].id] = ast.literal_eval(node.value)
        if isinstance(node, ast.FunctionDef) and node.name == "story":
            layouts = tuple(marks["ETC"]) if node.args.args else ("",)
    if not layouts or not title:
        raise ValueError("a story needs a docstring and a function `story`")
    short = marks["SHORT"]
    return [
        Story(path, etc, title, short if isinstance(short, bool) else etc in short, marks["TIMEOUT"])
        for etc in layouts
    ]


def run_one(story: Story) -> Outcome:
    """In namespaces of its own: whatever it started and mounted is gone when it ends."""
    own = SCRATCH / story.name
    own.mkdir()
    log = own / "report"
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child=KILL", "--mount-proc",
               sys.executable, "-B", "-m", "bed.one", str(story.path), story.etc]
    env = {**os.environ, "HC_STORY_DIR": str(own), "PYTHONPATH": f"{REPO}/tests/tools:{REPO}/tests/vm"}
    started = time.monotonic()
    with log.open("wb") as out:
        errors = None if os.environ.get("V", "") not in ("", "0") else out
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                                 env=env, start_new_session=True)
        late = False
        try:
            child.wait(story.timeout)
        except subprocess.TimeoutExpired:
            late = True
            child.send_signal(signal.SIGINT)  # for its last words
            os.killpg(child.pid, signal.SIGINT)
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    report = log.read_text(errors="replace")
    if late:
        report = f"not done within {story.timeout:.0f} s\n{report}"
    tally = own / "tally"
    boots = json.loads(tally.read_text())["boots"] if tally.exists() else 0
    ok = child.returncode == 0 and not late
    _put_away(own, keep=not ok)
    failed = child.returncode == EMULATOR_FAILED
    return Outcome(story, ok, time.monotonic() - started, boots, report, failed)


def run_told(story: Story) -> Outcome:
    """Once more, and said so, if the emulator failed: an assertion of its own, or a processor without a timer."""
    outcome = run_one(story)
    if not outcome.emulator_failed:
        return outcome
    print(f"again  {story.name}: the emulator failed, and tested nothing", flush=True)
    return run_one(story)


def _put_away(own: Path, keep: bool) -> None:
    """With KEEP=1 a failed story's disks and consoles stay in the cache, else nothing does."""
    if keep and os.environ.get("KEEP", "") not in ("", "0"):
        kept = CACHE / "kept" / own.name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for path in own.glob("*.*"):
            if path.is_file():
                subprocess.run(["cp", "--sparse=always", path, kept], check=True)
        print(f"       kept: {kept}", flush=True)
    for group in Path("/sys/fs/cgroup").glob(f"hc-{glob.escape(own.name)}-*"):
        remove_cgroups(group)
    subprocess.run(["rm", "-rf", "--one-file-system", own], check=False)


def _say(outcome: Outcome) -> None:
    boots = f"{outcome.boots:3d} boots" if outcome.boots else ""
    word = "ok    " if outcome.ok else "FAILED"
    print(f"{word} {outcome.story.name:<44} {outcome.seconds:6.1f} s {boots:>9}  {outcome.story.title}", flush=True)
    if not outcome.ok:
        for line in outcome.report.rstrip().splitlines():
            print(f"       | {line}", flush=True)


def main(tier: str, short: bool, pattern: str, image: Path) -> int:
    """Runs what was asked for; the last line is the count."""
    stories = [s for s in discover(tier) if (s.short or not short) and pattern in s.name]
    if pattern and not stories:
        print(f"no story's name contains {pattern!r}")
        return 1
    prepare_scratch(image)
    # Containers leave a processor idle half of the time; an emulated machine uses both.
    parallel = 2 if tier == "container" else 1
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(parallel) as pool:
        for future in [pool.submit(run_told, story) for story in stories]:
            outcomes.append(future.result())
            _say(outcomes[-1])
    failed = sum(not outcome.ok for outcome in outcomes)
    boots = sum(outcome.boots for outcome in outcomes)
    if short and boots > BUDGET:
        print(f"FAILED {boots} machine boots; `make test` may use {BUDGET}")
        failed += 1
    what = f", {boots} machine boots" if boots else ""
    print(f"stories ({tier}{what}): {len(outcomes) - sum(not o.ok for o in outcomes)} passed, {failed} failed")
    return 1 if failed else 0
