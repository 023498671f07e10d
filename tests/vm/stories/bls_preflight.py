"""An entry's snapshot would not boot: the initrd goes on into the known good one, and what it left is not blessed."""

from bed import UefiMachine

ETC = ("overlay",)
LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        assert m.update(f"head -c 1000000 {LIBC} >/usr/short; mv -f /usr/short {LIBC}") == 2
        m.reboot()
        status = m.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["failed"] == ["pre-flight"], status
        assert "/2/snapshot" in m.sh("cat /proc/cmdline")
        # The boot that came to a healthy end began with the other one's entry.
        assert m.entries() == ["microbox-1.conf", "microbox-2+0-4.conf"], m.entries()
        assert not m.run("systemctl is-failed systemd-bless-boot.service")
        m.reboot()
        assert (m.booted(), m.default(), m.status()["health"]) == (1, 1, "healthy"), m.status()
        assert "/1/snapshot" in m.sh("cat /proc/cmdline")
