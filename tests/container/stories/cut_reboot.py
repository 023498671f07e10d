"""The power is cut before and in the one reboot of a known good snapshot: it was counted, and is not repeated."""

from bed import Container
from bed.moments import BEFORE_THE_END, IN_SAFE_MODE, IN_THE_REBOOT, cut_each

SHORT = True
ETC = ("overlay",)
CHECK = "checks: {data: {command: [/usr/bin/test, -e, /var/lib/data]}}"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh(BEFORE_THE_END + IN_THE_REBOOT + f"echo '{CHECK}' >/etc/health-checker/data.yaml")
        for _ in cut_each(c, "before-the-end", "in-the-reboot"):
            c.wait_for(IN_SAFE_MODE)
            status = c.status()
            assert "failed again after a reboot" in status["decision"]["reason"], status
            assert status["snapshot"]["known_good"] == [1] and status["snapshot"]["default"] == 1, status
            assert c.record()["automatic_reboots"] == 1, c.record()
            c.sh("touch /var/lib/data")
            c.reboot()
            assert c.status()["health"] == "healthy"
            assert c.record()["automatic_reboots"] == 0, c.record()
