"""A bad update on a disk that is full: however that ends, it does not reboot without end."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.break_webd()
        # The kernel may look for room in vain for as long as systemd-shutdown waits for journald.
        c.sh("mkdir -p /run/systemd/system.conf.d;"
             "printf '[Manager]\\nDefaultTimeoutStopSec=5s\\n' >/run/systemd/system.conf.d/stop.conf;"
             "systemctl daemon-reload")
        # Allocated, not written: the disk is full in no time.
        c.run("for size in 1G 100M 10M 1M 64K 4K; do n=0;"
              "while fallocate -l $size /var/full-$size-$n; do n=$((n + 1)); done; done; sync")
        c.reboot(wait=False)
        # Small records find room where files do not: going back is as right as staying put.
        try:
            c.wait_for("systemctl is-active health-checker-safe.target || "
                       "[ $(findmnt -no FSROOT /) = /@/.snapshots/1/snapshot ]", 20)
        except AssertionError:
            c.expect_reboot()
        assert c.starts <= 3, "it reboots without end"
        status = c.status()
        assert status["safe_mode"] or status["snapshot"]["booted"] == 1, status
