"""The disk does not fail, it hangs: nothing can be counted, so nothing is rebooted, and safe mode comes all the same."""

from bed import Container

ETC = ("overlay",)
TIMEOUT = 400
#: Where the update's driver stops answering: what is written from then on waits, and no error ever comes.
HANGS = """cat >/usr/libexec/health-checker/driver <<'END'
#!/bin/sh
[ "$1" = check ] || exit 0
fsfreeze --freeze /var
exit 1
END
chmod +x /usr/libexec/health-checker/driver"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        number = c.update(f"mkdir -p /usr/libexec/health-checker; {HANGS}")
        c.reboot(wait=False)
        try:
            c.wait_for("systemctl is-active health-checker-safe.target", 140)
            said = c.sh("cat /run/issue.d/health-checker.issue")
            assert "could not be counted: the disk: no answer within 60 s" in said, said
            c.wait_for("! systemctl is-active webd.service")
            assert c.sh("systemctl is-active dbus.service") == "active"
        finally:
            c.run("fsfreeze --unfreeze /var")
        assert c.starts == 2, c.starts
        status = c.status()
        assert status["safe_mode"] and status["snapshot"]["default"] == number, status
        # What waited is written by now, and none of it was a decision: the next start is as any other.
        c.sh("btrfs property set / ro false; rm /usr/libexec/health-checker/driver; btrfs property set / ro true")
        c.reboot()
        assert c.status()["health"] == "healthy", c.status()
