"""A reboot goes into the snapshot that an update made the default; a failed update leaves nothing."""

from bed import Machine


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        assert not m.run("update-stand-in run false")
        assert m.snapshots() == [1] and m.default() == 1
        assert m.update("echo new >/usr/share/marker; echo new >/etc/marker") == 2
        assert m.booted() == 1
        m.sh("test ! -e /usr/share/marker && test ! -e /etc/marker")
        m.reboot()
        assert m.booted() == m.default() == 2
        assert m.sh("cat /usr/share/marker /etc/marker") == "new\nnew"
        assert not m.run("touch /usr/x"), "the root file system is writable"
