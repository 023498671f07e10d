"""What is recorded: each write and flush of a machine that goes through a first boot or a rollback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bed import Machine, Stick
from bed.disk import Disk

from .blklog import Epoch, epochs
from .judge import Rules

FIRST = 1
#: The snapshots that come after the image's own.
CONFIGURED = BAD = FIRST + 1
#: What btrfs frees is discarded with the commit that frees it: an older tree may still need it.
_DISCARD = "rootflags=discard"
#: In the snapshot's own /etc, which a run that is undone takes away with it.
_SCRIPT = """\
#!/bin/bash
echo run >>/etc/torture-runs
echo configured >/etc/hostname
"""
_HUNG = _SCRIPT + "sync; echo the script is at work; exec sleep 1000\n"
_FAILS = "#!/bin/bash\nset -e\nfor dir in /var/lib /root; do echo half >$dir/half; rm -rf $dir/snapper; done\nsync\nexit 1\n"
#: What a configured snapshot has in its /etc.
_CONTENT = {"hostname": "configured\n", "torture-runs": "run\n"}


def _stick(script: str = _SCRIPT) -> Stick:
    return Stick("COMBUSTION", {"combustion/script": script})


@dataclass(frozen=True)
class Recording:
    """A disk as it was, what was then written to it, and what must come of it wherever it is cut."""

    name: str
    base: Path
    epochs: list[Epoch]
    rules: Rules
    #: Boots a disk that was cut, and asserts where that leads.
    boots: Callable[[Disk], None]
    #: Whether it ends with a verdict.
    judged: bool = True


def _healthy(m: Machine) -> None:
    m.wait_for("systemctl is-active health-checker.service", 180)
    status = m.status()
    assert status["health"] == "healthy", status
    snapshot = status["snapshot"]
    assert snapshot["booted"] == snapshot["default"], status
    assert snapshot["default"] in snapshot["known_good"], status


def _configured_once(etc: str, disk: Disk) -> None:
    with Machine(etc, first_boot=True, disk=disk, drives=[_stick()]) as m:
        m.boot()
        _healthy(m)
        for name, text in _CONTENT.items():
            assert m.sh(f"cat /etc/{name}") == text.strip(), name
        assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
        assert m.snapshots() == [FIRST, CONFIGURED], m.snapshots()
        assert m.default() == CONFIGURED


def _rolled_back(disk: Disk) -> None:
    with disk.mounted() as top:
        # The cut left the update as what is started: it fails, and is left again.
        bad = top.default() == BAD
    with Machine(disk=disk) as m:
        m.boot(wait=False)
        if bad:
            m.expect_reboot(wait=False, timeout=240)
        m.wait_agent()
        _healthy(m)
        assert m.default() == FIRST


def _configure(m: Machine) -> None:
    m.boot()
    _healthy(m)
    assert m.default() == CONFIGURED
    m.power_cut()


def _of_first_boot(name: str, m: Machine, base: Path) -> Recording:
    rules = Rules(pristine=FIRST, etc={CONFIGURED: _CONTENT})
    return Recording(name, base, epochs(m.write_logs), rules, partial(_configured_once, m.etc))


def _first_boot() -> Recording:
    with Machine(first_boot=True, drives=[_stick()], log_writes=True, cmdline=_DISCARD) as m:
        base = m.disk.copy().path
        _configure(m)
    return _of_first_boot("first-boot", m, base)


def _again() -> Recording:
    """The power goes while the script runs; what is left is deleted, and all of it done again."""
    with Machine("nested", first_boot=True, drives=[_stick(_HUNG)], log_writes=True, cmdline=_DISCARD) as m:
        base = m.disk.copy().path
        m.start()
        m.wait_console("the script is at work")
        m.power_cut()
        m.drives = [_stick()]
        _configure(m)
    return _of_first_boot("again", m, base)


def _fails() -> Recording:
    """The script fails after it has written beside the snapshot: all of that is put back."""
    with Machine(first_boot=True, drives=[_stick(_FAILS)], log_writes=True, cmdline=_DISCARD) as m:
        base = m.disk.copy().path
        m.start()
        m.wait_console("FIRST BOOT FAILED")
        m.wait_console("Entering emergency mode")
        m.power_cut()

    def boots(disk: Disk) -> None:
        with Machine(first_boot=True, disk=disk, drives=[_stick()]) as again:
            again.boot()
            _healthy(again)
            assert again.default() == CONFIGURED
            again.sh("test ! -e /var/lib/half && test ! -e /root/half && test ! -d /.snapshots/2/before")

    rules = Rules(pristine=FIRST)
    return Recording("fails", base, epochs(m.write_logs), rules, boots, judged=False)


def _bad_update() -> Recording:
    with Machine(log_writes=True, cmdline=_DISCARD) as m:
        base = m.disk.copy().path
        m.boot()
        _healthy(m)
        assert m.break_webd() == BAD
        m.reboot(wait=False)
        m.expect_reboot()
        _healthy(m)
        assert m.default() == FIRST
        m.power_cut()
    return Recording("bad-update", base, epochs(m.write_logs), Rules(tools=frozenset({BAD})), _rolled_back)


ALL = {"first-boot": _first_boot, "again": _again, "fails": _fails, "bad-update": _bad_update}
