"""The deadline is held while a password is asked for, or first boot's last stage works, and only so long."""

import shlex

from bed import Container

ETC = ("overlay",)
#: Something that keeps the system from coming up and asks for a password, as an encrypted volume does.
ASKS = """[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'systemd-ask-password --no-tty --timeout=0 "Password for the vault" >/dev/null; %s'
TimeoutStartSec=infinity
[Install]
WantedBy=sysinit.target
"""
LAST_STAGE = """[Unit]
Description=Stands in for the last stage of a first boot
[Service]
Type=oneshot
ExecStart=sleep 8
[Install]
WantedBy=multi-user.target
"""
ANSWER = """echo -n sesame | /usr/lib/systemd/systemd-reply-password 1 \
"$(sed -n s/^Socket=//p /run/systemd/ask-password/ask.*)" """
HELD = "[ \"$(systemctl is-active health-checker-deadline.service)\" = active ]"
OVER = "[ \"$(systemctl is-active health-checker-deadline.service)\" = inactive ]"
SAID = "journalctl -b --no-pager -o cat -t health-checker"


def with_unit(name: str, text: str) -> str:
    return (f"printf %s {shlex.quote(text)} >/usr/lib/systemd/system/{name}; systemctl enable {name};"
            "mkdir -p /etc/health-checker; echo 'policy: {deadline: 4s}' >/etc/health-checker/fast.yaml")


def start(c: Container) -> None:
    c.reboot(wait=False)
    c.wait_for(HELD)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        new = c.update(with_unit("asks.service", ASKS % "true"))
        start(c)
        # Twice the deadline more: nobody is there yet.
        c.sh("sleep 8")
        c.sh(HELD)
        assert c.status()["health"] == "unknown", c.status()
        c.sh(ANSWER)
        c.settle()
        assert (c.status()["health"], c.booted()) == ("healthy", new), c.status()
        c.wait_for(OVER)
        said = c.sh(SAID)
        assert said.count("no verdict on this boot yet: a password is asked for (Password for the vault)") == 1, said
        assert "the deadline is no longer held: " in said, said

        # Who asked is gone without having taken the question back, and the system still does not come up.
        c.sh("systemctl disable asks.service")
        worse = c.update(with_unit("hangs.service", ASKS % "sleep infinity"))
        start(c)
        assert c.booted() == worse
        c.sh("kill -KILL $(sed -n s/^PID=//p /run/systemd/ask-password/ask.*)")
        c.expect_reboot()
        status = c.status()
        assert (status["health"], c.booted()) == ("healthy", new), status
        assert status["last_rollback"]["failed"] == ["deadline"], status

        # A last stage of its own, twice as long as the deadline, has its time.
        last = c.update(with_unit("health-checker-final.service", LAST_STAGE))
        start(c)
        c.settle()
        assert (c.status()["health"], c.booted()) == ("healthy", last), c.status()
        said = c.sh(SAID)
        assert "first boot's last stage works (health-checker-final.service)" in said, said
