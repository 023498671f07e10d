"""The initrd does not see the disk: reboots are counted in the firmware, and end with the loader's tries, or after one."""

from bed import UefiMachine, cpio_without
from bed.base import image_dir
from bed.uefi import ENTRIES

ETC = ("overlay",)
TIMEOUT = 900
COUNT = "/sys/firmware/efi/efivars/HealthCheckerReboots-*"


def healthy_in_the_first(m: UefiMachine) -> None:
    status = m.status()
    assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
    assert not m.run(f"ls {COUNT}"), "the firmware still counts"


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.copy_to_esp(cpio_without((image_dir() / "initrd").read_bytes(), b"/virtio_blk.ko"), "microbox/bare")
        m.boot()
        # Nobody is to wait for the disk for minutes here, nor for somebody at the console; but it is to be
        # found in the end, on a busy host too: there its driver and udev can take longer than five seconds.
        m.sh(f"sed -i 's/^options/options rd.shell=0 rd.retry=10 rd.timeout=20/' {ENTRIES}/microbox-1.conf && sync -f {ENTRIES}")

        # An update whose initrd has no driver for the disk has as many starts as the loader gives it.
        number = m.update()
        m.sh(f"sed -i 's,/microbox/initrd,/microbox/bare,' {ENTRIES}/microbox-{number}+3.conf && sync -f {ENTRIES}")
        m.reboot(wait=False)
        for _ in range(3):
            m.wait_console("starts another after the last of them")
            assert m.wait_end() == "reboot"
            m.start()
        m.wait_agent()
        m.settle()
        healthy_in_the_first(m)
        assert m.status()["last_rollback"]["from"]["number"] == number, m.status()

        # A disk that is gone for good is looked for once more; then it is dracut's turn.
        m.poweroff()
        kept = m.disk.path.rename(m.disk.path.with_suffix(".kept"))
        with m.disk.path.open("wb") as empty:
            empty.truncate(kept.stat().st_size)
        m.start()
        m.wait_console("one reboot may heal it")
        assert m.wait_end() == "reboot"
        m.start()
        m.wait_console("out of reach, after a reboot as well")
        assert m.wait_end() == "poweroff"
        kept.rename(m.disk.path)
        m.boot()
        healthy_in_the_first(m)
