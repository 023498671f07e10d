"""The power is cut before and in the safe mode of a damaged record: it is kept as it is, until all is well."""

from bed import Container
from bed.moments import BEFORE_THE_END, IN_SAFE_MODE, cut_at, hold

SHORT = True
ETC = ("nested",)
RECORDS = ("@/var/lib/health-checker/record", "@/.snapshots/.health-checker/record")
DAMAGED = "health-checker-record 1 sha256=0\n{}\n"
CHECK = "checks: {data: {command: [/usr/bin/test, -e, /var/lib/data]}}"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update(BEFORE_THE_END + f"echo '{CHECK}' >/etc/health-checker/data.yaml")
        c.poweroff()
        with c.offline() as top:
            for name in RECORDS:
                top.write(name, DAMAGED, 0o600)
        hold(c, "before-the-end")
        c.boot(wait=False)
        for moment in ("before-the-end", "in-safe-mode"):
            cut_at(c, moment)
            c.wait_for(IN_SAFE_MODE)
            status = c.status()
            assert "checksum" in status["decision"]["reason"], status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 2, status
            for name in RECORDS:
                assert c.sh(f"cat {name[1:]}") == DAMAGED.strip()
        c.sh("touch /var/lib/data")
        c.reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["known_good"] == [2], status
        assert c.sh("ls /var/lib/health-checker").split() == ["record", "record.unusable.0"]
