"""Whether a disk is one that may be left behind by a power cut: what is wrong with it, in words."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bed.base import sh, story_dir
from bed.disk import Top

RECORDS = ("@/var/lib/health-checker/record", "@/.snapshots/.health-checker/record")
#: Of snapshots that first boot is making; while they are not the default, the next first boot deletes them.
_IN_PROGRESS = "health-checker-in-progress"
#: Of files that are about to take another's place.
_TEMPORARY = ".new-"
_SNAPSHOT = re.compile(r"@/\.snapshots/(\d+)/snapshot")
#: What the image has besides snapshots, and what systemd makes in /var.
_OTHERS = re.compile(r"@(/(\.snapshots|var(/lib/(machines|portables))?|root|home|opt|srv|usr/local))?"
                     r"|@/\.snapshots/\d+/snapshot/etc")


@dataclass(frozen=True)
class Known:
    """What the disk has durably been, at the last flush that was looked at."""

    default: int
    sequence: int = 0


@dataclass(frozen=True)
class Rules:
    """What holds for one recording."""

    #: The default at its beginning; as long as it is that, the next start is a first boot (again).
    pristine: int | None = None
    #: Snapshots that the update tool makes: what it leaves of them is not ours to judge.
    tools: frozenset[int] = frozenset()
    #: What snapshots must have in their /etc from the moment they are the default.
    etc: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


@dataclass
class Found:
    """What is on the disk, and what is wrong with it."""

    default: int = 0
    sequence: int = 0
    #: The numbers of the snapshots that the record has as known good.
    known_good: list[int] = field(default_factory=list)
    #: Whether the next start has something to complete, to delete or to leave again.
    unfinished: bool = False
    problems: list[str] = field(default_factory=list)


def judge(image: Path, rules: Rules, known: Known) -> Found:
    """Checks the file system before and the content after it was mounted. The image is changed by that."""
    found = Found(known.default, known.sequence)
    try:
        sh("btrfs", "check", image)
    except RuntimeError as error:
        found.problems.append(f"btrfs check: {_short(error)}")
    try:
        with mounted(image) as top:
            _content(top, rules, known, found)
    except (RuntimeError, OSError, ValueError) as error:
        found.problems.append(f"cannot be looked into: {_short(error)}")
    return found


@contextmanager
def mounted(image: Path) -> Iterator[Top]:
    """The top level; read-write, which replays what fsync left in the log tree."""
    where = Path(tempfile.mkdtemp(prefix="judge-", dir=story_dir()))
    # The kernel remembers a file system's device and its age; all these images are one file system.
    sh("btrfs", "device", "scan", "--forget")
    try:
        sh("mount", "-o", "loop,noatime,subvolid=5", image, where)
        try:
            yield Top(where)
        finally:
            sh("umount", where)
    finally:
        where.rmdir()


def _short(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if re.search("error|wrong|mismatch|fail|missing|exit", line, re.I)]
    return "; ".join((told or lines)[:4])[:400]


# What is on the disk


@dataclass(frozen=True)
class _Seen:
    top: Top
    #: Of snapshots: number → UUID.
    uuids: dict[int, str]
    #: All other subvolumes.
    others: list[str]
    #: The newest record.
    record: dict[str, Any] | None


def _content(top: Top, rules: Rules, known: Known, found: Found) -> None:
    (top.path / "@/.judge").write_text("writable\n")
    record = _record(top, found)
    uuids, others = _subvolumes(top)
    seen = _Seen(top, uuids, others, record)
    found.sequence = record["sequence"] if record else 0
    found.known_good = [good["number"] for good in _goods(record)]
    found.default = top.default()
    found.unfinished = found.default in rules.tools or _unfinished(top)
    if found.sequence < known.sequence:
        found.problems.append(f"the record is lost: sequence {found.sequence}, and {known.sequence} was durable")
    found.problems += _default(seen, rules, known, found.default)
    found.problems += _entered(seen, rules, found.default)
    found.problems += _owned(seen, rules, found.default)
    found.problems += [f"known good, and not there: {good}" for good in _goods(record) if not _is(seen, good)]


def _record(top: Top, found: Found) -> dict[str, Any] | None:
    newest: dict[str, Any] | None = None
    for place in RECORDS:
        path = top.path / place
        if not path.exists():
            continue
        try:
            record = sealed(path.read_bytes())
        except ValueError as error:
            found.problems.append(f"{place}: {error}")
            continue
        if newest is None or record["sequence"] > newest["sequence"]:
            newest = record
    return newest


def sealed(data: bytes) -> dict[str, Any]:
    """A record; a ValueError if it is not whole. The program's own reader is not asked: it is on trial."""
    head, _, body = data.partition(b"\n")
    seal = hashlib.sha256(body.removesuffix(b"\n")).hexdigest()
    if head != f"health-checker-record 1 sha256={seal}".encode():
        raise ValueError(f"not whole: {len(data)} bytes, {head[:40]!r}…")
    record: dict[str, Any] = json.loads(body)
    return record


