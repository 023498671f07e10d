"""systemd-boot starts a counted update; it is healthy, so its entry is blessed, and its next starts are ours to count."""

from bed import UefiMachine

SHORT = ("overlay",)
ETC = ("overlay",)


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        status = m.status()
        assert (status["health"], status["boot"]["loader"], m.booted()) == ("healthy", "bls", 1), status
        assert m.update() == 2
        m.reboot()
        status = m.status()
        assert (status["health"], m.booted(), status["snapshot"]["known_good"]) == ("healthy", 2, [1, 2]), status
        m.wait_for("systemctl is-active systemd-bless-boot.service")
        assert m.entries() == ["microbox-1.conf", "microbox-2.conf"], m.entries()
        target = status["rollback_target"]
        assert target["ready"], target
        # What the loader could not start is a way back only as long as there is a copy.
        m.wait_for("ls /.snapshots/.health-checker/boot/1/microbox/initrd")
        m.sh("mv /boot/efi/microbox/initrd /boot/efi/microbox/gone")
        target = m.status()["rollback_target"]
        assert target["ready"], target
        m.sh("rm -r /.snapshots/.health-checker/boot")
        target = m.status()["rollback_target"]
        assert not target["ready"] and "/microbox/initrd" in str(target["problems"]), target
        m.sh("mv /boot/efi/microbox/gone /boot/efi/microbox/initrd")
        # Its start was the loader's to count; the one of a blessed entry is ours.
        journal = m.sh("journalctl -b -o cat --no-pager")
        assert "cannot find out" not in journal, journal
        m.ask("systemctl reboot")
        assert m.wait_end() == "reboot"
        m.start()
        m.wait_agent()
        m.power_cut()
        m.boot()
        assert (m.booted(), m.status()["health"], m.default()) == (2, "healthy", 2), m.status()
