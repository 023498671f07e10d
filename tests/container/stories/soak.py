"""A service that comes up and dies a moment later: checks that must keep passing notice it."""

from bed import Container

SHORT = True
ETC = ("overlay",)
SOAK = "mkdir -p /etc/health-checker; echo 'policy: {soak: 4s}' >/etc/health-checker/soak.yaml"
DIES = """mkdir -p /usr/lib/systemd/system/webd.service.d
printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/sleep 2\\nRestart=no\\n' >/usr/lib/systemd/system/webd.service.d/dies.conf
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh(SOAK)
        c.reboot(wait=False)
        # No verdict, and nothing that waits for one, before the time is over.
        c.wait_for("systemctl is-active webd.service && journalctl -b -t health-checker | grep -q 'must do so for 4s'")
        assert c.run("health-checker status").code == 3
        assert not c.run("systemctl is-active boot-complete.target")
        c.wait_for("systemctl is-active health-checker.service")
        assert c.status()["health"] == "healthy", c.status()
        c.update(DIES)
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["webd"], status
