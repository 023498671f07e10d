"""In the machine, in guest time: what first boot adds to the initrd, with and without a drive."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from bed import Cdrom, Drive, Machine, Stick, VirtioDisk

from .table import Row, at_most
from .units import finished, took

#: In seconds; Combustion's, measured on the same guest (it is not installed here).
FINISHED, NO_DRIVE, DRIVE, STICK = (0.15, 1.16), (0.5, 12.2), (0.8, 3.5), (0.8, 3.5)
UNITS = ("firstboot-detect.service", "firstboot-fetch.service", "firstboot-apply.service")
SCRIPT = {"combustion/script": "#!/bin/sh\ntrue\n"}


def _boot(m: Machine) -> float:
    m.boot(timeout=600)
    return sum(took(m, unit) for unit in UNITS)


def _first(name: str, drives: Sequence[Drive] = ()) -> tuple[float, float]:
    """A first boot, and from when its USB disk was there."""
    print(f"  {name}", file=sys.stderr, flush=True)
    with Machine("overlay", first_boot=True, icount=True, drives=drives) as m:
        whole = _boot(m)
        entries = m.sh("journalctl -k -b -o json --output-fields=MESSAGE,_SOURCE_MONOTONIC_TIMESTAMP").splitlines()
        disks = [json.loads(line) for line in entries if "Attached SCSI removable disk" in line]
        appeared = int(disks[0]["_SOURCE_MONOTONIC_TIMESTAMP"]) / 1e6 if disks else 0.0
        return whole, finished(m, UNITS[-1]) - appeared if disks else 0.0


def _row(what: str, value: float, limit: tuple[float, float]) -> Row:
    return at_most(f"guest: {what}", value * 1e3, limit[0] * 1e3, "ms", alternative=f"Combustion {limit[1]:g} s, known")


def claim() -> list[Row]:
    print("  not a first boot", file=sys.stderr, flush=True)
    with Machine("overlay", icount=True) as m:
        later = _boot(m)
    return [
        _row("not a first boot", later, FINISHED),
        _row("first boot, no drive", _first("no drive")[0], NO_DRIVE),
        _row("first boot, a script on a virtual disk", _first("disk", [VirtioDisk("combustion", SCRIPT, fs="ext4")])[0], DRIVE),
        _row("first boot, a script on a CD", _first("CD", [Cdrom("combustion", SCRIPT)])[0], DRIVE),
        _row("first boot, a script on a stick, from its disk on", _first("stick", [Stick("combustion", SCRIPT)])[1], STICK),
    ]
