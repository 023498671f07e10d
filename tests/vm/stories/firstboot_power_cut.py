"""The power goes while the script runs: done again from the start. It goes after that: not done twice. On a finished
machine that was asked for it again, the next start puts everything back."""

from bed import Machine, Stick

SCRIPT = """#!/bin/bash
echo x >>/root/runs
echo configured >/etc/hostname
sync
echo "the script is at work"
exec sleep {seconds}
"""


def story(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT.format(seconds=1000)})
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        m.start()
        m.wait_console("the script is at work")
        m.power_cut()
        with m.offline() as top:
            assert top.default() == 1

        stick.files = {"combustion/script": SCRIPT.format(seconds=0)}
        m.start()
        m.wait_console("deleting snapshot 2, which an interrupted first boot left")
        m.wait_console("first boot is done: going on into snapshot 2")
        m.power_cut()
        with m.offline() as top:
            assert top.default() == 2 and top.snapshots() == [1, 2]

        m.boot()
        assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
        # /root is no part of a snapshot, and was put back as it was before the cut.
        assert m.sh("wc -l </root/runs") == "1"
        assert m.sh("cat /etc/hostname") == "configured"
        assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
        assert "in-progress" not in m.sh("cat /.snapshots/2/info.xml")

        m.poweroff()
        stick.files = {"combustion/script": SCRIPT.format(seconds=1001)}
        m.cmdline = "combustion.firstboot"
        m.start()
        m.wait_console("the script is at work")
        m.power_cut()
        m.cmdline = ""
        m.boot()
        assert m.booted() == m.default() == 2 and m.snapshots() == [1, 2]
        assert m.sh("wc -l </root/runs") == "1"
