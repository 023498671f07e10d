"""The power is cut while a healthy boot is recorded: the next one is healthy, and recorded once."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    for cut_before_it in (True, False):
        with Container(etc) as c:
            c.boot()
            c.update()
            c.reboot(wait=False)
            c.wait_for("test -e /run/health-checker/status.json")
            if not cut_before_it:
                c.settle()
            c.power_cut()
            c.boot()
            status = c.status()
            assert status["health"] == "healthy", status
            assert status["snapshot"]["known_good"] == [1, 2], status
            assert not c.run("ls /var/lib/health-checker/*unusable* /.snapshots/.health-checker/*unusable*")
