"""Where boot entries name the snapshot, a configured one becomes the system only if a plugin of snapper's makes an entry."""

from bed import Stick, UefiMachine
from bed.uefi import ENTRIES

ETC = ("overlay",)
TIMEOUT = 900
SCRIPT = "#!/bin/bash\necho configured >/etc/hostname\n"

#: What sdbootutil's does, told by the same events: an entry, made from the one that was started.
PLUGIN = f"""#!/bin/sh
echo "$*" >>/var/lib/plugins-were-told
[ "$1" = create-snapshot-post ] || exit 0
sed "s,^version .*,version $4,; s,/1/snapshot,/$4/snapshot," {ENTRIES}/microbox-1.conf >{ENTRIES}/microbox-$4.conf
sync -f {ENTRIES}
"""


def story(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT})
    with UefiMachine(etc, first_boot=True, drives=[stick]) as m:
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*pins the root by rootflags=subvol=.*nobody has made a boot entry for snapshot 2", 240)
        m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
        with m.offline() as top, top.writable(1) as root:
            plugin = root / "usr/lib/snapper/plugins/50-entries"
            plugin.parent.mkdir(parents=True, exist_ok=True)
            plugin.write_text(PLUGIN)
            plugin.chmod(0o755)
        m.boot()
        assert m.booted() == m.default() == 2 and m.sh("cat /etc/hostname") == "configured"
        assert m.sh("cat /var/lib/plugins-were-told") == (
            "create-snapshot-post / btrfs 2\nset-default-snapshot-post / btrfs 2"
        )
        m.reboot()
        assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
