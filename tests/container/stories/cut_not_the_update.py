"""The power is cut before and in a safe mode that is no update's fault: it is not forgotten whose it is."""

from bed import Container
from bed.moments import BEFORE_THE_END, IN_SAFE_MODE, cut_at, hold

SHORT = True
ETC = ("overlay",)
# In data that no rollback touches.
CHECK = "checks: {data: {command: [/usr/bin/test, -e, /var/lib/data]}}"


def cut_twice(c: Container, snapshot: int, reason: str) -> None:
    for moment in ("before-the-end", "in-safe-mode"):
        cut_at(c, moment)
        c.wait_for(IN_SAFE_MODE)
        status = c.status()
        assert reason in status["decision"]["reason"], status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == snapshot, status
        assert status["snapshot"]["known_good"] == [1], status
        record = c.record()
        assert (record["automatic_reboots"], record["not_the_update"]) == (1, ["data"]), record


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh(BEFORE_THE_END + f"echo '{CHECK}' >/etc/health-checker/data.yaml")
        c.update()
        hold(c)
        c.reboot(wait=False)
        hold(c, "before-the-end")
        c.expect_reboot(wait=False)
        cut_twice(c, 1, "the update is not the cause")
        assert c.update() == 3
        hold(c, "before-the-end")
        c.reboot(wait=False)
        cut_twice(c, 3, "going back would not help")
        c.sh("touch /var/lib/data")
        c.reboot()
        assert c.status()["snapshot"]["known_good"] == [1, 3], c.status()
