"""A kernel panic and a power cut are told from an orderly reboot, and the disk starts again."""

from bed import Gone, Machine

ETC = ("overlay",)


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        m.sh("echo safe >/var/safe; sync -f /var/safe")
        m.power_cut()
        m.boot()
        assert m.sh("cat /var/safe") == "safe"
        try:
            m.run("echo c >/proc/sysrq-trigger")
        except Gone:
            pass
        assert m.wait_end() == "panic"
