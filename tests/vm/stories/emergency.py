"""The initrd cannot go on: an update is left, a known good snapshot is tried once more, and then dracut's word holds."""

from bed import Machine

ETC = ("nested",)  # as an overlay, the update's fstab would lie in a layer that the initrd does not read yet
TIMEOUT = 900


def update_without_var(m: Machine) -> None:
    """Its fstab names a subvolume that is not there: the initrd cannot mount /var."""
    m.update("sed -i 's|subvol=/@/var|subvol=/@/gone|' /etc/fstab; grep -q gone /etc/fstab")


def back_in_the_first(m: Machine) -> None:
    m.expect_reboot()
    status = m.status()
    assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
    assert status["last_rollback"]["failed"] == ["initrd"], status


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        update_without_var(m)
        m.reboot(wait=False)
        m.wait_console("sysroot-var.mount has failed")
        back_in_the_first(m)

        # Where no shell is allowed, dracut runs another hook, and would power off.
        m.cmdline = "rd.shell=0"
        update_without_var(m)
        m.reboot(wait=False)
        back_in_the_first(m)

        # What is known good is tried once more, and then it is dracut's turn.
        m.poweroff()
        with m.offline() as top:
            (top.path / "@/var").rename(top.path / "@/moved")
        m.start()
        assert m.wait_end() == "reboot"
        m.start()
        m.wait_console("this known good snapshot failed again after a reboot")
        assert m.wait_end() == "poweroff"
        with m.offline() as top:
            assert top.default() == 1
            (top.path / "@/moved").rename(top.path / "@/var")
        m.boot()
        assert m.status()["health"] == "healthy", m.status()
        m.poweroff()

        # Without a root device nothing can be counted, and so nothing is rebooted.
        m.cmdline = "rd.shell=0 root=LABEL=GONE rd.retry=2 rd.timeout=5"
        m.start()
        m.wait_console("no automatic reboot")
        assert m.wait_end() == "poweroff"
