"""The initrd asks for a volume's password: however long nobody comes, that is no failure, and nothing is counted."""

from bed import Machine, TooLate
from bed.base import sh, story_dir

ETC = ("overlay",)
TIMEOUT = 900
#: A volume that the initrd has to open, and an initrd that can: the test machine's own cannot.
PREPARE = """modprobe dm-crypt
echo -n open-sesame >/run/password
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb /run/password
dracut --no-hostonly --add "crypt systemd-cryptsetup" --add-drivers dm-crypt /var/tmp/initrd >/var/tmp/dracut.log 2>&1
blkid -s UUID -o value /dev/vdb"""


def story(etc: str) -> None:
    volume = story_dir() / "data.raw"
    sh("truncate", "-s", "64M", volume)
    extra = ["-drive", f"if=none,id=data,file={volume},format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=data"]
    with Machine(etc, extra=extra) as m:
        m.boot()
        uuid = m.sh(PREPARE, timeout=400)
        m.poweroff()
        m.initrd = story_dir() / "initrd"
        with m.offline() as top:
            m.initrd.write_bytes(top.var("tmp/initrd").read_bytes())

        # dracut itself would give up soon.
        m.cmdline = f"rd.luks.uuid={uuid} rd.retry=10 rd.timeout=10"
        m.start()
        m.wait_console("passphrase for")
        try:
            raise AssertionError(f"it ended: {m.wait_end(60)}")
        except TooLate:
            pass
        assert "health-checker" not in m.console.text, m.console.tail()
        m.type("open-sesame\n")
        m.wait_agent()
        m.settle()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", 1), status
        assert m.sh(f"lsblk -no TYPE /dev/disk/by-id/dm-uuid-*{uuid.replace('-', '')}*") == "crypt"
