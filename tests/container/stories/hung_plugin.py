"""A plugin that hangs is killed after its time limit, and counts as failed."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update("mkdir -p /usr/libexec/health-checker; "
                 "printf '#!/bin/sh\\nsleep 1000\\n' >/usr/libexec/health-checker/hangs; "
                 "chmod +x /usr/libexec/health-checker/hangs")
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["/usr/libexec/health-checker/hangs"], status
