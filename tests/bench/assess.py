"""In the container, natively: what `assess` costs on a healthy system with the default checks."""

from __future__ import annotations

import json
from pathlib import Path

from bed import Container

from . import shell
from .memory import peaks
from .meter import measure_turns, middle, shown
from .table import Row, at_most

OURS = "/usr/bin/health-checker"
SETTINGS = Path("/etc/health-checker/90-bench.yaml")
#: Runs of each.
TIMES = 40

WALL_MS, CPU_MS, PEAK_MB = 40, 20, 12


def claim() -> list[Row]:
    with Container("overlay") as c:
        with c.offline() as top, top.writable(1) as root:
            shell.install(root)
        c.boot()
        assert c.status()["health"] == "healthy", c.status()
        leader = c.notify.leader
        # The true one writes the record each time; the first is not measured, for it also marks
        # the snapshot.
        c.sh("health-checker assess --act")
        full, others = measure_turns(leader, TIMES, (OURS, "assess", "--act"), (shell.PROGRAM,))
        c.sh(f"mkdir -p {SETTINGS.parent}; echo 'checks: {{rpmdb: null}}' >{SETTINGS}")
        dry, true, start, nothing = measure_turns(
            leader, TIMES, (OURS, "assess", "--dry-run"), (OURS, "assess", "--act"),
            (OURS, "--version"), ("/usr/bin/true",),
        )
        c.sh(f"rm {SETTINGS}")
        memory, their_memory = peaks(leader, OURS, "assess", "--act"), peaks(leader, shell.PROGRAM)
        checks = json.loads(c.sh("health-checker check --json"))["checks"]
        slowest = max(checks, key=lambda check: check["duration_ms"])
        size = int(c.sh(f"stat -c %s {OURS}"))
    ours = memory.pop("health-checker")
    return [
        # The check of RPM's database takes as long as that takes.
        at_most("assess --dry-run, rpmdb aside: wall", middle(dry.wall), WALL_MS, "ms", shown=shown(dry.wall)),
        at_most("assess --dry-run, rpmdb aside: CPU, with children", middle(dry.cpu), CPU_MS, "ms",
                shown=shown(dry.cpu)),
        at_most("assess, record written, rpmdb aside: wall", middle(true.wall), WALL_MS, "ms",
                shown=shown(true.wall)),
        at_most("assess, record written, rpmdb aside: CPU, with children", middle(true.cpu), CPU_MS, "ms",
                shown=shown(true.cpu)),
        Row("assess, record written: wall", shown(full.wall), alternative=f"shell {shown(others.wall)}"),
        Row("assess, record written: CPU, with children", shown(full.cpu),
            alternative=f"shell {shown(others.cpu)}"),
        at_most("peak memory: health-checker", ours, PEAK_MB, "MB",
                alternative=f"shell's largest {max(their_memory.values()):.1f} MB"),
        *(at_most(f"peak memory: {name}, its child", peak, PEAK_MB, "MB")
          for name, peak in sorted(memory.items())),
        Row(f"slowest of its {len(checks)} checks: {slowest['name']}", f"{slowest['duration_ms']} ms"),
        Row("start of the program (--version): wall", shown(start.wall),
            alternative=f"/usr/bin/true {shown(nothing.wall)}"),
        Row("start of the program (--version): CPU", shown(start.cpu),
            alternative=f"/usr/bin/true {shown(nothing.cpu)}"),
        Row("size of the binary", f"{size / 1e6:.2f} MB"),
    ]
