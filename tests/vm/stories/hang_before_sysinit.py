"""An update hangs before sysinit.target, where nothing is up that could be asked: over at the deadline, back in the first."""

from bed import HANG_BEFORE_SYSINIT, Machine

ETC = ("overlay",)
HANG = f"{HANG_BEFORE_SYSINIT}echo 'policy: {{deadline: 20s}}' >/etc/health-checker/fast.yaml"


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        new = m.update(HANG)
        m.reboot(wait=False)
        m.wait_agent()
        assert m.booted() == new
        # There is no bus yet, and no logind: what decides and reboots needs neither.
        assert not m.run("systemctl is-active dbus.socket")
        assert m.sh("systemctl is-active health-checker-deadline.timer") == "active"
        m.expect_reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
        assert status["last_rollback"]["failed"] == ["deadline"], status
        assert status["last_rollback"]["from"]["number"] == new, status
