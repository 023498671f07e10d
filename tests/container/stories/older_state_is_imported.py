"""An older health-checker's state is imported: the first update after it is rolled back; GRUB gets the number."""

from bed import Container

SHORT = True
ETC = ("overlay",)
STATE = "/var/lib/misc/health-check.state"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.args = ["health-checker=off"]
        c.boot()
        subvolume = c.sh("btrfs inspect-internal rootid /")
        c.sh(f"mkdir -p /var/lib/misc; printf 'LAST_WORKING_BTRFS_ID={subvolume}\\n"
             f"LAST_WORKING_SNAPSHOT=@/.snapshots/1/snapshot\\n' >{STATE}")
        c.break_webd()
        c.poweroff()
        c.args = []
        c.boot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        # As GRUB's script wants it: the number.
        assert c.sh(f"cat {STATE}") == f"LAST_WORKING_BTRFS_ID={subvolume}\nLAST_WORKING_SNAPSHOT=1"
