"""An update finishes while a bad boot is judged: made from the bad snapshot, it is set aside with it."""

from bed import Container

SHORT = True
ETC = ("overlay",)

# A check that waits for the update, as the update's timer would have it.
SLOW = """
mkdir -p /usr/libexec/health-checker
cat >/usr/libexec/health-checker/slow <<'E'
#!/bin/sh
[ "$1" = check ] || exit 0
update-stand-in run true >/dev/null 2>&1
E
chmod +x /usr/libexec/health-checker/slow
truncate -s 4096 /usr/libexec/hc-demo/webd
"""


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        assert c.update(SLOW) == 2
        c.reboot(wait=False)
        c.expect_reboot()
        status = c.status()
        assert status["snapshot"] == {
            "booted": 1, "default": 1, "known_good": [1], "starts_without_verdict": 0}, status
        assert c.snapshots() == [1, 2, 3]
        assert "set aside" in c.sh("journalctl -b -1 -u health-checker --no-pager"), "nobody was told"
