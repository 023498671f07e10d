"""An update panics at each start, until the loader has counted it out: what it falls back to becomes the default."""

from bed import UefiMachine

ETC = ("overlay",)
#: A program of the right kind, whole, with all its libraries: only running it shows that it is no init.
NO_INIT = "cp --remove-destination /usr/bin/true /usr/lib/systemd/systemd"


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        assert m.update(NO_INIT) == 2
        m.reboot(wait=False)
        for _ in range(2):
            assert m.wait_end() == "panic"
            m.start()
        assert m.wait_end() == "panic"
        m.boot()
        status = m.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["from"]["number"] == 2, status
        assert status["last_rollback"]["failed"] == ["starts without a verdict"], status
        assert m.entries()[0] == "microbox-1.conf" and m.entries()[1].startswith("microbox-2+0-"), m.entries()
        assert m.default() == 1
