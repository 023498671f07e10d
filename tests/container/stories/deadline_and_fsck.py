"""The deadline is held while a file system is checked, and while files are labelled anew."""

import shlex

from bed import Container

ETC = ("overlay",)
#: Stand-ins for what takes long, by the names that systemd and SELinux's packages give it.
SLOW = """[Unit]
DefaultDependencies=no
Before=sysinit.target
After=%s
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/sleep 8
TimeoutStartSec=infinity
[Install]
WantedBy=sysinit.target
"""
UNITS = {"systemd-fsck@hc.service": "local-fs-pre.target", "selinux-autorelabel.service": "systemd-fsck@hc.service"}
SAID = "journalctl -b --no-pager -o cat -t health-checker"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        install = [f"printf %s {shlex.quote(SLOW % after)} >/usr/lib/systemd/system/{name}; systemctl enable {name}"
                   for name, after in UNITS.items()]
        new = c.update(";".join([*install, "mkdir -p /etc/health-checker",
                                 "echo 'policy: {deadline: 4s}' >/etc/health-checker/fast.yaml"]))
        c.reboot()
        status = c.status()
        assert (status["health"], c.booted()) == ("healthy", new), status
        said = c.sh(SAID)
        for why in ("a file system is checked", "files are labelled anew"):
            assert said.count(f"no verdict on this boot yet: {why}") == 1, said
