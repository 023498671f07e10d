"""PID 1 stands still for good: the hardware watchdog, where it is asked for, resets the machine, and the start counts."""

from bed import HANG_BEFORE_VERDICT, Machine

ETC = ("overlay",)
DROP_IN = "/run/systemd/system.conf.d/10-health-checker.conf"
#: A watchdog's driver is not loaded by itself everywhere.
ARM = """mkdir -p /etc/health-checker /etc/modules-load.d
echo i6300esb >/etc/modules-load.d/watchdog.conf
echo 'policy: {watchdog: 20s}' >/etc/health-checker/watchdog.yaml"""
ARMED = "grep -qx active /sys/class/watchdog/watchdog0/state && grep -qx 20 /sys/class/watchdog/watchdog0/timeout"


def story(etc: str) -> None:
    with Machine(etc, extra=["-device", "i6300esb", "-action", "watchdog=reset"]) as m:
        m.boot()
        assert not m.run(f"test -e {DROP_IN}"), "armed, and nobody has asked for it"
        new = m.update(ARM)
        m.reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", new), status
        assert m.sh("systemctl show -P RuntimeWatchdogUSec") == "20s"
        m.wait_for(ARMED)
        assert "watchdog: \"20s\"  # /etc/health-checker/watchdog.yaml" in m.sh("health-checker config show")

        m.sh(f"{HANG_BEFORE_VERDICT}sync -f /etc")
        m.reboot(wait=False)
        m.wait_agent()
        m.wait_for(ARMED)
        # As a crash of PID 1 leaves a machine: it stops for good, and everything else goes on.
        m.ask("kill -SEGV 1")
        assert m.wait_end() == "reboot"
        m.start()
        m.wait_agent()
        # Before that, the record may not be in reach.
        m.wait_for("systemctl is-active health-checker-unfinished.service")
        status = m.status()
        assert status["snapshot"]["starts_without_verdict"] == 2, status
