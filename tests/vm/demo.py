"""The demonstration that `make demo` runs; see tests/vm/demo."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from bed import Machine, Stick
from bed.disk import prepare_scratch
from bed.timeline import Timeline

SCRIPT = """\
#!/bin/bash
# combustion: prepare
[ "${1-}" = --prepare ] && exit 0
set -e
echo web1 >/etc/hostname
echo 'Configured by a USB stick.' >/etc/motd
"""


def first_boot(m: Machine, t: Timeline) -> None:
    t.say("A USB stick, labelled COMBUSTION, with combustion/script:")
    t.show(SCRIPT)
    with t.step("Power on. Never configured before: the initrd looks for a configuration"):
        m.boot(wait=False)
        m.wait_agent()
    snapshot = m.booted()
    assert snapshot == m.default() == 2, f"booted {snapshot}, default {m.default()}"
    t.say("The script ran in a new snapshot, which became the default; this boot went on into it:")
    t.show(m.sh("findmnt -no FSROOT /; cat /etc/hostname /etc/motd"))
    with t.step("The rest of the system starts, then its health is checked"):
        m.settle()
    healthy(m, t)


def healthy(m: Machine, t: Timeline) -> None:
    done = m.run("health-checker status")
    t.say("health-checker status:")
    t.show(done.out or done.err)
    assert done.code == 0, f"health-checker status: exit {done.code}"


def bad_update(m: Machine, t: Timeline) -> int:
    with t.step("An update, in a new snapshot: it cuts the web service's program short"):
        broken = m.break_webd()
        size = m.sh(f"stat -c %s /.snapshots/{broken}/snapshot/usr/libexec/hc-demo/webd")
    t.say(f"Snapshot {broken} is the default now; its webd has {size} bytes. Reboot.")
    m.ask("systemctl reboot")
    assert m.wait_end() == "reboot"
    return broken


def recovery(m: Machine, t: Timeline, broken: int) -> None:
    with t.step(f"Snapshot {broken} starts"):
        m.boot(wait=False)
        m.wait_agent()
    assert m.booted() == broken
    with t.step("webd fails. The default goes back to snapshot 2, and the machine reboots by itself"):
        assert m.wait_end() == "reboot"
    with t.step("It starts again"):
        m.boot()
    assert m.booted() == m.default() == 2, f"booted {m.booted()}, default {m.default()}"
    assert m.sh("systemctl is-active webd.service") == "active"
    t.say("Snapshot 2 again, webd runs:")
    healthy(m, t)


def main() -> int:
    t = Timeline()
    print("First boot, a bad update, and the way back. Two minutes or three, in an emulated machine.\n")
    prepare_scratch(Path(os.environ["HC_IMAGE"]))
    stick = Stick("COMBUSTION", {"combustion/script": SCRIPT})
    with Machine(first_boot=True, drives=[stick]) as m:
        try:
            first_boot(m, t)
            recovery(m, t, bad_update(m, t))
            with t.step("Power off"):
                m.poweroff()
        except AssertionError as error:
            print(f"\nFAILED: {error}\n{m.last_words()}")
            return 1
    t.say("Done: configured once, broken once, healthy again, and nobody had to come.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
