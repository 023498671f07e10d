"""A USB stick configures the machine at its first boot, without a reboot, and only then."""

from bed import Machine, Stick

# The other layout of /etc is what user-data is applied to, in cloud_config.
SHORT = ("nested",)

SCRIPT = """#!/bin/bash
# combustion: prepare
set -e
if [ "${1:-}" = --prepare ]; then
    touch prepared; exit 0
fi
test -e prepared -a "$PWD" = /dev/shm/combustion/config
read -r line || echo "standard input is empty"
cat key >/root/key
echo configured >/etc/hostname
echo "from the stick" >/usr/share/marker
mountpoint -q /var && findmnt -no FSTYPE /etc >/root/etc-type || true
useradd --create-home admin
sleep infinity &
"""


def story(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT, "combustion/key": "secret\n"})
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        m.boot()
        assert m.booted() == m.default() == 2, "the boot did not go on into the new snapshot"
        assert m.snapshots() == [1, 2]
        listed = m.sh("snapper --no-dbus --csvout list --columns number,default,description").splitlines()
        assert "2,yes,First boot configuration" in listed, listed
        assert m.sh("cat /etc/hostname /usr/share/marker /root/key") == (
            "configured\nfrom the stick\nsecret"
        )
        m.sh("id admin && test -d /home/admin")
        assert not m.run("touch /usr/x"), "the root file system is writable"
        m.sh("touch /etc/x && test ! -e /dev/shm/combustion")
        # systemd's webd is a copy of sleep, too: by its name it is another program.
        assert not m.run("pgrep -x sleep"), "what the script left in the background lives on"
        first = m.sh("health-checker firstboot status --json")
        assert '"state": "applied"' in first and "COMBUSTION" in first
        assert m.status()["snapshot"]["booted"] == m.status()["snapshot"]["default"] == 2
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"
        # More than five changes to the table of mounts in a second, and systemd holds back fstab's.
        assert not m.run("journalctl -b -o cat _PID=1 | grep -F run-health"), "our own mounts are seen"
        machine_id = m.sh("cat /etc/machine-id")
        m.sh("rm /root/key")

        m.reboot()
        assert m.booted() == 2 and m.snapshots() == [1, 2], "it was applied again"
        m.sh("test ! -e /root/key")
        assert m.sh("cat /etc/machine-id") == machine_id
        assert not m.run("health-checker firstboot detect")
        m.poweroff()
    with m.offline() as top:
        assert (top.snapshot(1) / "etc/machine-id").read_text() == "uninitialized\n"
        assert not (top.var("lib/overlay/1/etc") / "machine-id").exists()
        assert not (top.snapshot(1) / "usr/share/marker").exists(), "the pristine snapshot changed"
