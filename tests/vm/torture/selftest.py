"""A judge that cannot find anything proves nothing: disks that are wrong on purpose."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from bed.base import sh
from bed.disk import Top

from .judge import RECORDS, Known, Rules, judge, mounted
from .record import Recording
from .replay import Replay

#: So many epochs are dropped, each in a disk of its own that is cut after the next flush, by which
#: btrfs points to what was lost.
FALSE_DISKS = 16


def _record(top: Top) -> Path:
    return next(path for path in (top.path / place for place in RECORDS) if path.exists())


def _flip_a_bit(top: Top) -> None:
    path = _record(top)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _half_a_record(top: Top) -> None:
    path = _record(top)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_record(top: Top) -> None:
    for place in RECORDS:
        top.remove(place)


def _forgotten_directory(top: Top) -> None:
    (top.path / "@/.snapshots/97").mkdir()


def _forgotten_snapshot(top: Top) -> None:
    _forgotten_directory(top)
    sh("btrfs", "-q", "subvolume", "snapshot", top.snapshot(top.default()), top.snapshot(97))


def _forgotten_layer(top: Top) -> None:
    top.var("lib/overlay/97/etc").mkdir(parents=True)


def _another_default(top: Top) -> None:
    """Well described, and nobody has said that it would be the default."""
    _forgotten_snapshot(top)
    top.write("@/.snapshots/97/info.xml", "<snapshot><num>97</num></snapshot>")
    top.set_default(97)


def _half_an_fstab(top: Top) -> None:
    with top.writable(top.default()) as root:
        (root / "etc/fstab").write_text((root / "etc/fstab").read_text()[:10])


def _known_good_is_gone(top: Top) -> None:
    good = top.default()
    _another_default(top)
    # What is nested in a read-only one cannot be deleted.
    sh("btrfs", "property", "set", "-f", "-ts", top.snapshot(good), "ro", "false")
    sh("btrfs", "-q", "subvolume", "delete", "--recursive", top.snapshot(good))


#: What is done to the disk, and what the judge must say then.
DAMAGES: dict[str, tuple[Callable[[Top], None], str]] = {
    "a flipped bit in a record": (_flip_a_bit, "not whole"),
    "half a record": (_half_a_record, "not whole"),
    "no record any more": (_no_record, "the record is lost"),
    "a forgotten snapshot directory": (_forgotten_directory, "is nobody's"),
    "a forgotten snapshot": (_forgotten_snapshot, "is nobody's"),
    "a forgotten layer of /etc": (_forgotten_layer, "belongs to no snapshot"),
    "a default that nobody announced": (_another_default, "does not tell why"),
    "half an fstab in the default": (_half_an_fstab, "half an fstab"),
    "the known good snapshot deleted": (_known_good_is_gone, "known good, and not there"),
}


def by_hand(image: Path, rules: Rules, known: Known) -> list[str]:
    """Damages copies of a disk that was found to be right; the damages that were not noticed."""
    missed = []
    for name, (damage, complaint) in DAMAGES.items():
        disk = Replay(image)
        with mounted(disk.image) as top:
            damage(top)
        said = judge(disk.image, rules, known).problems
        if not any(complaint in problem for problem in said):
            missed.append(f"{name}: {said}")
        disk.close()
    return missed


def false_disks(recording: Recording, history: Sequence[Known], seed: str) -> tuple[int, int]:
    """Disks that lost what they had said to be durable: how many were tried, and how many noticed.

    Not each can be: what was lost may have been written again.
    """
    dice = random.Random(seed)
    # One write alone is a superblock: without it the disk is only older, if no other copy tells.
    larger = [i for i, epoch in enumerate(recording.epochs[:-1]) if len(epoch.writes) > 1]
    chosen = sorted(dice.sample(larger, min(FALSE_DISKS, len(larger))))
    noticed = 0
    for lost in chosen:
        disk = Replay(recording.base)
        for epoch in (*recording.epochs[:lost], recording.epochs[lost + 1]):
            disk.apply(epoch.writes)
        noticed += bool(judge(disk.image, recording.rules, history[lost + 1]).problems)
        disk.close()
    return len(chosen), noticed
