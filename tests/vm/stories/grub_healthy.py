"""GRUB's menu sets its flag, a healthy verdict clears it, and the next start offers no fallback."""

from bed import GrubMachine
from bed.grub import flag

ETC = ("overlay",)


def story(etc: str) -> None:
    with GrubMachine(etc) as m:
        m.boot(wait=False)
        m.wait_console("GRUB: starting the default")
        m.power_cut()
        assert flag(m) == "1", "the menu has set it, and nobody has come to clear it"
        m.boot()
        assert m.status()["health"] == "healthy", m.status()
        assert m.status()["boot"]["loader"] == "grub", m.status()
        m.power_cut()
        assert flag(m) == "0", "cleared with the verdict, durably"
        m.start()
        m.wait_console("GRUB: starting the default")
        assert "falling back" not in m.console.text, m.console.text
