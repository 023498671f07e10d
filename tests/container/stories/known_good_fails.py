"""A known good snapshot fails: one reboot, then safe mode; counts end once it is healthy again."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("mkdir -p /etc/health-checker /var/lib/app && touch /var/lib/app/data")
        c.sh("echo 'checks: {data: {command: [/usr/bin/test, -e, /var/lib/app/data]}}'"
             " >/etc/health-checker/app.yaml")
        c.reboot()
        assert c.status()["health"] == "healthy"
        c.sh("rm /var/lib/app/data")
        c.reboot(wait=False)
        c.expect_reboot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        status = c.status()
        assert (status["health"], status["safe_mode"]) == ("unhealthy", True), status
        assert "failed again after a reboot" in status["decision"]["reason"], status
        assert not c.run("systemctl is-active webd.service"), "services are still up"
        assert "data: exit status 1" in c.sh("cat /run/motd.d/health-checker /run/issue.d/health-checker.issue")
        # It stays so: another start fails straight away, without another reboot.
        c.reboot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        c.sh("touch /var/lib/app/data")
        c.reboot()
        assert c.status()["health"] == "healthy"
        assert not c.run("test -e /run/motd.d/health-checker")
