"""A machine that GRUB starts: a BIOS, a disk with GRUB, its menu and a real environment block.

The menu is the tests' own, and follows the protocol that SUSE's has: each entry sets
`health_checker_flag`; one that is set already when the menu comes up was cleared by nobody, and the
menu then starts what `/var/lib/misc/health-check.state` names as the last working snapshot, from its
`grub-snapshot.cfg`, which names the snapshot on the kernel's command line.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

from .base import image_dir, sh, story_dir
from .guest import Failed
from .machine import Machine

_MODULES = ("biosdisk part_msdos ext2 btrfs normal configfile linux loadenv search search_label "
            "test echo serial terminal").split()
_IMAGES = Path("/usr/lib/grub/i386-pc")
_SECTOR = 512
_FIRST = 2048  # of the partition; before it, there is room for GRUB itself
_SIZE = 160 << 20

_MENU = """
serial --unit=0
terminal_output serial
search --no-floppy --set=system --label ROOT
load_env
set timeout=0
set default=default
if [ -n "${next_entry}" ]; then
    set default="${next_entry}"
    set next_entry=
    save_env next_entry
elif [ "${health_checker_flag}" -ge 1 ]; then
    set health_checker_flag=0
    save_env health_checker_flag
    if [ -e "($system)/@/var/lib/misc/health-check.state" ]; then
        source "($system)/@/var/lib/misc/health-check.state"
    fi
    if [ -e "($system)/@/.snapshots/${LAST_WORKING_SNAPSHOT}/grub-snapshot.cfg" ]; then
        set default="snapshot-${LAST_WORKING_SNAPSHOT}"
        echo "GRUB: the start before came to no end, falling back to snapshot ${LAST_WORKING_SNAPSHOT}"
    fi
fi
menuentry "the default" --id default {
    set health_checker_flag=1
    save_env health_checker_flag
    echo "GRUB: starting the default"
    linux /vmlinuz ARGS
    initrd /initrd
}
for number in 1 2 3; do
    if [ -e "($system)/@/.snapshots/${number}/grub-snapshot.cfg" ]; then
        source "($system)/@/.snapshots/${number}/grub-snapshot.cfg"
    fi
done
"""

_SNAPSHOT = """
menuentry "snapshot NUMBER" --id snapshot-NUMBER {
    set health_checker_flag=1
    save_env health_checker_flag
    echo "GRUB: starting snapshot NUMBER"
    linux /vmlinuz ARGS rootflags=subvol=@/.snapshots/NUMBER/snapshot
    initrd /initrd
}
"""


class GrubMachine(Machine):
    """Snapshot 1 has an entry of its own in the menu, and `/boot/grub` in its fstab."""

    def __init__(self, etc: str = "overlay", **options: Any) -> None:
        super().__init__(etc, **options)
        self.boot_disk = story_dir() / f"{self.name}.grub"
        with self.disk.mounted() as top, top.writable(1) as root:
            (root / "boot/grub").mkdir(exist_ok=True)
            with (root / "etc/fstab").open("a") as fstab:
                fstab.write("LABEL=GRUB /boot/grub ext4 defaults 0 0\n")
            top.write("@/.snapshots/1/grub-snapshot.cfg", self._fill(_SNAPSHOT, 1))
        self._install()

    def _fill(self, text: str, number: int = 0) -> str:
        return text.replace("ARGS", self.kernel_arguments()).replace("NUMBER", str(number))

    def _install(self) -> None:
        tree = story_dir() / f"{self.name}.boot"
        tree.mkdir()
        for name in ("vmlinuz", "initrd"):
            sh("cp", image_dir() / name, tree / name)
        (tree / "grub.cfg").write_text(self._fill(_MENU))
        sh("grub-editenv", tree / "grubenv", "create")
        core = story_dir() / f"{self.name}.core"
        sh("grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)/", "-o", core, *_MODULES)
        # What GRUB's driver does not know of ext4 is left out.
        sh("mke2fs", "-q", "-t", "ext4", "-L", "GRUB", "-O", "^metadata_csum_seed,^orphan_file",
           "-d", tree, "-E", f"offset={_FIRST * _SECTOR}", self.boot_disk, f"{_SIZE >> 10}k")
        self._write_loader((_IMAGES / "boot.img").read_bytes(), core.read_bytes())

    def _write_loader(self, boot: bytes, core: bytes) -> None:
        """As GRUB's images expect to be found: the core from the second sector on."""
        assert len(core) < (_FIRST - 1) * _SECTOR, "no room for GRUB"
        entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", _FIRST, _SIZE // _SECTOR)
        with self.boot_disk.open("r+b") as disk:
            disk.write(boot[:440] + bytes(6) + entry + bytes(48) + b"\x55\xaa")
            disk.write(core)
            disk.truncate(_FIRST * _SECTOR + _SIZE)

    def _loader(self) -> list[str]:
        return ["-drive", f"if=none,id=grub,file={self.boot_disk},format=raw,cache=unsafe",
                "-device", "virtio-blk-pci,drive=grub,bootindex=0"]

    def environment(self) -> dict[str, str]:
        """What GRUB will find in its block at the next start; the machine is off."""
        assert self.qemu is None, "the machine is on: what it has written is not on the disk yet"
        block = self._block()
        sh("debugfs", "-R", f"dump grubenv {block}", f"{self.boot_disk}?offset={_FIRST * _SECTOR}")
        lines = sh("grub-editenv", block, "list").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def choose(self, entry: str) -> None:
        """Somebody chooses this entry of the menu at the next start, as grub-reboot(8) does."""
        self.environment()
        block = self._block()
        sh("grub-editenv", block, "set", f"next_entry={entry}")
        disk = f"{self.boot_disk}?offset={_FIRST * _SECTOR}"
        place = int(sh("debugfs", "-R", "blocks grubenv", disk).split()[0])
        about = sh("debugfs", "-R", "stats -h", disk).splitlines()
        size = int(next(line.split(":")[1] for line in about if line.startswith("Block size")))
        with self.boot_disk.open("r+b") as image:
            image.seek(_FIRST * _SECTOR + place * size)
            image.write(block.read_bytes())

    def _block(self) -> Path:
        return story_dir() / f"{self.name}.grubenv"


def flag(machine: GrubMachine) -> str:
    """The flag in the block, `0` or `1`."""
    found = machine.environment().get("health_checker_flag")
    if found is None:
        raise Failed("GRUB's menu never saved its flag")
    return found
