"""A system that was never healthy: one reboot, then safe mode, and the default stays."""

from bed import Container

SHORT = True
ETC = ("nested",)


def story(etc: str) -> None:
    with Container(etc) as c:
        with c.offline() as top:
            top.write("@/usr/local/libexec/health-checker/never", "#!/bin/sh\nexit 1\n", 0o755)
        c.boot(wait=False)
        c.expect_reboot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        status = c.status()
        assert status["snapshot"]["known_good"] == [] and status["snapshot"]["default"] == 1, status
        assert status["safe_mode"], status
