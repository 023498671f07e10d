"""What a program costs, native, from a process that is small itself: a child's peak memory begins with its parent's.

As a program: `python3 -S -m bench.spawned TIMES PROGRAM ARGUMENT…` prints a line a run: milliseconds and megabytes."""

import os
import sys
import time


def _main(times: int, command: list[str]) -> None:
    nothing = os.open("/dev/null", os.O_RDWR)
    for _ in range(times):
        started = time.perf_counter()
        pid = os.posix_spawn(command[0], command, {},
                             file_actions=[(os.POSIX_SPAWN_DUP2, nothing, to) for to in (0, 1, 2)])
        _, status, used = os.wait4(pid, 0)
        took = time.perf_counter() - started
        assert os.waitstatus_to_exitcode(status) in (0, 1), status
        print(took * 1e3, used.ru_maxrss / 1e3)


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2:])
