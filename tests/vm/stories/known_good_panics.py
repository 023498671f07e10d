"""A known good snapshot panics at every start: restarts end, and in safe mode a panic is the end of it."""

from bed import Gone, Machine, TooLate

ETC = ("overlay",)
TIMEOUT = 900
#: Something in the known good snapshot that takes the kernel down as soon as the root is entered: a driver
#: that fails on this machine's hardware, say.
PANIC = """cat >/etc/systemd/system/panics.service <<'END'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo c >/proc/sysrq-trigger'
[Install]
WantedBy=sysinit.target
END
systemctl enable panics.service
sync -f /etc"""


def story(etc: str) -> None:
    # The bed's own panic= would have it that a machine restarts at once, whatever anybody says.
    with Machine(etc, cmdline="panic=0") as m:
        m.boot()
        # As the kernel has it by default, a panic would be the end; the initrd gives it half a minute.
        assert m.sh("cat /proc/sys/kernel/panic") == "30"
        m.sh(PANIC)
        m.power_cut()
        for _ in range(3):
            m.start()
            assert m.wait_end() == "panic"
            assert "Rebooting in 30 seconds" in m.console.text, m.console.tail()
        # The fourth is given up in the initrd: it enters safe mode, and restarts no more.
        m.start()
        m.wait_console("end Kernel panic")
        try:
            end = m.wait_end(60)
            raise AssertionError(f"it ended: {end}")
        except TooLate:
            assert "Rebooting in" not in m.console.text, m.console.tail()
        m.power_cut()
        # Repaired, from the outside here, it is told what there was, and leaves safe mode with a start that works.
        with m.offline() as top:
            (top.etc(1) / "systemd/system/sysinit.target.wants/panics.service").unlink()
        m.start()
        m.wait_agent()
        m.wait_for("systemctl is-active health-checker-safe.target")
        status = m.status()
        assert (status["safe_mode"], status["snapshot"]["booted"]) == (True, 1), status
        m.reboot()
        assert m.status()["health"] == "healthy", m.status()
