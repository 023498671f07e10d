"""Somebody asks for a shell in the initrd, with `rd.break` or by name: the machine is left to them, and nothing is counted."""

from bed import Machine, TooLate

ETC = ("overlay",)


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        number = m.update()
        m.poweroff()
        for asked in ("rd.break", "rd.systemd.unit=emergency.target"):
            m.cmdline = asked
            m.start()
            m.wait_console("health-checker: nothing is tried: somebody asked for this shell")
            try:
                raise AssertionError(f"it ended: {m.wait_end(20)}")
            except TooLate:
                pass
            assert m.console.text.count("health-checker:") == 1, m.console.tail()
            m.power_cut()
        m.cmdline = ""
        m.boot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", number), status
        assert not status.get("last_rollback"), status
