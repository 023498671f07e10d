"""What keeps an update from coming up is seen in its files, whatever it is, and named."""

from bed import Machine

ETC = ("overlay",)
WEBD = "/usr/libexec/hc-demo/webd"
#: What an update does, and what is said of it.
DAMAGES = [
    ("rm -f /usr/lib/systemd/systemd", "/usr/lib/systemd/systemd"),
    ("rm -rf /usr/lib/modules/*", "the modules of the kernel, is not there"),
    (f"printf '\\363' | dd of={WEBD} bs=1 seek=18 conv=notrunc status=none", "webd is for another kind of machine"),
    (f"cp /usr/sbin/sshd {WEBD}; rm -f /usr/lib/x86_64-linux-gnu/libpam.so.0*", "needs libpam.so.0: it is not there"),
    ("echo 'LABEL=GONE /gone ext4 defaults 0 0' >>/etc/fstab", "LABEL=GONE for /gone is not there"),
    ("systemctl mask webd.service", "webd.service, which is checked, is masked"),
]


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        for damage, said in DAMAGES:
            broken = m.update(damage)
            m.reboot()
            status = m.status()
            assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, (damage, status)
            assert status["last_rollback"]["from"]["number"] == broken, (damage, status)
            journal = m.sh("journalctl -b --no-pager -o cat -t health-checker")
            assert said in journal, (damage, journal)
        # A device that the known good snapshot waits for as well is not the update's fault.
        m.sh("echo 'LABEL=GONE /gone ext4 x-systemd.device-timeout=1s 0 0' >>/etc/fstab")
        kept = m.update()
        m.sh("sed -i /GONE/d /etc/fstab")
        assert m.default() == kept
