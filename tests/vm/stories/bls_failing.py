"""A counted update fails its checks: its entry is counted out, and neither loader nor default goes there again."""

from bed import UefiMachine

ETC = ("overlay",)


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        assert m.break_webd() == 2
        # Somebody made it the firmware's default: such an entry is started however bad it is.
        m.sh("bootctl set-default microbox-2.conf")
        m.reboot(wait=False)
        m.expect_reboot()
        for again in (False, True):
            if again:
                m.reboot()
            status = m.status()
            assert status["health"] == "healthy", status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
            assert (status["last_rollback"]["from"]["number"], status["last_rollback"]["failed"]) == (2, ["webd"]), status
            assert m.entries() == ["microbox-1.conf", "microbox-2+0-4.conf"], m.entries()
