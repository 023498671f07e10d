"""The power is cut in a rollback, before and after the default has changed: it ends well all the same."""

from bed import Container
from bed.moments import BEFORE_SET_DEFAULT, BEFORE_THE_END

SHORT = True
ETC = ("overlay",)
BAD = "truncate -s 4096 /usr/libexec/hc-demo/webd;"


def story(etc: str) -> None:
    for moment, default in (("before-set-default", 2), ("before-the-end", 1)):
        with Container(etc) as c:
            c.boot()
            c.update(BAD + BEFORE_SET_DEFAULT + BEFORE_THE_END)
            c.reboot(wait=False)
            c.wait_for(f"test -e /run/{moment}")
            assert c.default() == default
            c.power_cut()
            c.boot(wait=False)
            if default == 2:
                c.expect_reboot()
            c.wait_for("systemctl is-active health-checker.service")
            status = c.status()
            assert status["health"] == "healthy", status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
            assert status["last_rollback"]["failed"] == ["webd"], status
