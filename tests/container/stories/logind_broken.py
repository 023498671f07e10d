"""An update breaks logind: that is noticed, and going back does not need it."""

from bed import Container

ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.update("truncate -s 4096 /usr/lib/systemd/systemd-logind") == 2
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["logind"], status