def _subvolumes(top: Top) -> tuple[dict[int, str], list[str]]:
    uuids: dict[int, str] = {}
    others: list[str] = []
    for line in sh("btrfs", "subvolume", "list", "-u", top.path).splitlines():
        match = re.fullmatch(r"ID \d+ .* uuid (\S+) path (.*)", line)
        if not match:
            raise ValueError(f"btrfs subvolume list: {line!r}")
        if snapshot := _SNAPSHOT.fullmatch(match[2]):
            uuids[int(snapshot[1])] = match[1]
        else:
            others.append(match[2])
    return uuids, others


# What is wrong with it


def _is(seen: _Seen, snapshot: Mapping[str, Any] | None, number: int | None = None) -> bool:
    """Whether a snapshot that the record names is on the disk (and is number N)."""
    if not snapshot or number not in (None, snapshot["number"]):
        return False
    return bool(seen.uuids.get(snapshot["number"]) == snapshot["uuid"])


def _goods(record: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return [good["snapshot"] for good in record["known_good"]] if record else []


def _default(seen: _Seen, rules: Rules, known: Known, now: int) -> list[str]:
    """It stays, or moves where somebody may move it who has said so before: first boot to what it
    configured, the update tool to what it made, recovery to what is known good."""
    record = seen.record or {}
    if now == known.default or now in rules.tools:
        return []
    if _is(seen, (record.get("firstboot") or {}).get("configured"), now):
        return []
    for rollback in (record.get("rollback"), record.get("last_rollback")):
        if rollback and rollback["from"]["number"] == known.default and _is(seen, rollback["to"], now):
            if rollback["to"] in _goods(record):
                return []
    return [f"the default is {now} after {known.default}, and the record does not tell why: {record}"]


def _entered(seen: _Seen, rules: Rules, now: int) -> list[str]:
    """The default has all that its start needs: its fstab, the layer of /etc that it names, its content."""
    problems = []
    path = seen.top.snapshot(now) / "etc/fstab"
    if not path.is_file():
        return [f"the default {now} has no fstab"]
    fstab = path.read_text()
    for layer in re.findall(r"(?:upperdir|workdir)=/sysroot/var/([^, ]+)", fstab):
        if not seen.top.var(layer).is_dir():
            problems.append(f"the default {now} has no /var/{layer}")
        if f"overlay/{now}/" not in layer:
            problems.append(f"the default {now} writes to /var/{layer}, which is another's")
    if "LABEL=ROOT / " not in fstab:
        problems.append(f"the default {now} has half an fstab: {fstab!r}")
    for name, text in rules.etc.get(now, {}).items():
        path = seen.top.etc(now) / name
        is_now = path.read_text() if path.exists() else None
        if is_now != text:
            problems.append(f"the default {now} has {is_now!r} in /etc/{name}, not {text!r}")
    return problems


def _owned(seen: _Seen, rules: Rules, now: int) -> list[str]:
    # What is outside of a snapshot in the making, as it was before: the next start knows of it by the record.
    outside = (seen.record or {}).get("outside") or {}
    before = f"@/.snapshots/{outside.get('number')}/before/"
    others = [path for path in seen.others if not path.startswith(before)]
    problems = [f"a subvolume that nobody owns: {path}" for path in others if not _OTHERS.fullmatch(path)]
    numbers = seen.top.snapshots()
    for number in numbers:
        if number not in rules.tools:
            problems += _described(seen, number, unfinished=now in (number, rules.pristine))
    layers = seen.top.var("lib/overlay")
    for layer in sorted(layers.iterdir()) if layers.is_dir() else []:
        if not layer.name.isdigit() or int(layer.name) not in numbers:
            problems.append(f"a layer of /etc that belongs to no snapshot: {layer.name}")
    return problems


def _unfinished(top: Top) -> bool:
    described = [top.path / f"@/.snapshots/{number}/info.xml" for number in top.snapshots()]
    return not all(info.exists() and _IN_PROGRESS not in info.read_text() for info in described)


def _described(seen: _Seen, number: int, unfinished: bool) -> list[str]:
    """A snapshot has its description and is there; one that is unfinished may have less, where it
    will be completed or deleted."""
    info = seen.top.path / f"@/.snapshots/{number}/info.xml"
    if not info.exists():
        inside = sorted(path.name for path in info.parent.iterdir())
        begun = unfinished and all(name.startswith(_TEMPORARY) for name in inside)
        return [] if begun else [f"snapshot {number} is nobody's: no info.xml, only {inside}"]
    try:
        keys = [key.text for key in ElementTree.parse(info).iterfind("userdata/key")]
    except ElementTree.ParseError as error:
        return [f"{info.name} of snapshot {number}: {error}"]
    if _IN_PROGRESS in keys:
        return [] if unfinished else [f"snapshot {number} was never finished, and nobody will"]
    return [] if number in seen.uuids else [f"snapshot {number} has an info.xml, and is not there"]
