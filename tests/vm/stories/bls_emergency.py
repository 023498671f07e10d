"""With systemd-boot, the initrd cannot go on with an update: its entry is marked as bad, and the default set back."""

from bed import UefiMachine

ETC = ("nested",)  # as an overlay, the update's fstab would lie in a layer that the initrd does not read yet


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        number = m.update("sed -i 's|subvol=/@/var|subvol=/@/gone|' /etc/fstab; grep -q gone /etc/fstab")
        m.reboot(wait=False)
        m.wait_console("sysroot-var.mount has failed")
        # The loader has two tries left for it, and is not to use them.
        m.expect_reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
        assert status["last_rollback"]["failed"] == ["initrd"], status
        assert m.entries()[1].startswith(f"microbox-{number}+0-"), m.entries()
