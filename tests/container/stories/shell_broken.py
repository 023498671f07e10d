"""An update breaks every shell: no part of noticing and going back needs one."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.sh("mkdir -p /usr/local/libexec/health-checker;"
             "printf '#!/bin/sh\\nexit 0\\n' >/usr/local/libexec/health-checker/any;"
             "chmod +x /usr/local/libexec/health-checker/any")
        assert c.update("cp /usr/bin/false /usr/bin/new; cp /usr/bin/new /usr/bin/new2;"
                        "mv -f /usr/bin/new2 /usr/bin/dash; exec mv -f /usr/bin/new /usr/bin/bash") == 2
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["/usr/local/libexec/health-checker/any"], status
