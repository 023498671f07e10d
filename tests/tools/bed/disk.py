"""A story's own copy of the test machine's disk, and a look into it while the machine is off."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .base import CACHE, SCRATCH, image_dir, sh, story_dir

_count = itertools.count(1)


class Top:
    """The mounted top level (subvolid=5) of a disk: everything, whatever the default is."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def snapshot(self, number: int) -> Path:
        return self.path / "@/.snapshots" / str(number) / "snapshot"

    def var(self, below: str = "") -> Path:
        return self.path / "@/var" / below.lstrip("/")

    def write(self, below: str, text: str, mode: int = 0o644) -> None:
        """A file, by its path from the top level; its directories are made."""
        path = self.path / below
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def remove(self, below: str) -> None:
        """A file or a directory with everything in it; one that is not there is no error."""
        path = self.path / below
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def default(self) -> int:
        """The number of the default snapshot."""
        return snapshot_number(sh("btrfs", "subvolume", "get-default", self.path))

    def set_default(self, number: int) -> None:
        sh("btrfs", "subvolume", "set-default", self.snapshot(number))

    def snapshots(self) -> list[int]:
        found = (self.path / "@/.snapshots").iterdir()
        return sorted(int(p.name) for p in found if p.name.isdigit())

    def read_only(self, number: int) -> bool:
        return "ro=true" in sh("btrfs", "property", "get", "-ts", self.snapshot(number), "ro")

    @contextmanager
    def writable(self, number: int) -> Iterator[Path]:
        """Snapshot NUMBER with its read-only property lifted: to damage or prepare it."""
        root = self.snapshot(number)
        was = self.read_only(number)
        sh("btrfs", "property", "set", "-f", "-ts", root, "ro", "false")
        try:
            yield root
        finally:
            if was:
                sh("btrfs", "property", "set", "-ts", root, "ro", "true")

    def etc(self, number: int) -> Path:
        """Where snapshot NUMBER keeps what was written to its /etc."""
        layer = self.var(f"lib/overlay/{number}/etc")
        return layer if layer.is_dir() else self.snapshot(number) / "etc"


def snapshot_number(text: str) -> int:
    """From `… path @/.snapshots/N/snapshot` or a mount's root."""
    match = re.search(r"\.snapshots/(\d+)/snapshot", text)
    if not match:
        raise ValueError(f"not a snapshot: {text!r}")
    return int(match.group(1))


def new_image() -> Path:
    """Where a disk of this story's may be."""
    return story_dir() / f"disk{next(_count)}.raw"


class Disk:
    """A copy that shares its blocks with the image until they are written."""

    def __init__(self, etc: str = "overlay", source: Path | None = None) -> None:
        self.path = new_image()
        sh("cp", "--reflink=auto", "--sparse=always", source or _master(etc), self.path)
        if source is None:
            # Its own file system id: two copies could not be mounted at the same time.
            sh("btrfstune", "-f", "-m", self.path)

    def copy(self) -> Disk:
        """What a power cut leaves: what has reached the disk, and nothing else."""
        return Disk(source=self.path)

    @contextmanager
    def mounted(self) -> Iterator[Top]:
        with mounted(self.path, "loop,noatime,subvolid=5") as where:
            yield Top(where)

    def finish_first_boot(self) -> None:
        """Gives the machine an id, as a finished first boot does."""
        with self.mounted() as top, top.writable(1) as root:
            (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")


@contextmanager
def mounted(what: Path, options: str) -> Iterator[Path]:
    """A directory of its own that it is mounted at, with everything below."""
    where = story_dir() / f"mnt{next(_count)}"
    where.mkdir()
    sh("mount", "-o", options, what, where)
    try:
        yield where
    finally:
        sh("umount", "-R", where)
        where.rmdir()


def _master(etc: str) -> Path:
    """The image on the scratch file system, where copies of it cost nothing."""
    image = image_dir() / f"{etc}.raw"
    master = SCRATCH / f"{etc}.raw"
    return master if master.exists() else image


def prepare_scratch(image: Path, where: Path = CACHE) -> None:
    """A private btrfs for disk copies; its backing file is already deleted, so nothing can be left."""
    backing = where / f"scratch-{id(image)}.img"
    SCRATCH.mkdir(parents=True, exist_ok=True)
    sh("truncate", "-s", "64G", backing)
    try:
        sh("mkfs.btrfs", "-q", "-f", "-m", "single", backing)
        sh("mount", "-o", "loop,noatime,discard=async", backing, SCRATCH)
    finally:
        backing.unlink()
    # Kernel and initrd too: a newer build may put the image away while stories still run.
    for name in ("overlay.raw", "nested.raw", "vmlinuz", "initrd"):
        sh("cp", "--sparse=always", image / name, SCRATCH / name)
