"""In the machine, in guest time: what first boot adds to the way to the root, with and without a drive.

Each row is the time between the root's mount and the target that waits for it: without the module that
one is reached within a millisecond."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bed import Cdrom, Drive, Machine, Stick, VirtioDisk
from bed.disk import Disk

from .table import Row, at_most
from .units import finished, kernel_said

#: In seconds; Combustion's, measured on the same guest (it is not installed here).
FINISHED, NO_DRIVE, DRIVE, STICK = (0.15, 1.16), (0.5, 12.2), (0.8, 3.5), (0.8, 3.5)
#: Of each kind.
BOOTS = 2
SCRIPT = {"combustion/script": "#!/bin/sh\ntrue\n"}


def _finished() -> Disk:
    """A machine as it mostly is: its first boot is long over, and it is known good."""
    with Machine("overlay") as m:
        m.boot()
        m.wait_for("systemctl is-active health-checker.service", 240)
        m.poweroff()
        return m.disk


def _boot(name: str, drives: Sequence[Drive] = (), *, disk: Disk | None = None) -> float:
    """What the module adds; for a stick, when all was done after its disk had appeared. Waiting for the
    disk is the host's time: the smaller of some boots counts."""
    times = []
    for number in range(BOOTS):
        print(f"  boot {number + 1} of {BOOTS}: {name}", file=sys.stderr, flush=True)
        copy = disk.copy() if disk else None
        with Machine("overlay", first_boot=disk is None, icount=True, drives=drives, disk=copy) as m:
            m.boot(timeout=600)
            sticks = kernel_said(m, "Attached SCSI removable disk")
            since = sticks[0] if sticks else finished(m, "sysroot.mount")
            times.append(finished(m, "initrd-root-fs.target") - since)
            m.power_cut()
    return min(times)


def _row(what: str, value: float, limit: tuple[float, float]) -> Row:
    return at_most(f"guest: {what}", value * 1e3, limit[0] * 1e3, "ms", alternative=f"Combustion {limit[1]:g} s, known")


def claim() -> list[Row]:
    return [
        _row("not a first boot", _boot("not a first boot", disk=_finished()), FINISHED),
        _row("first boot, no drive", _boot("no drive"), NO_DRIVE),
        _row("first boot, a script on a virtual disk (FAT)", _boot("disk", [VirtioDisk("COMBUSTION", SCRIPT)]), DRIVE),
        _row("first boot, a script on a CD", _boot("CD", [Cdrom("combustion", SCRIPT)]), DRIVE),
        _row("first boot, a script on a stick, from its disk on", _boot("stick", [Stick("combustion", SCRIPT)]), STICK),
    ]
