"""The power is cut in the rollback of a boot that hangs: it hangs once more at most, and is gone back from."""

from bed import HANG_BEFORE_SYSINIT, Container
from bed.moments import BEFORE_SET_DEFAULT, BEFORE_THE_END, cut_each

SHORT = True
ETC = ("nested",)
HANGS = f"{HANG_BEFORE_SYSINIT}echo 'policy: {{deadline: 2s}}' >/etc/health-checker/fast.yaml\n"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update(BEFORE_SET_DEFAULT + BEFORE_THE_END + HANGS)
        for moment in cut_each(c, "before-set-default", "before-the-end"):
            default = 2 if moment == "before-set-default" else 1
            assert (c.booted(), c.record()["automatic_reboots"]) == (default, 1), c.record()
            if default == 2:
                c.expect_reboot(wait=False)
            c.wait_for("systemctl is-active health-checker.service")
            status = c.status()
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
            assert status["snapshot"]["known_good"] == [1], status
            assert status["last_rollback"]["failed"] == ["deadline"], status
            assert c.record()["automatic_reboots"] == 0, c.record()
