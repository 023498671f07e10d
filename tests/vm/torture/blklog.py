"""Reads what QEMU's `blklogwrites` wrote: every write, flush and discard of a disk, in order.

Little-endian. The first sector tells the number of entries; each entry is one sector, followed by its
data. QEMU's docs: `blklogwrites` in qapi/block-core.json; the format is Linux's dm-log-writes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAGIC = 0x6A736677736872
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")
_FLUSH, _FUA, _DISCARD = 1, 2, 4


@dataclass(frozen=True)
class Entry:
    """One request that the disk has answered. A flush has no length."""

    #: Where its data is in the log; None for a discard.
    log: Path
    data: int | None
    offset: int
    length: int
    flush: bool = False
    #: Durable when it is answered, whatever else is lost.
    fua: bool = False


@dataclass(frozen=True)
class Epoch:
    """What lies between two flushes: a disk may lose any part of it until the second one."""

    writes: tuple[Entry, ...]
    #: Which flush ends it, for people: power-on and number, both from 1.
    name: str


def read(log: Path) -> list[Entry]:
    """The entries that the log's first sector counts."""
    entries: list[Entry] = []
    with log.open("rb") as file:
        magic, version, count, sector = _SUPER.unpack(file.read(_SUPER.size))
        if magic != MAGIC or version != 1:
            raise ValueError(f"{log}: no log of writes (magic {magic:#x}, version {version})")
        at = sector
        for _ in range(count):
            file.seek(at)
            head = file.read(_ENTRY.size)
            if len(head) < _ENTRY.size:
                raise ValueError(f"{log}: it counts {count} entries and ends after {len(entries)}")
            start, sectors, flags, _ = _ENTRY.unpack(head)
            at += sector
            # The entry's own length of data is not to be relied on: the sectors are.
            length = sectors * sector
            discard = bool(flags & _DISCARD)
            entries.append(Entry(log, None if discard else at, start * sector, length,
                                 bool(flags & _FLUSH), bool(flags & _FUA)))
            if not discard:
                at += length
    return entries


def epochs(logs: Iterable[Path]) -> list[Epoch]:
    """Of one disk through several power-ons. A reset does not flush it: an epoch may span two.

    What follows the last flush is left out: nobody was promised anything about it.
    """
    found: list[Epoch] = []
    writes: list[Entry] = []
    for power_on, log in enumerate(logs, 1):
        flushes = 0
        for entry in read(log):
            if entry.length:
                writes.append(entry)
            if entry.flush:
                flushes += 1
                found.append(Epoch(tuple(writes), f"start {power_on} flush {flushes}"))
                writes = []
    return found
