"""Config drives, made from a few files, as the machine can have them plugged in."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .base import sh, story_dir

_count = itertools.count(1)
Content = Mapping[str, str | bytes]


@dataclass
class Drive:
    """Files (path → content) on a file system with a label. `damage` gets the finished image."""

    label: str
    files: Content = field(default_factory=dict)
    fs: str = "vfat"
    damage: Callable[[Path], None] | None = None
    id: str = field(default_factory=lambda: f"drive{next(_count)}")

    def build(self) -> Path:
        """The image file, made anew: content may have changed since the last boot."""
        image = story_dir() / f"{self.id}.img"
        image.unlink(missing_ok=True)
        tree = story_dir() / f"{self.id}.d"
        shutil.rmtree(tree, ignore_errors=True)
        tree.mkdir()
        for name, content in self.files.items():
            path = tree / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        {"vfat": self._vfat, "ext4": self._ext4, "iso9660": self._iso}[self.fs](tree, image)
        if self.damage:
            self.damage(image)
        return image

    def _vfat(self, tree: Path, image: Path) -> None:
        sh("mkfs.vfat", "-C", "-n", self.label, image, "16384")
        for entry in sorted(tree.iterdir()):
            sh("mcopy", "-s", "-i", image, entry, "::")

    def _ext4(self, tree: Path, image: Path) -> None:
        sh("mke2fs", "-q", "-t", "ext4", "-L", self.label, "-d", tree, image, "16M")

    def _iso(self, tree: Path, image: Path) -> None:
        sh("xorriso", "-as", "mkisofs", "-quiet", "-R", "-J", "-V", self.label, "-o", image, tree)

    def backend(self) -> list[str]:
        return ["-drive", f"if=none,id={self.id},file={self.build()},format=raw,readonly=on"]

    def device(self) -> str:
        raise NotImplementedError

    def arguments(self) -> list[str]:
        """For QEMU's command line."""
        return [*self.backend(), "-device", self.device()]


@dataclass
class Stick(Drive):
    """A USB stick on the xHCI controller, or behind a hub of its own."""

    hub: bool = False
    usb = True

    def device(self) -> str:
        port = ",port=1.1" if self.hub else ""
        return f"usb-storage,drive={self.id},bus=xhci.0,removable=on,id=dev-{self.id}{port}"

    def arguments(self) -> list[str]:
        hub = ["-device", "usb-hub,bus=xhci.0,port=1"] if self.hub else []
        return [*self.backend(), *hub, "-device", self.device()]


@dataclass
class VirtioDisk(Drive):
    """A plain second disk."""

    def device(self) -> str:
        return f"virtio-blk-pci,drive={self.id},id=dev-{self.id}"


@dataclass
class Cdrom(Drive):
    """A CD-ROM on the IDE controller; its file system is ISO 9660."""

    fs: str = "iso9660"

    def device(self) -> str:
        return f"ide-cd,drive={self.id},id=dev-{self.id}"
