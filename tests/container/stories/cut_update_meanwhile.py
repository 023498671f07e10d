"""The power is cut while an update is set aside with the bad snapshot that it was made from: it never stays."""

from bed import Container
from bed.moments import BEFORE_SET_DEFAULT, BEFORE_THE_END, cut_each

SHORT = True
ETC = ("overlay",)
# A check in whose time an update finishes, and is on the disk.
SLOW = """
mkdir -p /usr/libexec/health-checker
cat >/usr/libexec/health-checker/slow <<'END'
#!/bin/sh
[ "$1" != check ] || { update-stand-in run true >/dev/null 2>&1; sync; }
END
chmod +x /usr/libexec/health-checker/slow
truncate -s 4096 /usr/libexec/hc-demo/webd
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update(SLOW + BEFORE_SET_DEFAULT + BEFORE_THE_END)
        for moment in cut_each(c, "before-set-default", "before-the-end"):
            default = 3 if moment == "before-set-default" else 1
            assert (c.booted(), c.record()["automatic_reboots"]) == (default, 1), c.record()
            if default == 3:
                # As bad as what it was made from, and gone back from as that was.
                c.expect_reboot(wait=False)
            c.wait_for("systemctl is-active health-checker.service")
            status = c.status()
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
            assert status["snapshot"]["known_good"] == [1], status
            assert status["last_rollback"]["failed"] == ["webd"], status
            assert c.record()["automatic_reboots"] == 0, c.record()
