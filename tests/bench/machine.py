"""In the machine, in guest time: a boot that nobody looks at, one with us, one with shell plugins, and
one with a unit in their place that does nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bed import Machine

from . import shell
from .complete import COMPLETE, tell_when
from .table import Row, at_most

_OURS = ("health-checker.service",)
_THEIRS = (shell.UNIT,)

#: The first boot of a snapshot is an update's, the others are every later one. Guest time repeats to
#: a few milliseconds, but waiting for the disk is the host's time: the smaller of two counts.
BOOTS = 3

#: What the shell program itself was measured to cost, in seconds, and how far its likeness may be
#: from that. One that costs less or more is a straw man.
THEIR_DELAY, THEIR_CPU, LIKENESS = 0.91, 0.49, 0.25
#: What part of the alternative's cost ours may be.
PART = 0.1


@dataclass(frozen=True)
class Boot:
    """One boot, in seconds of guest time."""

    #: From the system's first generator, ours may be one, until what waits for a healthy boot goes on.
    complete: float
    #: What systemd counted for each unit that assesses.
    cpu: dict[str, float]
    #: What the machine worked, from power on until it was asked.
    work: float
    #: The largest of those units' memory, in megabytes: also what they read from the disk first.
    peak_mb: float
    #: What a unit costs whose program does nothing.
    nothing: float


def _unwatched(root: Path) -> None:
    """Nothing of the health half runs; the initrd with its first boot stages stays as it is."""
    for link in (root / "etc/systemd/system").glob("*/health-checker*"):
        link.unlink()
    (root / "etc/systemd/system-generators/health-checker-generator").symlink_to("/dev/null")


def _theirs(root: Path) -> None:
    _unwatched(root)
    shell.install(root)
    shell.enable(root)


def _nothing(root: Path) -> None:
    _theirs(root)
    dropin = root / f"etc/systemd/system/{shell.UNIT}.d/nothing.conf"
    dropin.parent.mkdir()
    dropin.write_text("[Service]\nExecStart=\nExecStart=/usr/bin/true\n")


def _ours(_: Path) -> None:
    """The image is made with it."""


def _boot(m: Machine, units: tuple[str, ...]) -> Boot:
    m.start()
    m.console.wait(COMPLETE, 600)
    m.wait_agent()
    m.settle()
    # First of all: what is asked afterwards is work, too.
    work = int(m.sh("sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat"))
    begun = int(m.sh("systemctl show -P GeneratorsStartTimestampMonotonic"))
    complete = int(m.sh("systemctl show -P ActiveEnterTimestampMonotonic hc-bench-end.target"))
    accounts = {unit: _account(m, unit) for unit in units}
    m.sh("systemd-run -q -u hc-bench-true -p Type=oneshot -p RemainAfterExit=yes /usr/bin/true")
    nothing = _account(m, "hc-bench-true")
    m.poweroff()
    assert complete, "the boot was never complete"
    return Boot(
        complete=(complete - begun) / 1e6,
        cpu={unit: int(account["CPUUsageNSec"]) / 1e9 for unit, account in accounts.items()},
        work=work / 1e6,
        peak_mb=max((int(account["MemoryPeak"]) / 1e6 for account in accounts.values()), default=0),
        nothing=int(nothing["CPUUsageNSec"]) / 1e9,
    )


def _account(m: Machine, unit: str) -> dict[str, str]:
    text = m.sh(f"systemctl show {unit} --property=Result,ActiveState,CPUUsageNSec,MemoryPeak")
    found = dict(line.split("=", 1) for line in text.splitlines())
    assert (found["Result"], found["ActiveState"]) == ("success", "active"), f"{unit}: {found}"
    return found


def _boots(prepare: Callable[[Path], None], units: tuple[str, ...] = ()) -> list[Boot]:
    boots = []
    with Machine("overlay", icount=True, cmdline="systemd.wants=hc-bench-end.target") as m:
        with m.offline() as top, top.writable(1) as root:
            tell_when(root, requires="boot-complete.target")
            prepare(root)
        for number in range(BOOTS):
            print(f"  boot {number + 1} of {BOOTS}: {prepare.__name__[1:]}", file=sys.stderr, flush=True)
            boots.append(_boot(m, units))
    return boots


def _cpu(boots: list[Boot]) -> float:
    return min(sum(boot.cpu.values()) for boot in boots)


def _complete(boots: list[Boot]) -> float:
    return min(boot.complete for boot in boots)


def _like(what: str, value: float, known: float) -> Row:
    low, high = known * (1 - LIKENESS), known * (1 + LIKENESS)
    limit = f"{low:.2f}…{high:.2f} s"
    return Row(f"{what} (no straw man)", f"{value:.3f} s", limit, f"known: {known} s", low <= value <= high)


def _delay(ours: float, theirs: float, nothing: float) -> list[Row]:
    """The limit holds where it can be kept: some systems need longer to start any program there."""
    limit = theirs * PART
    ok = ours <= limit if nothing < limit else None
    return [
        Row("guest: boot delay", f"{ours * 1e3:.0f} ms", f"{limit * 1e3:.1f} ms", f"shell {theirs * 1e3:.0f} ms", ok),
        Row("guest: boot delay of a unit that does nothing", f"{nothing * 1e3:.0f} ms"),
        at_most("guest: boot delay beyond that", (ours - nothing) * 1e3, round((theirs - nothing) * PART * 1e3, 1), "ms",
                alternative=f"shell {(theirs - nothing) * 1e3:.0f} ms"),
    ]


def claim() -> list[Row]:
    first_unwatched, *unwatched = _boots(_unwatched)
    first, *ours = _boots(_ours, _OURS)
    first_theirs, *theirs = _boots(_theirs, _THEIRS)
    _, *nothing = _boots(_nothing, _THEIRS)
    base, work = _complete(unwatched), min(boot.work for boot in unwatched)
    delay, their_delay = _complete(ours) - base, _complete(theirs) - base
    cpu, their_cpu = _cpu(ours), _cpu(theirs)
    variants = (unwatched, ours, theirs, nothing)
    spread = max(max(boot.complete for boot in boots) - _complete(boots) for boots in variants)
    more = [min(boot.work for boot in boots) - work for boots in (ours, theirs)]
    floor = min(boot.nothing for boot in ours)
    each = min(ours, key=lambda boot: sum(boot.cpu.values())).cpu
    return [
        _like("guest: boot delay of the shell plugins", their_delay, THEIR_DELAY),
        _like("guest: CPU of the shell plugins", their_cpu, THEIR_CPU),
        *_delay(delay, their_delay, _complete(nothing) - base),
        at_most("guest: CPU of our units", cpu * 1e3, round(their_cpu * PART * 1e3, 1), "ms",
                alternative=f"shell {their_cpu * 1e3:.0f} ms"),
        Row("guest: boot delay, a snapshot's first boot", f"{(first.complete - first_unwatched.complete) * 1e3:.0f} ms",
            alternative=f"shell {(first_theirs.complete - first_unwatched.complete) * 1e3:.0f} ms"),
        *(Row(f"guest: CPU of {unit}", f"{used * 1e3:.1f} ms",
              alternative=f"with /usr/bin/true {floor * 1e3:.1f} ms") for unit, used in each.items()),
        Row("guest: work of the whole machine", f"{more[0] * 1e3:.0f} ms", alternative=f"shell {more[1] * 1e3:.0f} ms"),
        Row("guest: peak memory, pages of files included", f"{max(b.peak_mb for b in ours):.1f} MB",
            alternative=f"shell {max(b.peak_mb for b in theirs):.1f} MB"),
        Row("guest: boot that nobody looks at, from the generators on", f"{base:.3f} s",
            alternative=f"two boots differ by at most {spread * 1e3:.0f} ms"),
    ]
