"""The root is in a logical volume, which the initrd activates: a first boot from a stick that fails, a corrected
one, and only one."""

from bed import LogicalVolumeDisk, Machine
from bed.borrow import install
from bed.others import configuring, initrd, is_configured_once, system

ETC = ("nested",)
TIMEOUT = 900


def story(etc: str) -> None:
    disk = LogicalVolumeDisk(etc)
    with disk.mounted() as top, system(top) as root:
        install(root, "lvm2")
    made = initrd(disk, "--add", "lvm")
    lvm = "rd.lvm.lv=system/root"
    with Machine(etc, first_boot=True, drives=[configuring(status=1)], disk=disk, cmdline=lvm) as m:
        m.initrd = made
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*combustion/script failed: exit status 1", 180)
        m.power_cut()
        with m.offline() as top:
            assert top.default() == 1 and top.snapshots() == [1]
            assert not (top.path / "@/root/runs").exists(), "what it wrote outside the snapshot is still there"

        m.drives = [configuring()]
        m.boot()
        is_configured_once(m, "lvm")
