"""A second disk gets its partitions and file systems, the root grows with its disk, and a swap file is used, all from user-data and once; and a disk that has data on it is left as it is."""

from __future__ import annotations

from pathlib import Path

from bed import Machine, Stick
from bed.base import sh, story_dir
from bed.disk import Disk

ETC = ("overlay",)

USER_DATA = """#cloud-config
users: [default]
disk_setup:
  /dev/vdb: {table_type: gpt, layout: [75, [25, 82]]}
fs_setup:
  - {label: data, filesystem: ext4, device: /dev/vdb.1}
  - {label: space, filesystem: swap, device: /dev/vdb, partition: 2}
mounts:
  - [LABEL=data, /data, ext4]
  - [LABEL=space, none, swap, sw]
swap: {size: 64M}
write_files:
  - {path: /etc/configured, content: yes it is}
"""
FILES = {"user-data": USER_DATA, "meta-data": "instance-id: i-disks\n"}


def second_disk(name: str) -> tuple[Path, list[str]]:
    """An empty disk that is /dev/vdb, and what QEMU is told of it."""
    path = story_dir() / f"{name}.raw"
    sh("truncate", "-s", "256M", path)
    return path, ["-drive", f"if=none,id={name},file={path},format=raw,cache=unsafe",
                  "-device", f"virtio-blk-pci,drive={name}"]


def story(etc: str) -> None:
    # Someone made the machine's disk larger than the image is.
    disk = Disk(etc)
    before = disk.path.stat().st_size
    sh("truncate", "-s", str(before + (512 << 20)), disk.path)
    _, extra = second_disk("data")
    with Machine(etc, first_boot=True, disk=disk, drives=[Stick("cidata", FILES)], extra=extra) as m:
        m.boot()
        assert m.booted() == m.default() == 2, "the boot did not go on into the new snapshot"
        m.wait_for("mountpoint -q /data")
        assert m.sh("findmnt -no SOURCE,FSTYPE /data").split() == ["/dev/vdb1", "ext4"]
        m.wait_for("test $(swapon --show=NAME --noheadings | wc -l) = 2")
        assert sorted(m.sh("swapon --show=NAME --noheadings").split()) == ["/dev/vdb2", "/var/swap.img"]
        assert m.sh("stat -c '%a %s' /var/swap.img") == f"600 {64 << 20}"
        assert int(m.sh("df -B1 --output=size / | tail -n 1")) > before, "the root did not grow"
        assert "make partitions on /dev/vdb" in m.sh("health-checker firstboot status")
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"
        m.sh("echo kept >/data/file; sync")
        table = m.sh("sfdisk --dump /dev/vdb")

        m.reboot()
        assert m.booted() == 2 and m.snapshots() == [1, 2], "it was applied again"
        m.wait_for("mountpoint -q /data")
        assert m.sh("cat /data/file") == "kept"
        assert m.sh("sfdisk --dump /dev/vdb") == table
        # Swap space in a subvolume keeps only that one from being snapshotted.
        m.update("true")
        m.poweroff()

    # A disk with data on it: nothing is applied, and not a byte of it is changed.
    path, extra = second_disk("photos")
    sh("mke2fs", "-q", "-t", "ext4", "-L", "photos", path)
    content = path.read_bytes()
    with Machine(etc, first_boot=True, drives=[Stick("cidata", FILES)], extra=extra) as m:
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*nothing is applied")
        m.wait_console('user-data:4:3: error: /dev/vdb has ext4 with the label "photos" on it')
        m.wait_console("The disk is as it was before")
        m.power_cut()
        assert path.read_bytes() == content, "the disk was changed"
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
            assert not top.var("swap.img").exists()
