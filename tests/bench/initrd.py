"""In the machine, in guest time: what the start's count and the look at the snapshot add to the initrd."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from bed import Machine

from .table import Row, at_most
from .units import took

#: A new snapshot is looked at, one that is known good and unchanged is only counted; in seconds.
NEW, KNOWN = 0.150, 0.060
#: Machines of each kind, two boots each. Waiting for the disk is the host's time: the smaller one counts.
MACHINES = 2
#: Does both, and the boot waits for it.
UNIT = "firstboot-detect.service"


@dataclass(frozen=True)
class Initrd:
    """Seconds of guest time that the unit took in a snapshot's first boot, and in the one after."""

    first: float
    later: float


def _took(m: Machine) -> float:
    m.boot(timeout=600)
    spent = took(m, UNIT)
    # With its verdict, if it gets one: the next start is that of a known good snapshot.
    m.sh("systemctl start health-checker.service")
    m.poweroff()
    return spent


def _measured(name: str, cmdline: str) -> Initrd:
    machines = []
    for number in range(MACHINES):
        with Machine("overlay", icount=True, cmdline=cmdline) as m:
            print(f"  machine {number + 1} of {MACHINES}: {name}", file=sys.stderr, flush=True)
            machines.append(Initrd(first=_took(m), later=_took(m)))
    return Initrd(first=min(it.first for it in machines), later=min(it.later for it in machines))


def claim() -> list[Row]:
    on, off = _measured("on", ""), _measured("off", "rd.health-checker=off")
    new, known = on.first - off.first, on.later - off.later
    return [
        at_most("guest: initrd, count and look at a new snapshot", new * 1e3, NEW * 1e3, "ms"),
        at_most("guest: initrd, count of a known good snapshot", known * 1e3, KNOWN * 1e3, "ms"),
        Row("guest: initrd, the same unit without these", f"{off.first * 1e3:.0f} and {off.later * 1e3:.0f} ms"),
    ]
