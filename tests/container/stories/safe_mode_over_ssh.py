"""Safe mode: services down, a hung one killed, and in over ssh from outside; out by one command."""

from bed import Container, Outside, eventually

SHORT = True
ETC = ("overlay",)

# Ignores the polite request to stop, and all but hangs the machine with it.
HUNG = """[Service]
ExecStart=/bin/bash -c "trap '' TERM; while :; do sleep 1; done"
TimeoutStopSec=3
[Install]
WantedBy=multi-user.target
"""
# The container has no terminal for a real one.
GETTY = """[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=getty.target
"""


def story(etc: str) -> None:
    with Container(etc, args=["health-checker-reboot=disabled"]) as c, Outside(c) as outside:
        c.boot()
        outside.prepare()
        c.sh(f"cat >/etc/systemd/system/hung.service <<'END'\n{HUNG}END\nsystemctl enable -q hung.service")
        c.sh(f"cat >/etc/systemd/system/container-getty@.service <<'END'\n{GETTY}END\n"
             "systemctl enable -q container-getty@7 container-getty@8")
        c.sh("mkdir -p /etc/health-checker /var/lib/app && touch /var/lib/app/data")
        c.sh("echo 'checks: {data: {command: [/usr/bin/test, -e, /var/lib/app/data]}}'"
             " >/etc/health-checker/app.yaml")
        refused = c.run("health-checker safe-mode leave")
        assert refused.code == 1 and "not in safe mode" in refused.err, refused
        c.sh("rm /var/lib/app/data")

        c.reboot(wait=False)
        outside.plug()
        c.wait_for("systemctl is-active health-checker-safe.target")
        assert c.status()["safe_mode"], c.status()
        # In from outside, as root and as somebody whom /run/nologin would keep out.
        # The network may have been on its way when services went down: it arrives all the same.
        eventually("ssh answers", lambda: outside.ssh("true"), 20)
        assert outside.ssh("systemctl is-active health-checker-safe.target").out == "active"
        assert outside.ssh("id -un", user="admin").out == "admin"
        for unit in ("ssh", "systemd-networkd", "systemd-resolved", "dbus", "systemd-logind", "systemd-journald",
                     "systemd-user-sessions", "container-getty@7"):
            c.sh(f"systemctl is-active {unit}")
        assert c.sh("busctl call org.freedesktop.login1 /org/freedesktop/login1 "
                    "org.freedesktop.DBus.Peer Ping; echo $?") == "0"
        c.wait_for("test $(systemctl show -P ActiveState hung.service) = failed", 15)
        for unit in ("webd.service", "timers.target", "multi-user.target", "getty.target"):
            assert not c.run(f"systemctl is-active {unit}"), unit

        # Repaired and left, both over that connection.
        c.sh("touch /var/lib/app/data")
        out = outside.ssh("health-checker safe-mode leave")
        assert out.code == 0, out
        c.wait_for("systemctl is-active multi-user.target webd.service")
        assert not c.run("systemctl is-active health-checker-safe.target")
        status = c.status()
        assert (status["health"], status["safe_mode"]) == ("unhealthy", False), status
        c.sh("! test -e /run/motd.d/health-checker && ! test -e /run/issue.d/health-checker.issue")
        c.sh("! test -e /run/systemd/system/health-checker-safe.target.d/10-stay.conf")
        # A look at the repaired system is not yet a verdict.
        looked = c.run("health-checker assess")
        assert looked.code == 1 and "assess --act" in looked.out, looked
        assert not c.run("systemctl is-active boot-complete.target")
        c.sh("health-checker assess --act")
        assert c.status()["health"] == "healthy"
        assert c.run("health-checker safe-mode leave").code == 1
