"""A volume's password is asked for, and the person comes long after the deadline: no verdict meanwhile, healthy afterwards."""

from bed import Machine
from bed.base import sh, story_dir

ETC = ("overlay",)
#: A data volume with a password, which /srv/data is on; checked, as fstab says, before it is mounted.
PREPARE = """modprobe dm-crypt
echo -n open-sesame >/run/password
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/vdb /run/password
cryptsetup open --key-file /run/password /dev/vdb data
mkfs.ext4 -q -L DATA /dev/mapper/data
cryptsetup close data
mkdir -p /srv/data
echo 'data /dev/vdb none luks' >>/etc/crypttab
echo '/dev/mapper/data /srv/data ext4 defaults 0 2' >>/etc/fstab
mkdir -p /etc/health-checker
cat >/etc/health-checker/data.yaml <<'END'
checks: {data: {mount: /srv/data}}
policy: {deadline: 15s}
END"""
#: What a password agent does: it sends the answer to the socket that the question names.
ANSWER = """echo -n open-sesame | /usr/lib/systemd/systemd-reply-password 1 \
"$(sed -n s/^Socket=//p /run/systemd/ask-password/ask.*)" """
SAID = "journalctl -b --no-pager -o cat -t health-checker"


def story(etc: str) -> None:
    volume = story_dir() / "data.raw"
    sh("truncate", "-s", "64M", volume)
    extra = ["-drive", f"if=none,id=data,file={volume},format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=data"]
    with Machine(etc, extra=extra) as m:
        m.boot()
        m.sh(PREPARE)
        m.reboot(wait=False)
        m.wait_agent()
        m.wait_console("health-checker: no verdict on this boot yet: a password is asked for")
        # It waits for the answer, and for nothing else: this is twice the deadline more.
        m.sh("sleep 30", timeout=60)
        assert m.sh("systemctl is-active health-checker-deadline.service") == "active"
        assert m.sh("systemctl is-active systemd-cryptsetup@data.service || true") == "activating"
        assert m.status()["health"] == "unknown", m.status()
        assert m.sh(f"{SAID} | grep -c 'a password is asked for'") == "1", m.sh(SAID)
        m.sh(ANSWER)
        m.settle()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", 1), status
        assert m.sh("findmnt -no SOURCE /srv/data") == "/dev/mapper/data"
        # Nothing is left that could still end this boot.
        m.wait_for("[ \"$(systemctl is-active health-checker-deadline.service)\" = inactive ]")
        assert "the deadline is no longer held" in m.sh(SAID), m.sh(SAID)
