"""How much memory a program needed at most, process by process.

Not from `getrusage`: that also counts what the process was before it became the program. So the
kernel stops each process when it ends (ptrace), and its own account is read then.

As a program: `python3 -m bench.memory LEADER PROGRAM ARGUMENT…` prints a JSON object, names to megabytes.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys

from .meter import ENVIRONMENT, NAMESPACES

_TRACEME, _CONT, _SETOPTIONS = 0, 7, 0x4200
#: Who is forked or cloned is followed as well, and everyone stops at the end.
_EXIT, _OPTIONS = 6, 0x02 | 0x04 | 0x08 | 0x10 | 0x40
_ALL = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_long]


def peaks(leader: int | None, *program: str) -> dict[str, float]:
    """The largest of the processes of each name, in megabytes."""
    command = [sys.executable, "-B", "-S", "-m", "bench.memory", str(leader), *program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program}: {done.stderr}"
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _ptrace(request: int, pid: int, data: int = 0) -> None:
    if _libc.ptrace(request, pid, 0, data) != 0:
        raise OSError(ctypes.get_errno(), f"ptrace({request}, {pid})")


def _trace(program: list[str], proc: int) -> dict[str, float]:
    child = os.fork()
    if child == 0:
        nothing = os.open("/dev/null", os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        _ptrace(_TRACEME, 0)
        os.execve(program[0], program, ENVIRONMENT)
    os.waitpid(child, 0)  # stopped, as the program, before its first instruction
    _ptrace(_SETOPTIONS, child, _OPTIONS)
    _ptrace(_CONT, child)
    found: dict[str, float] = {}
    known = {child}
    while True:
        try:
            pid, status = os.waitpid(-1, _ALL)
        except ChildProcessError:
            return found
        if not os.WIFSTOPPED(status):
            assert pid != child or status == 0, f"{program[0]}: status {status:#x}"
            continue
        event, signal = status >> 16, os.WSTOPSIG(status)
        if event == _EXIT:
            name, peak = _account(proc, pid)
            found[name] = max(peak, found.get(name, 0))
        # The stop that announces a new process or thread is not for it, nor is an event's.
        hand_on = 0 if event or pid not in known else signal
        known.add(pid)
        try:
            _ptrace(_CONT, pid, hand_on)
        except ProcessLookupError:
            pass  # killed meanwhile


def _account(proc: int, pid: int) -> tuple[str, float]:
    with open(os.open(f"{pid}/status", os.O_RDONLY, dir_fd=proc), encoding="utf-8") as status:
        text = status.read()
    with open(os.open(f"{pid}/cmdline", os.O_RDONLY, dir_fd=proc), encoding="utf-8") as cmdline:
        name = os.path.basename(cmdline.read().split("\0")[0])
    peak = re.search(r"^VmHWM:\s*(\d+) kB", text, re.MULTILINE)
    return name, int(peak.group(1)) / 1024 if peak else 0


def _main() -> None:
    leader, *program = sys.argv[1:]
    proc = os.open("/proc", os.O_RDONLY)
    os.setns(os.pidfd_open(int(leader)), NAMESPACES)
    print(json.dumps(_trace(program, proc)))


if __name__ == "__main__":
    _main()
