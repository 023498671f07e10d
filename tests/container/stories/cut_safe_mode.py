"""The power is cut before and in safe mode: the next start comes there again, and repair ends it."""

from bed import Container
from bed.moments import BEFORE_THE_END, IN_SAFE_MODE, cut_at, hold

SHORT = True
ETC = ("overlay",)
CHECK = "checks: {data: {command: [/usr/bin/test, -e, /var/lib/data]}}"


def story(etc: str) -> None:
    for first, known_good in (("health-checker=off", []), ("health-checker=enforce", [1])):
        with Container(etc, args=[first]) as c:
            c.boot()
            c.sh(BEFORE_THE_END + f"echo '{CHECK}' >/etc/health-checker/data.yaml")
            hold(c)
            c.reboot(wait=False)
            hold(c, "before-the-end")
            c.expect_reboot(wait=False)
            for moment in ("before-the-end", "in-safe-mode"):
                cut_at(c, moment)
                c.wait_for(IN_SAFE_MODE)
                status = c.status()
                assert "failed again after a reboot" in status["decision"]["reason"], status
                assert status["snapshot"]["known_good"] == known_good and c.default() == 1, status
                assert c.record()["automatic_reboots"] == 1, c.record()
            c.sh("touch /var/lib/data")
            c.reboot()
            status = c.status()
            assert status["health"] == "healthy" and status["snapshot"]["known_good"] == [1], status
            assert c.record()["automatic_reboots"] == 0, c.record()
