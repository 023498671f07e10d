"""In the machine, in guest time: what the start's count and the look at the snapshot add to the initrd."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from bed import Machine

from .table import Row, at_most

#: A new snapshot is looked at, one that is known good and unchanged is only counted; in seconds.
NEW, KNOWN = 0.150, 0.060

#: Said on the kernel command line: all that is ours, without the count and the look, nothing of ours.
_VARIANTS = {"on": "", "off": "rd.health-checker=off", "masked": "rd.systemd.mask=firstboot-detect.service"}


@dataclass(frozen=True)
class Initrd:
    """Seconds of guest time in the initrd of a snapshot's first boot, and of the one after."""

    first: float
    later: float


def _in_initrd(m: Machine) -> float:
    m.boot(timeout=600)
    begun = int(m.sh("systemctl show -P InitRDTimestampMonotonic"))
    ended = int(m.sh("systemctl show -P UserspaceTimestampMonotonic"))
    # With its verdict, if it gets one: the next start is that of a known good snapshot.
    m.sh("systemctl start health-checker.service")
    m.poweroff()
    assert 0 < begun < ended, f"the initrd took from {begun} to {ended}"
    return (ended - begun) / 1e6


def _measured(name: str) -> Initrd:
    with Machine("overlay", icount=True, cmdline=_VARIANTS[name]) as m:
        print(f"  two boots: {name}", file=sys.stderr, flush=True)
        return Initrd(first=_in_initrd(m), later=_in_initrd(m))


def claim() -> list[Row]:
    on, off, masked = (_measured(name) for name in _VARIANTS)
    new, known = on.first - off.first, on.later - off.later
    all_new, all_known = on.first - masked.first, on.later - masked.later
    return [
        at_most("guest: initrd, count and look at a new snapshot", new * 1e3, NEW * 1e3, "ms"),
        at_most("guest: initrd, count of a known good snapshot", known * 1e3, KNOWN * 1e3, "ms"),
        Row("guest: initrd, all that is ours, new snapshot", f"{all_new * 1e3:.0f} ms"),
        Row("guest: initrd, all that is ours, known good snapshot", f"{all_known * 1e3:.0f} ms"),
        Row("guest: initrd, without anything of ours", f"{masked.later:.3f} s"),
    ]
