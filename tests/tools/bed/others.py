"""The image's system on other disks than the image's: without snapshots on ext4, encrypted, in a logical volume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .base import sh, story_dir
from .disk import Disk, Top, mounted, new_image
from .drives import Stick
from .machine import Machine

#: What is in subvolumes of its own, in the image.
_OUTSIDE = ("var", "root", "home", "opt", "srv", "usr/local")
#: What the initrd needs of the system around it to be made in it.
_API = ("dev", "proc", "sys")
#: Of a logical volume's group, in bytes; the first begins where as much has been left for the metadata.
_EXTENT = 4 << 20
#: The passphrase of an encrypted disk.
PASSPHRASE = b"open-sesame"


@contextmanager
def system(top: Top) -> Iterator[Path]:
    """Snapshot 1 with everything that it mounts, writable."""
    with top.writable(1) as root, mounted(root, "bind") as whole:
        for name in _OUTSIDE:
            sh("mount", "--bind", top.path / "@" / name, whole / name)
        yield whole


class PlainTop(Top):
    """The root of a system that is nothing but that."""

    def var(self, below: str = "") -> Path:
        return self.path / "var" / below.lstrip("/")


class PlainDisk(Disk):
    """The system on ext4, in one file system."""

    def __init__(self) -> None:
        image = Disk("overlay")
        self.path = new_image()
        with image.mounted() as top:
            top.remove("@/var/lib/overlay")
            with system(top) as root:
                (root / "etc/fstab").write_text("LABEL=ROOT / ext4 defaults 0 1\n")
                sh("mke2fs", "-q", "-t", "ext4", "-L", "ROOT", "-d", root, self.path, "3G")
        image.path.unlink()

    @contextmanager
    def mounted(self) -> Iterator[Top]:
        with mounted(self.path, "loop,noatime") as where:
            yield PlainTop(where)


class EncryptedDisk(Disk):
    """The system's btrfs in a LUKS volume, which is the whole disk; QEMU itself writes and reads it."""

    def __init__(self, etc: str) -> None:
        self.plain = Disk(etc)
        self.path = new_image()
        with self.plain.mounted() as top:
            sh("btrfs", "filesystem", "resize", "2G", top.path)
        sh("truncate", "-s", "2G", self.plain.path)
        self._secret = ["--object", f"secret,id=key,file={_file('passphrase', PASSPHRASE)}"]
        sh("qemu-img", "convert", *self._secret, "-f", "raw", "-O", "luks",
           "-o", "key-secret=key,iter-time=10", self.plain.path, self.path)

    def uuid(self) -> str:
        """LUKS's own, by which the kernel command line names it (a field of its header)."""
        with self.path.open("rb") as disk:
            disk.seek(168)
            return disk.read(40).rstrip(b"\0").decode()

    @contextmanager
    def mounted(self) -> Iterator[Top]:
        """A copy: for a look."""
        sh("qemu-img", "convert", *self._secret, "--image-opts",
           f"driver=luks,key-secret=key,file.filename={self.path}", "-O", "raw", self.plain.path)
        with self.plain.mounted() as top:
            yield top


class LogicalVolumeDisk(Disk):
    """The system's btrfs in the logical volume `root` of the group `system`, which is the whole disk. Its metadata
    is written where the kernel may have no device mapper: nothing is activated here."""

    def __init__(self, etc: str) -> None:
        plain = Disk(etc)
        self.path = new_image()
        sh("truncate", "-s", str(plain.path.stat().st_size + 2 * _EXTENT), self.path)
        device = sh("losetup", "--find", "--show", self.path).strip()
        try:
            _lvm(device, "pvcreate", "--dataalignment", f"{_EXTENT}b", device)
            _lvm(device, "vgcreate", "--physicalextentsize", f"{_EXTENT}b", "system", device)
            _lvm(device, "lvcreate", "--name", "root", "--extents", "100%FREE", "--activate", "n",
                 "--zero", "n", "--wipesignatures", "n", "system")
        finally:
            sh("losetup", "--detach", device)
        sh("dd", f"if={plain.path}", f"of={self.path}", f"bs={_EXTENT}", "seek=1", "conv=notrunc,sparse")
        plain.path.unlink()

    @contextmanager
    def mounted(self) -> Iterator[Top]:
        with mounted(self.path, f"loop,offset={_EXTENT},noatime,subvolid=5") as where:
            yield Top(where)


def _lvm(device: str, *command: str) -> None:
    sh("env", "DM_DISABLE_UDEV=1", "lvm", *command, "--driverloaded", "n", "--devices", device)


def _file(name: str, content: bytes) -> Path:
    path = story_dir() / name
    path.write_bytes(content)
    return path


def initrd(disk: Disk, *options: str) -> Path:
    """One that dracut makes in the image's system, with these options too."""
    made = story_dir() / "initrd"
    with disk.mounted() as top, system(top) as root:
        for api in _API:
            sh("mount", "--rbind", f"/{api}", root / api)
        version = next((root / "usr/lib/modules").iterdir()).name
        sh("chroot", root, "dracut", "--force", "--no-hostonly", "--kver", version, *options, "/var/tmp/initrd")
        made.write_bytes((root / "var/tmp/initrd").read_bytes())
        (root / "var/tmp/initrd").unlink()
    return made


def configuring(status: int = 0) -> Stick:
    """A stick whose script writes into the snapshot and outside it, and exits with this."""
    script = f"#!/bin/bash\necho x >>/root/runs\necho configured >/etc/hostname\nexit {status}\n"
    return Stick("COMBUSTION", {"combustion/script": script})


def is_configured_once(m: Machine, kind: str) -> None:
    """By `configuring`, on a root of this kind (lsblk's TYPE), in the boot that runs and not again in the next."""
    assert m.sh("lsblk -no TYPE /dev/disk/by-label/ROOT") == kind
    assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
    assert m.sh("cat /etc/hostname /root/runs") == "configured\nx"
    assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
    assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

    m.reboot()
    assert m.booted() == 2 and m.snapshots() == [1, 2], "it was applied again"
    assert m.sh("cat /root/runs") == "x"
