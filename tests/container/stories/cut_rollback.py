"""The power is cut in a rollback, before and after the default has changed: it ends well all the same."""

from bed import Container
from bed.moments import BEFORE_SET_DEFAULT, BEFORE_THE_END, cut_each

SHORT = True
ETC = ("overlay",)
BAD = "truncate -s 4096 /usr/libexec/hc-demo/webd;"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update(BAD + BEFORE_SET_DEFAULT + BEFORE_THE_END)
        for moment in cut_each(c, "before-set-default", "before-the-end"):
            default = 2 if moment == "before-set-default" else 1
            assert (c.booted(), c.record()["automatic_reboots"]) == (default, 1), c.record()
            if default == 2:
                c.expect_reboot(wait=False)
            c.wait_for("systemctl is-active health-checker.service")
            status = c.status()
            assert status["health"] == "healthy", status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
            assert status["last_rollback"]["failed"] == ["webd"], status
            assert c.record()["automatic_reboots"] == 0, c.record()
