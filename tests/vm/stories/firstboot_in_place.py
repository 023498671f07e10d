"""A root without snapshots, on ext4: configured in place, once; what a failing script did stays, and that is said."""

from bed import Machine, PlainDisk, Stick

ETC = ("overlay",)
TIMEOUT = 900
FAILS = """#!/bin/bash
echo half >/etc/half
echo "no such package: editor" >&2
exit 3
"""
WORKS = """#!/bin/bash
set -e
echo configured >/etc/hostname
echo "from the stick" >/usr/share/marker
echo x >>/var/lib/runs
"""
STATUS = "health-checker firstboot status"


def story(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": FAILS})
    with Machine(etc, first_boot=True, drives=[stick], disk=PlainDisk()) as m:
        m.start()
        m.wait_console("is not a snapshot of btrfs: the configuration is applied in place")
        m.wait_console("FIRST BOOT FAILED: .*no such package: editor.*what it had done by then stays")
        m.wait_console("Entering emergency mode")
        assert "The disk is as it was before" not in m.console.text, m.console.tail()
        m.power_cut()
        with m.offline() as top:
            assert (top.path / "etc/half").exists()
            assert (top.path / "etc/machine-id").read_text() == "uninitialized\n"

        stick.files = {"combustion/script": WORKS}
        m.boot()
        assert m.sh("cat /etc/hostname /usr/share/marker /var/lib/runs") == "configured\nfrom the stick\nx"
        said = m.sh(STATUS)
        assert "configuration applied" in said and "in place: the system has no snapshots" in said, said
        assert "COMBUSTION" in said and "snapshot:" not in said, said
        assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

        m.reboot()
        assert m.sh("cat /var/lib/runs") == "x", "it was applied again"
        assert not m.run("health-checker firstboot detect")
