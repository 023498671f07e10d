"""The power is cut before and in safe mode: the next start comes there again, and repair ends it."""

from bed import Container
from bed.moments import BEFORE_THE_END

SHORT = True
ETC = ("overlay",)
NEVER = "#!/bin/sh\ntest -e /var/lib/repaired\n"


def story(etc: str) -> None:
    for moment in ("decision", "action"):
        with Container(etc) as c:
            with c.offline() as top:
                top.write("@/usr/local/libexec/health-checker/never", NEVER, 0o755)
            c.boot(wait=False)
            c.expect_reboot(wait=False)
            c.wait_for("systemctl is-active health-checker-safe.target")
            c.sh(BEFORE_THE_END + "sync")
            c.reboot(wait=False)
            if moment == "decision":
                c.wait_for("test -e /run/before-the-end")
            else:
                c.wait_for("systemctl is-active health-checker-safe.target")
            c.power_cut()
            c.boot(wait=False)
            c.wait_for("systemctl is-active health-checker-safe.target")
            assert c.status()["safe_mode"] and c.default() == 1
            c.sh("touch /var/lib/repaired")
            c.reboot()
            status = c.status()
            assert status["health"] == "healthy" and status["snapshot"]["known_good"] == [1], status
