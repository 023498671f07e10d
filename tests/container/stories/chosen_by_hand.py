"""A snapshot chosen in the boot menu: a failure touches nothing; a pass is recorded, and moves no target."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.break_webd()
        c.reboot(wait=False)
        c.expect_reboot()
        assert c.default() == 1
        # Somebody looks into the broken one.
        c.poweroff()
        c.chosen = 2
        c.boot()
        status = c.status()
        assert status["snapshot"]["booted"] == 2 and status["snapshot"]["default"] == 1, status
        assert (status["health"], status["decision"]["action"]) == ("unhealthy", "none"), status
        assert "somebody chose it" in c.sh("cat /run/motd.d/health-checker")
        assert c.sh("systemctl is-active multi-user.target") == "active"
        # A good one that is not the default passes.
        c.poweroff()
        c.chosen = None
        c.boot()
        assert c.update() == 3
        c.reboot()
        assert c.status()["snapshot"]["known_good"] == [1, 3]
        c.poweroff()
        c.chosen = 1
        c.boot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["rollback_target"]["snapshot"] == 3, status
