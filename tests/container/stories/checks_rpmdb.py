"""RPM's own database: a sound one passes; one that an update damages, or loses, takes the machine back."""

from bed import Container

SHORT = True
ETC = ("overlay",)

PLACE = "/usr/lib/sysimage/rpm"
DAMAGES = {
    "cut off": f"truncate -s 9000 {PLACE}/rpmdb.sqlite",
    "overwritten": f"dd if=/dev/urandom of={PLACE}/rpmdb.sqlite bs=4k seek=1 count=5 conv=notrunc",
    "lost": f"rm -r {PLACE}",
}


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.look()["rpmdb"]["outcome"] == "skip"
        good = c.update(f"mkdir -p {PLACE}; rpm --dbpath {PLACE} --initdb")
        c.reboot()
        assert c.look()["rpmdb"]["outcome"] == "pass"
        for damage, how in DAMAGES.items():
            c.update(how)
            c.reboot(wait=False)
            c.expect_reboot()
            status = c.status()
            assert status["snapshot"]["booted"] == good and status["health"] == "healthy", (damage, status)
            assert status["last_rollback"]["failed"] == ["rpmdb"], (damage, status)
