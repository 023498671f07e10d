"""A kernel starts the next one by kexec: no loader counts that start, so the initrd does, and the verdict is about it."""

from bed import HANG_BEFORE_VERDICT, UefiMachine

ETC = ("overlay",)
KEXEC = """kexec --load /boot/efi/microbox/linux --initrd=/boot/efi/microbox/initrd \
--command-line="$(sed s,/1/snapshot,/%d/snapshot, /proc/cmdline)" """


def up(m: UefiMachine) -> None:
    """It hangs before its verdict: there is no end of the start to wait for."""
    m.wait_agent()
    m.wait_for("systemctl is-active local-fs.target")


def kexec(m: UefiMachine, number: int) -> None:
    m.sh(KEXEC % number)
    m.ask("systemctl kexec")
    up(m)
    status = m.status()
    assert (status["boot"]["kind"], status["snapshot"]["booted"]) == ("kexec", number), status


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        number = m.update(HANG_BEFORE_VERDICT)
        kexec(m, number)
        # Its entry has all its tries: it was not the loader that started it.
        assert m.entries()[1] == f"microbox-{number}+3.conf", m.entries()
        assert m.status()["snapshot"]["starts_without_verdict"] == 1, m.status()
        m.power_cut()
        # Through the loader, the loader counts.
        m.start()
        up(m)
        assert m.booted() == number
        assert m.entries()[1] == f"microbox-{number}+2-1.conf", m.entries()
        status = m.status()
        assert (status["boot"]["kind"], status["snapshot"]["starts_without_verdict"]) == ("cold", 1), status
        # What is good by kexec is good, and what the loader said of the start before is not taken for it.
        m.sh("systemctl disable hangs.service; rm /etc/health-checker/hangs.yaml; sync -f /etc")
        kexec(m, number)
        m.settle()
        status = m.status()
        assert (status["health"], status["snapshot"]["known_good"][-1]) == ("healthy", number), status
