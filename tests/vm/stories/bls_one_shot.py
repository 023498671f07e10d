"""Somebody has the firmware start an older snapshot's entry once: it is judged, and stays what it is."""

from bed import UefiMachine

ETC = ("overlay",)


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        number = m.update()
        m.reboot()
        assert m.status()["health"] == "healthy" and m.booted() == number, m.status()
        m.sh("bootctl set-oneshot microbox-1.conf")
        m.reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, number), status
        # What is gone back to stays the newest that passed as the default.
        assert status["rollback_target"]["snapshot"] == number, status
        assert not status["last_rollback"], status
        m.reboot()
        assert m.booted() == m.default() == number
