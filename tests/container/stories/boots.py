"""The system starts in a container, with the image's layout."""

from bed import Container

SHORT = True


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.booted() == c.default() == 1
        assert c.sh("systemctl is-active webd.service") == "active"
        assert not c.run("touch /usr/x"), "the root file system is writable"
        c.sh("touch /etc/x /var/x /root/x")
        c.reboot()
        c.sh("test -e /etc/x")
        c.poweroff()
