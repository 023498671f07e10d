"""Somebody asks for a shell in the initrd, with `rd.break` or by name: the machine is left to them, and nothing is counted."""

from bed import Machine, TooLate

ETC = ("overlay",)


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        number = m.update()
        m.poweroff()
        for asked, shown in (("rd.break", "pre-pivot"), ("rd.systemd.unit=emergency.target", "emergency mode")):
            m.cmdline = f"{asked} rd.emergency=reboot"
            m.start()
            m.wait_console(shown)
            try:
                raise AssertionError(f"it ended: {m.wait_end(20)}")
            except TooLate:
                pass
            assert "health-checker:" not in m.console.text, m.console.tail()
            m.power_cut()
        m.cmdline = ""
        m.boot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", number), status
        assert not status.get("last_rollback"), status
