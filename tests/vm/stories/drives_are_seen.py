"""Sticks, CD-ROM and disks reach the machine as what they are, also when plugged in later."""

from bed import Cdrom, Machine, Stick, VirtioDisk

ETC = ("overlay",)


def story(etc: str) -> None:
    script = b"#!/bin/sh\r\nexit 0\r\n"
    files: dict[str, str | bytes] = {"combustion/script": script, "combustion/Long File Name.txt": "x"}
    drives = [
        Stick("COMBUSTION", files, hub=True),
        Stick("ignition", files, fs="ext4"),
        Cdrom("cidata", files),
        VirtioDisk("config-2", files, fs="ext4"),
    ]
    with Machine(etc, drives=drives) as m:
        m.boot()
        for label in ("COMBUSTION", "ignition", "cidata", "config-2"):
            m.wait_for(f"test -e /dev/disk/by-label/{label}", 30)
            m.sh(f"mount -o ro /dev/disk/by-label/{label} /mnt")
            assert m.run("cat /mnt/combustion/script").stdout == script
            m.sh("test -e '/mnt/combustion/Long File Name.txt' && umount /mnt")
        assert m.sh("lsblk -no TRAN /dev/disk/by-label/COMBUSTION") == "usb"
        assert m.sh("cat /sys/class/block/sda/removable") == "1"
        late = Stick("LATE", {"x": "y"})
        m.plug(late)
        m.wait_for("test -e /dev/disk/by-label/LATE", 30)
        m.unplug(late)
        m.wait_for("test ! -e /dev/disk/by-label/LATE", 30)
