"""A /usr in a subvolume of its own, which only the kernel command line names: configured at first boot, entered, healthy."""

from bed import Machine, Stick
from bed.base import sh

ETC = ("overlay",)
SCRIPT = "#!/bin/bash\nset -e\necho x >>/usr/share/runs\necho configured >/etc/hostname\n"
CMDLINE = "mount.usr=LABEL=ROOT mount.usrfstype=btrfs mount.usrflags=subvol=/@/own-usr"


def split(m: Machine) -> None:
    with m.offline() as top, top.writable(1) as root:
        own = top.path / "@/own-usr"
        sh("btrfs", "subvolume", "create", own)
        sh("cp", "-a", "--reflink=auto", f"{root}/usr/.", own)
        sh("find", root / "usr", "-mindepth", "1", "-delete")


def story(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT})
    with Machine(etc, first_boot=True, drives=[stick], cmdline=CMDLINE) as m:
        split(m)
        m.boot()
        assert m.booted() == m.default() == 2, m.console_tail()
        assert m.sh("findmnt -no FSROOT /usr") == "/@/own-usr"
        assert m.sh("cat /usr/share/runs /etc/hostname") == "x\nconfigured"
        assert m.status()["health"] == "healthy", m.status()
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

        m.reboot()
        assert m.booted() == 2 and m.sh("cat /usr/share/runs") == "x", "it was applied again"
