"""A damaged record: no rollback is based on it, and it is kept; the next healthy boot starts a new one."""

from bed import Container

SHORT = True
ETC = ("overlay",)
RECORDS = ("@/var/lib/health-checker/record", "@/.snapshots/.health-checker/record")


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.break_webd()
        c.poweroff()
        with c.offline() as top:
            for name in RECORDS:
                top.write(name, "health-checker-record 1 sha256=0\n{}\n", 0o600)
        c.boot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        status = c.status()
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 2, status
        assert "checksum" in status["decision"]["reason"], status
        c.sh("cmp /var/lib/health-checker/record /.snapshots/.health-checker/record")
        c.sh("btrfs property set / ro false && mount -o remount,rw / &&"
             "cp /usr/bin/sleep /usr/libexec/hc-demo/webd && sync")
        c.reboot()
        assert c.status()["health"] == "healthy"
        assert c.status()["snapshot"]["known_good"] == [2]
        c.sh("ls /var/lib/health-checker/record.unusable.0")
