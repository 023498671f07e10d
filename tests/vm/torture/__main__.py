"""Records, cuts, judges, boots a sample, and prints what came of it; see tests/vm/torture/run."""

from __future__ import annotations

import os
import random
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from bed.base import CACHE, TALLY, sh
from bed.disk import Disk, prepare_scratch

from . import record, selftest
from .judge import Found, Known, judge
from .record import Recording
from .replay import Point, Replay, kept


@dataclass
class Outcome:
    """Of one recording."""

    recording: Recording
    points: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: float = 0
    #: What was durable after each epoch, as far as was looked.
    history: list[Known] = field(default_factory=list)
    #: Points at which the next start has something to do.
    unfinished: list[Point] = field(default_factory=list)
    booted: list[str] = field(default_factory=list)
    false_disks: tuple[int, int] = (0, 0)
    missed: list[str] = field(default_factory=list)


def every_point(recording: Recording, rounds: int, seed: str) -> list[Point]:
    """In the order of the log: at each flush so many halves of what came before it, then all of that."""
    found = []
    for index in range(len(recording.epochs)):
        found += [Point(index, f"{seed}/{recording.name}/{index}/{n}") for n in range(rounds)]
        found.append(Point(index))
    return found


def choose(recordings: list[Recording], n: int, seed: str) -> list[list[Point]]:
    """N points, spread evenly: one in each N-th part of all there are."""
    flushes = sum(len(recording.epochs) for recording in recordings)
    rounds = max(1, -(-n // flushes) - 1)
    everything = [(r, point) for r in range(len(recordings)) for point in every_point(recordings[r], rounds, seed)]
    n = min(n, len(everything))
    dice = random.Random(seed)
    chosen: list[list[Point]] = [[] for _ in recordings]
    for part in range(n):
        low, high = part * len(everything) // n, (part + 1) * len(everything) // n
        r, point = everything[dice.randrange(low, high)]
        chosen[r].append(point)
    return chosen


def told(recording: Recording, point: Point) -> str:
    """A point's name, which finds it again."""
    epoch = recording.epochs[point.epoch]
    what = f"half ({point.seed}) of the {len(epoch.writes)} writes before" if point.seed else "cut at"
    return f"{recording.name}: {what} {epoch.name}"


def replay(recording: Recording, points: list[Point], progress: Progress) -> Outcome:
    """Judges each point, in the order of the log."""
    out = Outcome(recording)
    started = time.monotonic()
    disk = Replay(recording.base)
    known = Known(record.FIRST)
    for index, epoch in enumerate(recording.epochs):
        for point in (point for point in points if point.epoch == index):
            with disk.cut(epoch, point) as image:
                found = judge(image, recording.rules, known)
            out.points += 1
            if found.unfinished:
                out.unfinished.append(point)
            for problem in found.problems:
                out.failures.append(f"{told(recording, point)}: {problem}")
                progress.say(f"FAILED {out.failures[-1]}\n")
            if found.problems and wanted("KEEP"):
                with disk.cut(epoch, point) as image:
                    keep(image, f"{recording.name}-{index}-{len(out.failures)}.raw")
            if not point.seed:
                known = durable(known, found)
            progress.step(len(out.failures))
        disk.apply(epoch.writes)
        out.history.append(known)
    # The end is always looked at: a verdict had been told, and the self-tests begin with a disk that is right.
    with disk.copy() as image:
        found = judge(image, recording.rules, known)
        if recording.judged and found.default not in found.known_good:
            found.problems.append(f"{found.default} was told to be known good, which is not on the disk")
        out.failures += [f"{recording.name}: the end: {problem}" for problem in found.problems]
        out.history[-1] = durable(known, found)
    out.seconds = time.monotonic() - started
    # They damage what a verdict leaves.
    out.missed = selftest.by_hand(disk.image, recording.rules, out.history[-1]) if recording.judged else []
    disk.close()
    return out


def keep(image: Path, name: str) -> None:
    """For a look at it: `mount -o loop,subvolid=5`."""
    kept = CACHE / "kept"
    kept.mkdir(exist_ok=True)
    sh("cp", "--sparse=always", image, kept / name)
    print(f"kept: {kept / name}", flush=True)


def durable(before: Known, found: Found) -> Known:
    return Known(found.default, max(before.sequence, found.sequence))


class Progress:
    """That it moves: one line on a terminal, else one in twenty seconds."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.shown = total, 0, time.monotonic()

    def say(self, text: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        else:
            print(text.rstrip(), file=sys.stderr, flush=True)
        self.shown = time.monotonic()

    def step(self, failures: int) -> None:
        self.done += 1
        if time.monotonic() - self.shown > (0.2 if sys.stderr.isatty() else 20):
            self.say(f"{self.done} of {self.total} points, {failures} problems")

    def end(self) -> None:
        if sys.stderr.isatty():
            self.say("")


def boot(out: Outcome, points: list[Point], progress: Progress) -> None:
    """Really boots the disk as it was cut at these points."""
    recording = out.recording
    for point in points:
        name = told(recording, point)
        progress.say(f"booting {name} …")
        disk = Replay(recording.base)
        for epoch in recording.epochs[: point.epoch]:
            disk.apply(epoch.writes)
        disk.apply(kept(recording.epochs[point.epoch], point.seed))
        out.booted.append(name)
        try:
            recording.boots(Disk(source=disk.image))
        except Exception as error:  # the campaign goes on, and the failure is told
            traceback.print_exc()
            print("\n".join(guest.told for guest in TALLY.guests[-1:]))
            out.failures.append(f"{name}: booted: {type(error).__name__}: {error}")
        disk.close()


def table(outcomes: list[Outcome]) -> str:
    """One line a recording."""
    head = ("recording", "writes", "discards", "flushes", "points", "failed", "s a point",
            "false disks noticed", "damages noticed")
    rows = [head]
    for out in outcomes:
        tried, noticed = out.false_disks
        damages = len(selftest.DAMAGES)
        entries = [entry for epoch in out.recording.epochs for entry in epoch.writes]
        discards = sum(entry.data is None for entry in entries)
        rows.append((
            out.recording.name, str(len(entries) - discards), str(discards),
            str(len(out.recording.epochs)), str(out.points), str(len(out.failures)),
            f"{out.seconds / max(1, out.points):.2f}", f"{noticed} of {tried}",
            f"{damages - len(out.missed)} of {damages}" if out.recording.judged else "–",
        ))
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def main(pattern: str, n: int, boots: int, seed: str) -> int:
    started = time.monotonic()
    chosen = [make for name, make in record.ALL.items() if pattern in name]
    if not chosen:
        print(f"no recording's name contains {pattern!r}; there are {', '.join(record.ALL)}")
        return 1
    print(f"SEED={seed} N={n} BOOTS={boots}", flush=True)
    # In memory: a point is a copy that is written to, checked, mounted and thrown away.
    prepare_scratch(Path(os.environ["HC_IMAGE"]), Path("/run"))
    progress = Progress(n)
    recordings: list[Recording] = []
    for make in chosen:
        progress.say(f"recording {len(recordings) + 1} of {len(chosen)} …")
        recordings.append(make())
    points = choose(recordings, n, seed)
    dice = random.Random(seed)
    outcomes = []
    for i, recording in enumerate(recordings):
        out = replay(recording, points[i], progress)
        out.false_disks = selftest.false_disks(recording, out.history, seed)
        out.failures += [f"{recording.name}: not noticed: {name}" for name in out.missed]
        # Every second one from where the next start has something to do.
        anywhere = points[i] or [Point(len(recording.epochs) - 1)]
        kinds = [out.unfinished or anywhere, anywhere]
        boot(out, [dice.choice(kinds[n % 2]) for n in range(boots) if n % len(recordings) == i], progress)
        outcomes.append(out)
    progress.end()
    print(table(outcomes))
    for out in outcomes:
        print("".join(f"booted: {name}\n" for name in out.booted), end="")
    failures = [failure for out in outcomes for failure in out.failures]
    print("".join(f"FAILED {failure}\n" for failure in failures), end="")
    print(f"{TALLY.boots} boots, {time.monotonic() - started:.0f} s: {len(failures)} failures")
    return 1 if failures else 0


def wanted(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)


if __name__ == "__main__":
    numbers = _number("N", 200), _number("BOOTS", len(record.ALL))
    sys.exit(main("".join(sys.argv[1:2]), *numbers, os.environ.get("SEED") or "1"))
