"""Moments in which the power can be cut: programs that others hang on what the product does hold it up.

A snapper plugin runs before the default changes, when the decision is on the disk; a hook runs
after everything but the end of a plan, when the reboot or safe mode has not begun.
"""

# What an update brings: the snapshot's own snapper plugin.
BEFORE_SET_DEFAULT = r"""
mkdir -p /usr/lib/snapper/plugins
cat >/usr/lib/snapper/plugins/00-moment <<'END'
#!/bin/sh
case $1 in *pre*) [ -e /run/passed ] || { touch /run/before-set-default; sleep 5; } ;; esac
END
chmod +x /usr/lib/snapper/plugins/00-moment
"""

# What an administrator may have: a hook for alerts.
BEFORE_THE_END = r"""
mkdir -p /etc/health-checker/alert.d
cat >/etc/health-checker/alert.d/00-moment <<'END'
#!/bin/sh
touch /run/before-the-end; sleep 5
END
chmod +x /etc/health-checker/alert.d/00-moment
"""

# A service that takes its time to stop: the reboot has begun, and is not through.
IN_THE_REBOOT = r"""
cat >/etc/systemd/system/slow-stop.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/true
ExecStop=/bin/sh -c 'touch /run/in-the-reboot; sleep 5'
[Install]
WantedBy=multi-user.target
END
systemctl enable slow-stop.service
"""
