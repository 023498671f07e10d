"""In the machine, in guest time: what the start's count and the look at the snapshot add to the initrd."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from bed import Machine

from .table import Row, at_most

#: A new snapshot is looked at, one that is known good and unchanged is only counted; in seconds.
NEW, KNOWN = 0.150, 0.060
#: Machines of each kind, two boots each. Waiting for the disk is the host's time: the smaller one counts.
MACHINES = 2
#: Does both, and the boot waits for it.
UNIT = "firstboot-detect.service"
#: Of systemd's messages, that a unit is started and that it has finished (sd-messages.h).
STARTING, FINISHED = "7d4958e842da4a758f6c1cdc7b36dcc5", "39f53479d3a045ac8e11786248231fbf"


@dataclass(frozen=True)
class Initrd:
    """Seconds of guest time that the unit took in a snapshot's first boot, and in the one after."""

    first: float
    later: float


def _took(m: Machine) -> float:
    m.boot(timeout=600)
    said = m.sh(f"journalctl -b -o json _PID=1 UNIT={UNIT} --output-fields=MESSAGE_ID,__MONOTONIC_TIMESTAMP")
    times: dict[str, int] = {}
    for line in said.splitlines():
        entry = json.loads(line)
        times.setdefault(entry.get("MESSAGE_ID"), int(entry["__MONOTONIC_TIMESTAMP"]))
    # With its verdict, if it gets one: the next start is that of a known good snapshot.
    m.sh("systemctl start health-checker.service")
    m.poweroff()
    return (times[FINISHED] - times[STARTING]) / 1e6


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
