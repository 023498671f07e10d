"""The root is in a logical volume, which the initrd activates: a first boot from a stick that fails, a corrected
one, and only one."""

from bed import LogicalVolumeDisk, Machine, Stick
from bed.borrow import install
from bed.others import initrd, system

ETC = ("nested",)
TIMEOUT = 900
SCRIPT = "#!/bin/bash\necho x >>/root/runs\necho configured >/etc/hostname\nexit {status}\n"


def stick(status: int) -> Stick:
    return Stick("COMBUSTION", {"combustion/script": SCRIPT.format(status=status)})


def story(etc: str) -> None:
    disk = LogicalVolumeDisk(etc)
    with disk.mounted() as top, system(top) as root:
        install(root, "lvm2")
    made = initrd(disk, "--add", "lvm")
    with Machine(etc, first_boot=True, drives=[stick(1)], disk=disk, cmdline="rd.lvm.lv=system/root") as m:
        m.initrd = made
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*combustion/script failed: exit status 1", 180)
        m.power_cut()
        with m.offline() as top:
            assert top.default() == 1 and top.snapshots() == [1]
            assert not (top.path / "@/root/runs").exists(), "what it wrote outside the snapshot is still there"

        m.drives = [stick(0)]
        m.boot()
        assert m.sh("lsblk -no TYPE /dev/disk/by-label/ROOT") == "lvm"
        assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
        assert m.sh("cat /etc/hostname /root/runs") == "configured\nx"
        assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

        m.reboot()
        assert m.booted() == 2 and m.snapshots() == [1, 2], "it was applied again"
        assert m.sh("cat /root/runs") == "x"
