"""A bad update on a machine whose clock stands in 1970: it goes back all the same."""

from bed import DAMAGE_WEBD, Machine

ETC = ("overlay",)
UNIT = """[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=/usr/bin/date --set=@1000
[Install]
WantedBy=sysinit.target
"""


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        m.update(f"cat >/usr/lib/systemd/system/no-clock.service <<'END'\n{UNIT}END\n"
                 f"systemctl enable no-clock.service; {DAMAGE_WEBD}")
        m.reboot(wait=False)
        m.wait_agent()
        assert m.sh("date +%Y") == "1970"
        m.expect_reboot(timeout=240)
        status = m.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["last_rollback"]["at"].startswith("1970-"), status
