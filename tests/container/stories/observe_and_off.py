"""health-checker=observe decides and touches nothing; off checks nothing; a forbidden reboot is none."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.break_webd()
        c.poweroff()
        c.args = ["health-checker=observe"]
        c.boot()
        status = c.status()
        assert (status["health"], status["safe_mode"]) == ("unhealthy", False), status
        assert (status["decision"]["action"], status["decision"]["target"]) == ("rollback", 1), status
        assert c.default() == 2
        assert "only observing" in c.sh("cat /run/motd.d/health-checker")
        c.poweroff()
        c.args = ["health-checker=off"]
        c.boot()
        assert c.status()["health"] == "unknown"
        assert c.run("health-checker status").code == 3
        c.poweroff()
        c.args = ["health-checker-reboot=disabled"]
        c.boot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        assert c.default() == 1, "the default goes back all the same"
