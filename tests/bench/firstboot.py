"""In the machine, in guest time: what first boot adds to the way to the root, with and without a drive.

Each row is the difference to the same machine with the same initrd, but without the module's units."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from bed import Cdrom, Drive, Machine, Stick, VirtioDisk, cpio_without
from bed.base import image_dir, story_dir
from bed.disk import Disk

from .table import Row, at_most
from .units import finished

#: In seconds; Combustion's, measured on the same guest (it is not installed here).
FINISHED, NO_DRIVE, DRIVE, STICK = (0.15, 1.16), (0.5, 12.2), (0.8, 3.5), (0.8, 3.5)
UNITS = ("firstboot-detect.service", "firstboot-fetch.service", "firstboot-apply.service", "firstboot.target")
#: Of each kind, with the module and without.
BOOTS = 2
#: systemd starts no mount for up to a second after five changes to the table of mounts within one. Whether a
#: boot's last one comes before or after that is chance, and more than what is measured.
UNLIMITED = "SYSTEMD_DEFAULT_MOUNT_RATE_LIMIT_BURST=1000"
SCRIPT = {"combustion/script": "#!/bin/sh\ntrue\n"}


@cache
def bare_initrd() -> Path:
    """The image's, without the units of first boot."""
    initrd = (image_dir() / "initrd").read_bytes()
    for unit in UNITS:
        initrd = cpio_without(initrd, f"/{unit}".encode())
    path = story_dir() / "bare"
    path.write_bytes(initrd)
    return path


def _journal(m: Machine, options: str) -> list[dict[str, str]]:
    lines = m.sh(f"journalctl -b -o json --output-fields=MESSAGE,_SOURCE_MONOTONIC_TIMESTAMP {options}").splitlines()
    return [json.loads(line) for line in lines]


def _entered(m: Machine) -> float:
    """When the initrd was done, in seconds from the kernel's start."""
    said = [it for it in _journal(m, "_PID=1") if it["MESSAGE"].startswith("Switching root")]
    return int(said[0]["__MONOTONIC_TIMESTAMP"]) / 1e6


def _finished() -> Disk:
    """A machine as it mostly is: its first boot is long over, and it is known good."""
    with Machine("overlay") as m:
        m.boot()
        m.wait_for("systemctl is-active health-checker.service", 240)
        m.poweroff()
        return m.disk


def _boot(name: str, drives: Sequence[Drive] = (), *, disk: Disk | None = None) -> float:
    """What the module adds. Waiting for the disk is the host's time: of some boots each, the quickest count."""
    entered: dict[bool, float] = {}
    for bare in (True, False) * BOOTS:
        print(f"  {name}{', without the module' if bare else ''}", file=sys.stderr, flush=True)
        copy = disk.copy() if disk else None
        with Machine("overlay", first_boot=disk is None, icount=True, drives=drives, disk=copy, cmdline=UNLIMITED) as m:
            if bare:
                m.initrd = bare_initrd()
            m.boot(timeout=600)
            entered[bare] = min(entered.get(bare, float("inf")), _entered(m))
            m.power_cut()
    return entered[False] - entered[True]


def _stick() -> float:
    """When all was done after the stick's disk had appeared, which takes the kernel its time."""
    later = []
    for _ in range(BOOTS):
        print("  stick", file=sys.stderr, flush=True)
        drives = [Stick("combustion", SCRIPT)]
        with Machine("overlay", first_boot=True, icount=True, drives=drives, cmdline=UNLIMITED) as m:
            m.boot(timeout=600)
            disks = [it for it in _journal(m, "-k") if "Attached SCSI removable disk" in it["MESSAGE"]]
            later.append(finished(m, UNITS[2]) - int(disks[0]["_SOURCE_MONOTONIC_TIMESTAMP"]) / 1e6)
            m.power_cut()
    return min(later)


def _row(what: str, value: float, limit: tuple[float, float]) -> Row:
    return at_most(f"guest: {what}", value * 1e3, limit[0] * 1e3, "ms", alternative=f"Combustion {limit[1]:g} s, known")


def claim() -> list[Row]:
    def added(what: str, limit: tuple[float, float], *drives: Drive) -> Row:
        return _row(f"first boot, {what}", _boot(what, drives), limit)

    return [
        _row("not a first boot", _boot("not a first boot", disk=_finished()), FINISHED),
        added("no drive", NO_DRIVE),
        added("a script on a virtual disk (FAT)", DRIVE, VirtioDisk("COMBUSTION", SCRIPT)),
        added("a script on a virtual disk (ext4)", DRIVE, VirtioDisk("combustion", SCRIPT, fs="ext4")),
        added("a script on a CD", DRIVE, Cdrom("combustion", SCRIPT)),
        _row("first boot, a script on a stick, from its disk on", _stick(), STICK),
    ]
