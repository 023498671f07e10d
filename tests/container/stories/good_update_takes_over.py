"""A good update becomes known good, the older one stays protected, a third lets go of the first."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        for expected in (2, 3):
            assert c.update() == expected
            c.reboot()
            assert c.status()["health"] == "healthy"
        assert c.status()["snapshot"] == {"booted": 3, "default": 3, "known_good": [1, 2, 3], "starts_without_verdict": 0}
        protected = c.sh("grep -L '<cleanup>' /.snapshots/*/info.xml").split()
        assert protected == ["/.snapshots/2/info.xml", "/.snapshots/3/info.xml"], protected
        assert "number" in c.sh("grep '<cleanup>' /.snapshots/1/info.xml")
