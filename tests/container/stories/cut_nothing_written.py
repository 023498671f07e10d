"""The power is cut before and in the safe mode of a disk that takes no writes: no reboot, till it takes them."""

from bed import Container
from bed.moments import BEFORE_THE_END, IN_SAFE_MODE, cut_at, hold

SHORT = True
ETC = ("overlay",)
RECORDS = "cat /var/lib/health-checker/record /.snapshots/.health-checker/record"
# What btrfs does after an error of the disk, seen from where the record is kept.
READ_ONLY = """
truncate -s 4096 /usr/libexec/hc-demo/webd
cat >/usr/lib/systemd/system/read-only.service <<'END'
[Unit]
DefaultDependencies=no
Before=sysinit.target
ConditionKernelCommandLine=!disk=well
[Service]
Type=oneshot
ExecStart=/usr/bin/mount -o remount,bind,ro /var
ExecStart=/usr/bin/mount -o remount,bind,ro /.snapshots
[Install]
WantedBy=sysinit.target
END
systemctl enable read-only.service
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update(READ_ONLY + BEFORE_THE_END)
        records = c.sh(RECORDS)
        hold(c, "before-the-end")
        c.reboot(wait=False)
        for moment in ("before-the-end", "in-safe-mode"):
            cut_at(c, moment)
            c.wait_for(IN_SAFE_MODE)
            status = c.status()
            assert "it could not be counted" in status["decision"]["reason"], status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 2, status
            assert status["snapshot"]["known_good"] == [1] and c.sh(RECORDS) == records, status
        c.power_cut()
        c.args = ["hold=nowhere", "disk=well"]
        c.boot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["failed"] == ["webd"], status
