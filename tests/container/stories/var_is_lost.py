"""An update keeps /var from being writable: the record's copy beside the snapshots leads back."""

from bed import Container

SHORT = True
ETC = ("overlay",)


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update("truncate -s 4096 /usr/libexec/hc-demo/webd; printf '[Unit]\\nDefaultDependencies=no\\n"
                 "Before=sysinit.target\\n[Service]\\nType=oneshot\\nExecStart=/usr/bin/mount -o remount,bind,ro /var\\n"
                 "[Install]\\nWantedBy=sysinit.target\\n' >/usr/lib/systemd/system/lose-var.service;"
                 "systemctl enable lose-var.service")
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["failed"] == ["webd"], status
