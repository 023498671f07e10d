"""An update damages a mandatory service's program: the system goes back to the known good snapshot."""

from bed import Container

SHORT = True


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.status()["health"] == "healthy"
        assert c.break_webd() == 2
        expected = c.status()["if_it_fails"]
        assert (expected["action"], expected["target"]) == ("rollback", 1), expected
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"] == {"booted": 1, "default": 1, "known_good": [1], "starts_without_verdict": 0}, status
        assert status["last_rollback"]["from"]["number"] == 2, status
        assert status["last_rollback"]["failed"] == ["webd"], status
        assert c.starts == 3
        # The failed snapshot stays, for somebody to look at.
        assert c.snapshots() == [1, 2]
