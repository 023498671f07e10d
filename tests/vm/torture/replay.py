"""The disk as a power cut left it: a copy of the base image with the log applied up to the cut."""

from __future__ import annotations

import ctypes
import itertools
import os
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bed.base import sh, story_dir

from .blklog import Entry, Epoch

_count = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
#: FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
_PUNCH_HOLE = 0x01 | 0x02


@dataclass(frozen=True)
class Point:
    """Where the power is cut: at a flush, all before it durable; or, with a seed, just before that flush
    is answered, when the disk has kept only half of what was written since the one before."""

    epoch: int
    seed: str = ""


class Replay:
    """Goes through the log once, from the first flush to the last; copies are taken on the way."""

    def __init__(self, base: Path) -> None:
        self.image = _copy(base)

    def apply(self, entries: Iterable[Entry]) -> None:
        _apply(entries, self.image)

    @contextmanager
    def copy(self) -> Iterator[Path]:
        """The image as it is now, to be judged: mounting it changes it."""
        image = _copy(self.image)
        try:
            yield image
        finally:
            image.unlink()

    @contextmanager
    def cut(self, epoch: Epoch, point: Point) -> Iterator[Path]:
        """The image at a point in this epoch, all before which has been applied."""
        with self.copy() as image:
            _apply(kept(epoch, point.seed), image)
            yield image

    def close(self) -> None:
        self.image.unlink()


def kept(epoch: Epoch, seed: str) -> list[Entry]:
    """What reaches the disk of an epoch: everything, or with a seed always the same half of it."""
    if not seed:
        return list(epoch.writes)
    dice = random.Random(seed)
    return [entry for entry in epoch.writes if entry.fua or dice.random() < 0.5]


def _copy(source: Path) -> Path:
    """Shares its blocks with the source until they are written."""
    image = story_dir() / f"cut{next(_count)}.raw"
    sh("cp", "--reflink=auto", "--sparse=always", source, image)
    return image


def _discard(disk: int, entry: Entry) -> None:
    """What is discarded reads as zeroes: the worst that a disk may do with it."""
    if _libc.fallocate(disk, _PUNCH_HOLE, entry.offset, entry.length) != 0:
        raise OSError(ctypes.get_errno(), f"{entry.log}: cannot discard {entry}")


def _apply(entries: Iterable[Entry], image: Path) -> None:
    logs: dict[Path, int] = {}
    disk = os.open(image, os.O_WRONLY)
    try:
        for entry in entries:
            if entry.data is None:
                _discard(disk, entry)
                continue
            if entry.log not in logs:
                logs[entry.log] = os.open(entry.log, os.O_RDONLY)
            data = os.pread(logs[entry.log], entry.length, entry.data)
            if os.pwrite(disk, data, entry.offset) != entry.length:
                raise OSError(f"{entry.log}: short write of {entry}")
    finally:
        for file in (disk, *logs.values()):
            os.close(file)
