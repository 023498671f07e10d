"""The power is cut in each rollback before the default changes: three are counted, and the fourth is safe mode."""

from bed import Container
from bed.moments import BEFORE_SET_DEFAULT, BEFORE_THE_END, IN_SAFE_MODE, cut_at, hold

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update("truncate -s 4096 /usr/libexec/hc-demo/webd;" + BEFORE_SET_DEFAULT + BEFORE_THE_END)
        hold(c, "before-set-default")
        c.reboot(wait=False)
        for count in (1, 2, 3):
            c.wait_for("test -e /run/before-set-default")
            assert c.record()["automatic_reboots"] == count, c.record()
            hold(c, "before-set-default" if count < 3 else "before-the-end")
            c.power_cut()
            c.boot(wait=False)
        for moment in ("before-the-end", "in-safe-mode"):
            cut_at(c, moment)
            c.wait_for(IN_SAFE_MODE)
            status = c.status()
            assert "3 automatic reboots" in status["decision"]["reason"], status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 2, status
            assert status["snapshot"]["known_good"] == [1], status
            assert c.record()["automatic_reboots"] == 3, c.record()
