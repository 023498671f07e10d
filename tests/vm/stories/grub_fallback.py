"""An update hangs before its verdict; GRUB goes back to the last working snapshot, which stays."""

from bed import GrubMachine
from bed.grub import flag

ETC = ("overlay",)

#: An init that is whole, starts, and never comes to anything. systemd in the initrd goes on to systemd
#: itself, where there is one, whatever /sbin/init is.
HANG = r"""init=$(readlink -f /sbin/init)
rm "$init"
printf '#!/bin/sh\necho nothing comes of it >/dev/console\nexec sleep infinity\n' >"$init"
chmod 755 $init"""


def story(etc: str) -> None:
    with GrubMachine(etc) as m:
        m.boot()
        assert m.status()["health"] == "healthy", m.status()
        assert m.update(HANG) == 2
        m.reboot(wait=False)
        m.wait_console("GRUB: starting the default")
        m.wait_console("nothing comes of it")
        m.power_cut()
        assert flag(m) == "1"

        m.boot()
        assert "falling back to snapshot 1" in m.console.text, m.console.text
        status = m.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["from"]["number"] == 2, status
        assert status["last_rollback"]["to"]["number"] == 1, status
        assert "snapshot 2" in m.sh("cat /run/motd.d/health-checker")
        m.reboot()
        assert "falling back" not in m.console.text, m.console.text
        assert "rootflags" not in m.sh("cat /proc/cmdline")
        assert m.booted() == m.default() == 1
        assert m.status()["health"] == "healthy", m.status()
