"""The same check fails after the rollback too: the update is not the cause, and no reboot follows."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update()
        # The damage is in data that no rollback touches.
        c.sh("mkdir -p /usr/local/libexec/health-checker")
        c.sh("printf '#!/bin/sh\\n[ $1 != check ] || { echo database is corrupt; exit 1; }\\n'"
             " >/usr/local/libexec/health-checker/db; chmod +x /usr/local/libexec/health-checker/db")
        c.reboot(wait=False)
        c.expect_reboot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        status = c.status()
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert "the update is not the cause" in status["decision"]["reason"], status
        assert "database is corrupt" in c.sh("cat /run/motd.d/health-checker")
        # Nor is the next update rolled back for it.
        assert c.update() == 3
        c.reboot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        status = c.status()
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 3, status
        assert "going back would not help" in status["decision"]["reason"], status
