"""What is recorded: each write and flush of a machine that goes through a first boot or a rollback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bed import Machine, Stick
from bed.disk import Disk

from .blklog import Epoch, epochs
from .judge import Rules

FIRST = 1
#: The snapshots that come after the image's own.
CONFIGURED = BAD = FIRST + 1
#: In the snapshot's own /etc, which a run that is undone takes away with it.
_SCRIPT = """\
#!/bin/bash
echo run >>/etc/torture-runs
echo configured >/etc/hostname
"""


def _stick() -> Stick:
    return Stick("COMBUSTION", {"combustion/script": _SCRIPT})


@dataclass(frozen=True)
class Recording:
    """A disk as it was, what was then written to it, and what must come of it wherever it is cut."""

    name: str
    base: Path
    epochs: list[Epoch]
    rules: Rules
    #: Boots a disk that was cut, and asserts where that leads.
    boots: Callable[[Disk], None]


def _healthy(m: Machine) -> None:
    m.wait_for("systemctl is-active health-checker.service", 180)
    status = m.status()
    assert status["health"] == "healthy", status
    snapshot = status["snapshot"]
    assert snapshot["booted"] == snapshot["default"], status
    assert snapshot["default"] in snapshot["known_good"], status


def _configured_once(disk: Disk) -> None:
    with Machine(first_boot=True, disk=disk, drives=[_stick()]) as m:
        m.boot()
        _healthy(m)
        assert m.sh("cat /etc/torture-runs; cat /etc/hostname") == "run\nconfigured"
        assert '"state": "applied"' in m.sh("health-checker firstboot status --json")
        # The pristine one, and the configured one.
        assert len(m.snapshots()) == 2, m.snapshots()
        assert m.default() == m.snapshots()[-1]


def _rolled_back(disk: Disk) -> None:
    with disk.mounted() as top:
        bad = top.default() == BAD
    with Machine(disk=disk) as m:
        m.boot(wait=False)
        if bad:
            m.expect_reboot(wait=False, timeout=240)
        m.wait_agent()
        _healthy(m)
        assert m.default() == 1


def _first_boot() -> Recording:
    with Machine(first_boot=True, drives=[_stick()], log_writes=True) as m:
        base = m.disk.copy().path
        m.boot()
        _healthy(m)
        assert m.default() == CONFIGURED
        m.power_cut()
    rules = Rules(pristine=1, etc={CONFIGURED: {"hostname": "configured\n", "torture-runs": "run\n"}})
    return Recording("first-boot", base, epochs(m.write_logs), rules, _configured_once)


def _bad_update() -> Recording:
    with Machine(log_writes=True) as m:
        base = m.disk.copy().path
        m.boot()
        _healthy(m)
        assert m.break_webd() == BAD
        m.reboot(wait=False)
        m.expect_reboot()
        _healthy(m)
        assert m.default() == 1
        m.power_cut()
    return Recording("bad-update", base, epochs(m.write_logs), Rules(tools=frozenset({BAD})), _rolled_back)


ALL = {"first-boot": _first_boot, "bad-update": _bad_update}
