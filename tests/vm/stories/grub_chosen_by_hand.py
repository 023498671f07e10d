"""Somebody chooses the known good snapshot while an update waits for its first start: that stays."""

from bed import GrubMachine

ETC = ("overlay",)


def story(etc: str) -> None:
    with GrubMachine(etc) as m:
        m.boot()
        assert m.update() == 2
        m.poweroff()
        m.choose("snapshot-1")
        m.boot()
        assert "GRUB: starting snapshot 1" in m.console.text, m.console.text
        status = m.status()
        assert status["health"] == "healthy", status
        assert (status["snapshot"]["booted"], status["snapshot"]["default"]) == (1, 2), status
        assert status["last_rollback"] is None, status
        m.reboot()
        assert m.booted() == m.default() == 2
        assert m.status()["health"] == "healthy", m.status()
