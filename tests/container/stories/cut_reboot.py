"""The power is cut before and in the one reboot of a known good snapshot: it was counted, and is not repeated."""

from bed import Container
from bed.moments import BEFORE_THE_END, IN_THE_REBOOT

SHORT = True
ETC = ("overlay",)
CHECK = "checks: {data: {command: [/usr/bin/test, -e, /var/lib/data]}}"


def story(etc: str) -> None:
    for moment in ("before-the-end", "in-the-reboot"):
        with Container(etc) as c:
            c.boot()
            c.sh(BEFORE_THE_END + IN_THE_REBOOT + f"touch /var/lib/data; echo '{CHECK}' >/etc/health-checker/data.yaml")
            c.reboot()
            c.sh("rm /var/lib/data")
            c.reboot(wait=False)
            c.wait_for(f"test -e /run/{moment}")
            c.power_cut()
            c.boot(wait=False)
            c.wait_for("systemctl is-active health-checker-safe.target")
            status = c.status()
            assert "failed again after a reboot" in status["decision"]["reason"], status
            assert status["snapshot"]["known_good"] == [1], status
            c.sh("touch /var/lib/data")
            c.reboot()
            assert c.status()["health"] == "healthy"
