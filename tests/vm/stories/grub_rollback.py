"""An update with a damaged service is rolled back by us, and GRUB afterwards offers no fallback."""

from bed import GrubMachine
from bed.grub import flag

ETC = ("overlay",)


def story(etc: str) -> None:
    with GrubMachine(etc) as m:
        m.boot()
        assert m.break_webd() == 2
        m.reboot(wait=False)
        end = m.wait_end()
        assert end == "reboot", end
        assert "GRUB: starting the default" in m.console.text
        assert flag(m) == "0", "the default is set back: GRUB has nothing to do about it"
        m.boot()
        assert "falling back" not in m.console.text, m.console.text
        assert "rootflags" not in m.sh("cat /proc/cmdline")
        status = m.status()
        assert status["health"] == "healthy", status
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
        assert status["last_rollback"]["failed"] == ["webd"], status
