"""Moments in which the power can be cut: programs that others hang on what the product does hold it up.

A snapper plugin runs before the default changes, when the decision is on the disk; a hook runs
after everything but the end of a plan, when the reboot or safe mode has not begun.

Each holds for five seconds. A container whose init has `hold=MOMENT` among its arguments holds
there and nowhere else.
"""

from collections.abc import Iterator

from .container import Container


def _hold(moment: str) -> str:
    here = f"! grep -q hold= /proc/1/cmdline || grep -q hold={moment} /proc/1/cmdline"
    return f"if {here}; then touch /run/{moment}; sleep 5; fi"


# What an update brings: the snapshot's own snapper plugin.
BEFORE_SET_DEFAULT = rf"""
mkdir -p /usr/lib/snapper/plugins
cat >/usr/lib/snapper/plugins/00-moment <<'END'
#!/bin/sh
case $1 in set-default-*-pre) {_hold("before-set-default")} ;; esac
END
chmod +x /usr/lib/snapper/plugins/00-moment
"""

# What an administrator may have: a hook for alerts.
BEFORE_THE_END = rf"""
mkdir -p /etc/health-checker/alert.d
cat >/etc/health-checker/alert.d/00-moment <<'END'
#!/bin/sh
{_hold("before-the-end")}
END
chmod +x /etc/health-checker/alert.d/00-moment
"""

# A service that takes its time to stop: the reboot has begun, and is not through.
IN_THE_REBOOT = rf"""
cat >/etc/systemd/system/slow-stop.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/true
ExecStop=/bin/sh -c '{_hold("in-the-reboot")}'
[Install]
WantedBy=multi-user.target
END
systemctl enable slow-stop.service
"""

# Safe mode stands; for this nothing needs to be held.
IN_SAFE_MODE = "systemctl is-active health-checker-safe.target"


def hold(c: Container, moment: str = "nowhere") -> None:
    """From its next start on, the container holds there."""
    c.args = [f"hold={moment}"]


def cut_at(c: Container, moment: str) -> None:
    """Cuts the power in that moment and starts again, without holding anywhere."""
    c.wait_for(IN_SAFE_MODE if moment == "in-safe-mode" else f"test -e /run/{moment}")
    c.power_cut()
    hold(c)
    c.boot(wait=False)


def cut_each(c: Container, *moments: str) -> Iterator[str]:
    """From the same disk for each moment: a start, and the power cut there; yields when it is on again."""
    c.poweroff()
    before = c.disk
    for moment in moments:
        c.disk = before.copy()
        hold(c, moment)
        c.boot(wait=False)
        cut_at(c, moment)
        yield moment
        c.power_cut()
