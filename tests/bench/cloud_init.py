"""In the machine, in guest time: the same NoCloud drive applied by us and by Debian's cloud-init.

What each adds is the difference to the same system with the same drive, and with nobody who reads it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from pathlib import Path

from bed import Machine, VirtioDisk, cpio_of
from bed.base import REPO, image_dir, story_dir
from bed.borrow import install
from bed.others import system

from .complete import COMPLETE, tell_when
from .firstboot import UNITS, UNLIMITED, bare_initrd
from .table import Row, at_most

#: Boots of each kind: by the quicker of two, the same one with nobody came out up to 0.14 s apart.
BOOTS = 4
#: Of cloud-init's CPU time, boot delay and memory.
CPU, DELAY, MEMORY = 1 / 20, 1 / 10, 1 / 5
#: A unit has ended, with what it used (sd-messages.h, SD_MESSAGE_UNIT_RESOURCES).
RESOURCES = "ae8f7b866b0347b9af31fe1c80b127c0"
#: systemd forgets at switch-root what a unit of the initrd used, so that it says so itself, in here. Twice: what
#: it takes to say it is the difference.
METERED = "/run/hc-bench."
_METER = f"""
ExecStartPost=/bin/bash -c 'read -r _ used </sys/fs/cgroup/system.slice/%n/cpu.stat; \\
    read -r peak </sys/fs/cgroup/system.slice/%n/memory.peak; echo "$used $peak" >>{METERED}%n'
"""

SEED = {
    "meta-data": "instance-id: i-1\nlocal-hostname: platform\n",
    # New host keys cost a second whoever deletes the old ones, and another time each time.
    "user-data": """#cloud-config
ssh_deletekeys: false
hostname: web1
users:
  - name: alice
    groups: [adm]
    ssh_authorized_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl admin@desk
write_files:
  - {path: /etc/app/app.conf, permissions: '0640', content: answer = 42}
  - {path: /var/lib/app/state, content: ready}
runcmd:
  - [sh, -c, 'id -un alice >/var/lib/app/user']
