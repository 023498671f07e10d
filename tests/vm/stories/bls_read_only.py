"""An update that fails has the boot partition mounted read-only: its entry stays as it is, and the initrd sees to that."""

from bed import DAMAGE_WEBD, UefiMachine

ETC = ("overlay",)


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        number = m.update(f"{DAMAGE_WEBD}; sed -i 's,umask=0077,ro,' /etc/fstab; grep -q 'vfat ro' /etc/fstab")
        m.reboot(wait=False)
        m.expect_reboot()
        # The loader has started it again, with the tries that it had left, and the initrd has left it.
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
        assert status["last_rollback"]["failed"] == ["webd"], status
        assert m.entries()[1].startswith(f"microbox-{number}+0-"), m.entries()
        said = m.sh("journalctl -b -1 --no-pager -o cat -t health-checker")
        assert "could not have the loader pass" in said, said
