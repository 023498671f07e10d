"""A power cut keeps what was synced, and the system starts again."""

from bed import Container


SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("echo safe >/var/safe; sync -f /var/safe; echo lost >/var/lost")
        c.power_cut()
        c.boot()
        assert c.sh("cat /var/safe") == "safe"
        assert not c.run("grep -q lost /var/lost"), "what was never synced has survived"
