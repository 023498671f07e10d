"""An update breaks D-Bus: the bus is not needed to notice, to decide, or to go back."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.update("truncate -s 4096 /usr/bin/dbus-daemon") == 2
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert "dbus" in status["last_rollback"]["failed"], status
