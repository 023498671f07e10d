"""An update damages a mandatory service's program: the machine goes back by itself, and is healthy."""

from bed import Machine

SHORT = ("overlay",)


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        assert m.status()["health"] == "healthy", m.status()
        assert m.break_webd() == 2
        m.reboot(wait=False)
        m.expect_reboot()
        status = m.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["from"]["number"] == 2, status
        assert status["last_rollback"]["failed"] == ["webd"], status
