"""What goes wrong with an update: shell scripts for the snapshot, used by more than one story."""

#: What a bad build or a bad disk does to the mandatory service's program: it is there, whole by its own
#: words, and its code is rubbish. Only running it shows that.
DAMAGE_WEBD = "dd if=/dev/zero of=/usr/libexec/hc-demo/webd bs=4096 seek=2 count=2 conv=notrunc status=none"

#: The boot hangs where nothing is up yet that could be asked.
HANG_BEFORE_SYSINIT = """cat >/usr/lib/systemd/system/hangs.service <<'END'
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/usr/bin/sleep infinity
TimeoutStartSec=infinity
[Install]
WantedBy=sysinit.target
END
systemctl enable hangs.service
mkdir -p /etc/health-checker
"""

#: All comes up but something that the verdict waits for.
HANG_BEFORE_VERDICT = """mkdir -p /etc/health-checker
cat >/etc/systemd/system/hangs.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/sleep infinity
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
END
echo 'checks: {hangs: {unit: hangs.service}}' >/etc/health-checker/hangs.yaml
systemctl enable hangs.service
"""
