"""rollback, mark-good and mark-bad: done, shown, or refused with a reason."""

from bed import Container

SHORT = True
ETC = ("nested",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update()
        c.reboot()
        assert c.status()["snapshot"]["known_good"] == [1, 2]
        assert "make snapshot 1 the default" in c.sh("health-checker rollback --dry-run")
        assert c.default() == 2
        c.sh("health-checker rollback")
        assert c.default() == 1
        refused = c.run("health-checker rollback 1")
        assert refused.code == 1 and "is the default already" in refused.err, refused
        refused = c.run("health-checker rollback 99")
        assert refused.code == 1 and "there is no snapshot 99" in refused.err, refused
        c.sh("health-checker rollback 2")
        # What is marked bad is no target any more.
        c.sh("health-checker mark-bad 1")
        assert c.status()["snapshot"]["known_good"] == [2]
        refused = c.run("health-checker rollback")
        assert refused.code == 1 and "no other snapshot is known good" in refused.err, refused
        c.sh("health-checker mark-good 1")
        c.run("health-checker rollback --reboot")
        c.expect_reboot()
        assert c.booted() == c.default() == 1 and c.status()["health"] == "healthy"
        assert c.run("health-checker frobnicate").code == 2