""",
}
#: Whose CPU time and memory count.
OURS = ("health-checker-boot*", "health-checker-final*")
THEIRS = ("cloud-*",)


@dataclass(frozen=True)
class Boot:
    """One first boot: seconds of guest time, and megabytes."""

    complete: float
    work: float
    cpu: float
    peak_mb: float


def _nobody(root: Path) -> None:
    install(root, "cloud-init")
    (root / "etc/cloud/cloud.cfg.d/99-bench.cfg").write_text("datasource_list: [NoCloud]\n")
    etc = root / "etc/systemd"
    for link in (etc / "system").glob("*/health-checker*"):
        link.unlink()
    (etc / "system-generators/cloud-init-generator").symlink_to("/dev/null")


def _theirs(root: Path) -> None:
    _nobody(root)
    (root / "etc/systemd/system-generators/cloud-init-generator").unlink()
    for unit in (root / "usr/lib/systemd/system").glob("cloud-*"):
        for target in re.findall(r"^WantedBy=(\S+)", unit.read_text(), re.MULTILINE):
            wants = root / f"etc/systemd/system/{target}.wants"
            wants.mkdir(exist_ok=True)
            (wants / unit.name).symlink_to(f"/usr/lib/systemd/system/{unit.name}")


def _boot(name: str, prepare: Callable[[Path], None], units: tuple[str, ...], initrd: Path) -> Boot:
    print(f"  first boot: {name}", file=sys.stderr, flush=True)
    cmdline = f"systemd.wants=hc-bench-end.target {UNLIMITED}"
    with Machine("overlay", first_boot=True, icount=True, drives=[VirtioDisk("CIDATA", SEED)], cmdline=cmdline) as m:
        with m.offline() as top, system(top) as root:
            prepare(root)
            tell_when(root, "cloud-final.service", "health-checker-final.service")
        m.initrd = initrd
        m.start()
        m.console.wait(COMPLETE, 900)
        m.wait_agent()
        # First of all: what is asked afterwards is work, too.
        work = int(m.sh("sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat"))
        complete = int(m.sh("systemctl show -P ActiveEnterTimestampMonotonic hc-bench-end.target"))
        if units:
            assert m.sh("cat /etc/hostname /var/lib/app/user") == "web1\nalice", name
            assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"
        used = _used(m, units)
        m.power_cut()
    return Boot(complete / 1e6, work / 1e6, sum(cpu for cpu, _ in used) / 1e6, max((peak for _, peak in used), default=0) / 1e6)


def _used(m: Machine, units: tuple[str, ...]) -> list[tuple[int, int]]:
    """CPU in microseconds and peak memory in bytes, of each unit: what those of the initrd left, what systemd
    said of those that have ended since, and what it shows of the others."""
    found = []
    said = [line.split() for line in m.sh(f"cat {METERED}* 2>/dev/null || true").splitlines()]
    for (first, peak), (second, _) in zip(said[::2], said[1::2], strict=True):
        found.append((2 * int(first) - int(second), int(peak)))
    for line in m.sh(f"journalctl -b -o json MESSAGE_ID={RESOURCES} --output-fields=UNIT,CPU_USAGE_NSEC,MEMORY_PEAK").splitlines():
        ended = json.loads(line)
        if any(fnmatch(ended["UNIT"], f"{unit}.service") for unit in units):
            found.append((int(ended.get("CPU_USAGE_NSEC", 0)) // 1000, int(ended.get("MEMORY_PEAK", 0))))
    for unit in units:
        text = m.sh(f"systemctl show --type=service --state=active -p CPUUsageNSec -p MemoryPeak '{unit}'")
        for block in text.split("\n\n"):
            shown = dict(line.split("=", 1) for line in block.splitlines())
            cpu, peak = (shown.get(key, "") for key in ("CPUUsageNSec", "MemoryPeak"))
            if cpu.isdecimal() and peak.isdecimal():
                found.append((int(cpu) // 1000, int(peak)))
    return found


def _metered_initrd() -> Path:
    """The image's, whose units leave what they used: with what it takes to read it."""
    # Their last section is [Service].
    files = {
        f"usr/lib/systemd/system/{unit}": (REPO / "systemd" / unit).read_bytes() + _METER.encode() * 2
        for unit in UNITS if unit.endswith(".service")
    }
    path = story_dir() / "metered"
    path.write_bytes((image_dir() / "initrd").read_bytes() + cpio_of(files))
    return path


def _quickest(name: str, prepare: Callable[[Path], None], units: tuple[str, ...], initrd: Path) -> Boot:
    """Waiting for the disk is the host's time: of some boots the smallest figures count."""
    boots = [_boot(name, prepare, units, initrd) for _ in range(BOOTS)]
    return Boot(*(min(getattr(boot, field.name) for boot in boots) for field in fields(Boot)))


def claim() -> list[Row]:
    bare = bare_initrd()
    nobody = _quickest("nobody reads the drive", _nobody, (), bare)
    theirs = _quickest("cloud-init", _theirs, THEIRS, bare)
    ours = _quickest("health-checker", _nobody, OURS, image_dir() / "initrd")
    # The meter takes time of its own, which the boot would wait for.
    metered = _boot("health-checker, metered", _nobody, OURS, _metered_initrd())
    delay, their_delay = (it.complete - nobody.complete for it in (ours, theirs))
    work, their_work = (it.work - nobody.work for it in (ours, theirs))

    def row(what: str, value: float, other: float, part: float, scale: float, unit: str) -> Row:
        return at_most(f"guest: NoCloud, {what}", value * scale, round(other * part * scale, 1), unit,
                       alternative=f"cloud-init {other * scale:.0f} {unit}")

    return [
        row("CPU of the units", metered.cpu, theirs.cpu, CPU, 1e3, "ms"),
        row("boot delay", delay, their_delay, DELAY, 1e3, "ms"),
        row("peak memory of a unit, pages of files included", metered.peak_mb, theirs.peak_mb, MEMORY, 1, "MB"),
        Row("guest: NoCloud, work of the whole machine", f"{work * 1e3:.0f} ms", alternative=f"cloud-init {their_work * 1e3:.0f} ms"),
    ]
