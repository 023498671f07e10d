"""The root is in a LUKS volume that the initrd opens: a first boot from a stick, and only one."""

from bed import EncryptedDisk, Machine, Stick, cpio_of
from bed.others import PASSPHRASE, initrd

ETC = ("overlay",)
TIMEOUT = 900
KEY = "etc/root.key"
SCRIPT = "#!/bin/bash\necho x >>/root/runs\necho configured >/etc/hostname\n"


def story(etc: str) -> None:
    disk = EncryptedDisk(etc)
    made = initrd(disk.plain, "--add", "crypt systemd-cryptsetup", "--add-drivers", "dm-crypt")
    made.write_bytes(made.read_bytes() + cpio_of({KEY: PASSPHRASE}))
    luks = f"rd.luks.name={disk.uuid()}=root rd.luks.key={disk.uuid()}=/{KEY}"
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT})
    with Machine(etc, first_boot=True, drives=[stick], disk=disk, cmdline=luks) as m:
        m.initrd = made
        m.boot()
        assert m.sh("lsblk -no TYPE /dev/disk/by-label/ROOT") == "crypt"
        assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
        assert m.sh("cat /etc/hostname /root/runs") == "configured\nx"
        assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

        m.reboot()
        assert m.booted() == 2 and m.snapshots() == [1, 2], "it was applied again"
        assert m.sh("cat /root/runs") == "x"
        m.poweroff()
    with m.offline() as top:
        assert top.default() == 2
        assert (top.snapshot(1) / "etc/machine-id").read_text() == "uninitialized\n"
