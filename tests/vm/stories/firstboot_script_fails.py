"""A failing script stops the boot, its reason on the console and the disk as before; a corrected stick works."""

from bed import Machine, Stick
from bed.base import REPO

SHORT = ("overlay",)

FAILS = """#!/bin/bash
echo half >/etc/hostname
echo half >/usr/share/marker
echo "no such package: editor" >&2
exit 3
"""
WORKS = (REPO / "combustion-examples/hello/combustion/script").read_text()


def story(etc: str) -> None:
    stick = Stick("combustion", {"combustion/script": FAILS}, fs="ext4", hub=True)
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        m.start()
        m.wait_console(r"FIRST BOOT FAILED: .*label combustion, ext4.*exit status 3.*no such package: editor")
        m.wait_console("Entering emergency mode")
        m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
            assert not (top.snapshot(1) / "usr/share/marker").exists()
            assert not (top.etc(1) / "hostname").exists() or "half" not in (top.etc(1) / "hostname").read_text()
            assert (top.snapshot(1) / "etc/machine-id").read_text() == "uninitialized\n"
            layers = top.var("lib/overlay")
            assert not layers.exists() or [layer.name for layer in layers.iterdir()] == ["1"]

        stick.files = {"combustion/script": WORKS}
        m.boot()
        assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
        assert m.sh("cat /etc/hostname") == "hello"
        m.sh("grep 'by the example' /etc/motd")
        assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
