"""A boot that hangs before the checks is over at the deadline: back to the known good snapshot."""

from bed import HANG_BEFORE_SYSINIT, Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.sh("systemctl is-active health-checker-deadline.timer") == "active"
        assert c.sh("systemctl show -P TimersMonotonic health-checker-deadline.timer | grep -c 10min") == "1"
        c.update(f"{HANG_BEFORE_SYSINIT}echo 'policy: {{deadline: 3s}}' >/etc/health-checker/fast.yaml")
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["deadline"], status
