"""The boot partition was short of room, and the known good snapshot's entry had to go: its way back is still there."""

from bed import DAMAGE_WEBD, UefiMachine
from bed.uefi import ENTRIES

ETC = ("overlay",)
ESP = "/boot/efi"
#: What sdbootutil does when it installs an update's kernel and there is no room: it deletes what belongs to any
#: other snapshot than the default and the booted one (`bootctl unlink`). All but a little of what is left is used up.
EVICT = f"""cp {ESP}/microbox/linux {ESP}/microbox/linux-2 && cp {ESP}/microbox/initrd {ESP}/microbox/initrd-2
sed -i 's,/microbox/linux,/microbox/linux-2,; s,/microbox/initrd,/microbox/initrd-2,' {ENTRIES}/microbox-2+3.conf
rm {ENTRIES}/microbox-1.conf {ESP}/microbox/linux {ESP}/microbox/initrd
head -c $(($(df --output=avail -B1 {ESP} | tail -1) - 1048576)) /dev/zero >{ESP}/other
sync -f {ESP}"""


def story(etc: str) -> None:
    with UefiMachine(etc) as m:
        m.boot()
        # After its verdict, and nothing waits for it.
        m.wait_for("ls /.snapshots/.health-checker/boot/1/microbox-1.conf")
        assert m.update(DAMAGE_WEBD) == 2
        m.sh(EVICT, timeout=120)
        assert m.entries() == ["microbox-2+3.conf"], m.entries()
        m.reboot(wait=False)
        # It has failed, so its kernel makes room for the other one's.
        m.expect_reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"], status["snapshot"]["default"]) == ("healthy", 1, 1), status
        assert status["last_rollback"]["failed"] == ["webd"], status
        assert m.entries() == ["microbox-1.conf"], m.entries()
        assert m.sh(f"cd {ESP}/microbox && ls") == "initrd\nlinux"
