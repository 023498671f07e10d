"""The root is in a LUKS volume that the initrd opens: a first boot from a stick, and only one."""

from bed import EncryptedDisk, Machine, cpio_of
from bed.others import PASSPHRASE, configuring, initrd, is_configured_once

ETC = ("overlay",)
TIMEOUT = 900
KEY = "etc/root.key"


def story(etc: str) -> None:
    disk = EncryptedDisk(etc)
    made = initrd(disk.plain, "--add", "crypt systemd-cryptsetup", "--add-drivers", "dm-crypt")
    made.write_bytes(made.read_bytes() + cpio_of({KEY: PASSPHRASE}))
    luks = f"rd.luks.name={disk.uuid()}=root rd.luks.key={disk.uuid()}=/{KEY}"
    with Machine(etc, first_boot=True, drives=[configuring()], disk=disk, cmdline=luks) as m:
        m.initrd = made
        m.boot()
        is_configured_once(m, "crypt")
        m.poweroff()
    with m.offline() as top:
        assert top.default() == 2
        assert (top.snapshot(1) / "etc/machine-id").read_text() == "uninitialized\n"
