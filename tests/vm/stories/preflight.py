"""An update leaves libc cut short: the machine is back in the known good snapshot without another reboot."""

from bed import Machine

SHORT = ("overlay",)
LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        assert m.status()["health"] == "healthy", m.status()
        # Moved into place: what still runs of the update keeps its own libc.
        assert m.update(f"head -c 1000000 {LIBC} >/usr/short; mv -f /usr/short {LIBC}") == 2
        m.reboot()
        status = m.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["from"]["number"] == 2, status
        assert status["last_rollback"]["failed"] == ["pre-flight"], status
        # What was seen, and who needs it; told by the system that came up, too.
        journal = m.sh("journalctl -b --no-pager -o cat -t health-checker")
        assert f"{LIBC}: truncated" in journal, journal
        assert "going on into snapshot 1" in journal and "going back to snapshot 1" in journal, journal
        # One start of the update, one of this one, and both are settled.
        assert status["snapshot"]["starts_without_verdict"] == 0, status
        assert m.run("health-checker rollback 2 --dry-run").code == 1
        m.poweroff()
    with m.offline() as top:
        assert top.default() == 1
