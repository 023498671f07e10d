"""A machine that starts as UEFI machines do: firmware, systemd-boot, counted entries on a partition of its own."""

from __future__ import annotations

import shutil
import struct
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path

from .base import image_dir, sh, story_dir
from .drives import Drive
from .machine import Machine

_FIRMWARE = Path("/usr/share/OVMF")
_LOADER = Path("/usr/lib/systemd/boot/efi/systemd-bootx64.efi")
_ESP_TYPE = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
_SECTOR, _SECTORS, _START = 512, 512 << 11, 2048  # 512 MiB, the partition from 1 MiB on
#: Where the system has it mounted.
ENTRIES = "/boot/efi/loader/entries"


class UefiMachine(Machine):
    """OVMF, systemd-boot, and an entry for each snapshot that names it; an update's is counted.

    The system mounts the EFI system partition at /boot/efi; the initrd has to find it.
    """

    def __init__(self, etc: str = "overlay", *, first_boot: bool = False, drives: Sequence[Drive] = ()) -> None:
        super().__init__(etc, first_boot=first_boot, drives=drives)
        self.variables = story_dir() / f"{self.name}.vars"
        shutil.copy(_FIRMWARE / "OVMF_VARS_4M.fd", self.variables)
        self.esp = story_dir() / f"{self.name}.esp"
        _write_table(self.esp)
        # mkfs.vfat would take the whole disk's size.
        sh("mformat", "-i", self._partition(), "-F", "-v", "ESP", "-T", str(_SECTORS - 2 * _START), "-h", "16", "-s", "63",
           "::")
        self._fill()
        with self.disk.mounted() as top, top.writable(1) as root:
            (root / "boot/efi").mkdir()
            with (root / "etc/fstab").open("a") as fstab:
                fstab.write("LABEL=ESP /boot/efi vfat umask=0077 0 0\n")

    def _partition(self) -> str:
        return f"{self.esp}@@{_START * _SECTOR}"

    def _fill(self) -> None:
        tree = story_dir() / f"{self.name}.tree"
        image = image_dir()
        for source, to in ((_LOADER, "EFI/BOOT/BOOTX64.EFI"), (image / "vmlinuz", "microbox/linux"),
                           (image / "initrd", "microbox/initrd")):
            (tree / to).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tree / to)
        (tree / "loader/entries").mkdir(parents=True)
        (tree / "loader/loader.conf").write_text("timeout 0\n")
        (tree / "loader/entries/microbox-1.conf").write_text(
            "title MicroBox (1)\nversion 1\nsort-key microbox\nlinux /microbox/linux\ninitrd /microbox/initrd\n"
            f"options {self.kernel_arguments()} rootflags=subvol=@/.snapshots/1/snapshot\n"
        )
        for part in sorted(tree.iterdir()):
            sh("mcopy", "-s", "-i", self._partition(), part, "::")
        shutil.rmtree(tree)

    def copy_to_esp(self, data: bytes, path: str) -> None:
        """A file for the EFI system partition, by its path there; the machine is off."""
        source = story_dir() / "for-the-esp"
        source.write_bytes(data)
        sh("mcopy", "-i", self._partition(), source, f"::{path}")
        source.unlink()

    def update(self, script: str = "true") -> int:
        """As ever, with a counted entry for the new snapshot, as sdbootutil makes it."""
        number = super().update(script)
        self.sh(f"sed 's,^version .*,version {number},; s,/1/snapshot,/{number}/snapshot,' {ENTRIES}/microbox-1.conf "
                f">{ENTRIES}/microbox-{number}+3.conf && sync -f {ENTRIES}")
        return number

    def entries(self) -> list[str]:
        """The names of the entries, counters and all."""
        return self.sh(f"ls {ENTRIES}").split()

    def _loader(self) -> list[str]:
        code = _FIRMWARE / "OVMF_CODE_4M.fd"
        return [
            "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}",
            "-drive", f"if=pflash,unit=1,format=raw,file={self.variables}",
            "-drive", f"if=none,id=esp,file={self.esp},format=raw,cache=unsafe",
            "-device", "virtio-blk-pci,drive=esp,bootindex=1",
        ]


def _write_table(disk: Path) -> None:
    """A GUID partition table with the EFI system partition in it (UEFI specification, chapter 5)."""
    last = _SECTORS - _START
    name = "ESP".encode("utf-16-le").ljust(72, b"\0")
    entry = _ESP_TYPE.bytes_le + uuid.uuid4().bytes_le + struct.pack("<QQQ", _START, last - 1, 0) + name
    table = entry.ljust(128 * 128, b"\0")
    disk_id = uuid.uuid4().bytes_le

    def header(here: int, other: int, entries: int) -> bytes:
        def fields(crc: int) -> bytes:
            return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other, 34, _SECTORS - 34,
                               disk_id, entries, 128, 128, zlib.crc32(table))
        return fields(zlib.crc32(fields(0)))

    protective = struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, _SECTORS - 1)
    with disk.open("wb") as image:
        image.truncate(_SECTORS * _SECTOR)
        for sector, data in (
            (0, bytes(446) + protective + bytes(48) + b"\x55\xaa"), (1, header(1, _SECTORS - 1, 2)), (2, table),
            (_SECTORS - 33, table), (_SECTORS - 1, header(_SECTORS - 1, 1, _SECTORS - 33)),
        ):
            image.seek(sector * _SECTOR)
            image.write(data)
