"""What a program costs that runs in a container: a process of its own enters, starts it and counts.

As a program: `python3 -m bench.meter LEADER TIMES PROGRAM ARGUMENT…` prints one JSON object a run.
"""

from __future__ import annotations

import json
import os
import resource  # os.wait4 needs it, and within the container there is no Python
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

NAMESPACES = (os.CLONE_NEWNS | os.CLONE_NEWPID | os.CLONE_NEWUTS | os.CLONE_NEWIPC
              | os.CLONE_NEWNET | os.CLONE_NEWCGROUP)
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin", "HOME": "/root"}


@dataclass
class Costs:
    """Of one program, run after run, in milliseconds."""

    wall: list[float] = field(default_factory=list)
    #: With the programs that it started and waited for.
    cpu: list[float] = field(default_factory=list)


def middle(values: list[float]) -> float:
    return statistics.median(values)


def shown(values: list[float]) -> str:
    """The middle one, which counts, the quickest and the slowest."""
    return f"{middle(values):.1f} ms ({min(values):.1f}…{max(values):.1f})"


def measure(leader: int | None, times: int, *program: str) -> Costs:
    """Runs a program so many times in the container whose first process is `leader`."""
    command = [sys.executable, "-B", "-S", "-m", "bench.meter", str(leader), str(times), *program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program}: {done.stderr}"
    costs = Costs()
    for line in done.stdout.splitlines():
        run = json.loads(line)
        assert run["code"] == 0, f"{program}: exit status {run['code']}\n{done.stderr}"
        costs.wall.append(run["wall"] * 1e3)
        costs.cpu.append(run["cpu"] * 1e3)
    return costs


def measure_turns(leader: int | None, times: int, *programs: Sequence[str]) -> list[Costs]:
    """Each so many times, by turns: what else the machine does then meets them all."""
    all_costs = [Costs() for _ in programs]
    for _ in range(times):
        for costs, program in zip(all_costs, programs):
            one = measure(leader, 1, *program)
            costs.wall += one.wall
            costs.cpu += one.cpu
    return all_costs


def _run_once(program: list[str]) -> dict[str, float]:
    nothing = os.open("/dev/null", os.O_RDWR)
    started = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        os.execve(program[0], program, ENVIRONMENT)
    _, status, used = os.wait4(child, 0)
    took = time.perf_counter() - started
    os.close(nothing)
    code = os.waitstatus_to_exitcode(status)
    return {"wall": took, "cpu": used.ru_utime + used.ru_stime, "code": code}


def _main() -> None:
    leader, times, *program = sys.argv[1:]
    assert resource
    os.setns(os.pidfd_open(int(leader)), NAMESPACES)
    for _ in range(int(times)):
        print(json.dumps(_run_once(program)))


if __name__ == "__main__":
    _main()
