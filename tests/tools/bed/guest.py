"""What a machine and a container have in common: commands, snapshots, waiting for events."""

from __future__ import annotations

import json
import shlex
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from .base import sh
from .damages import DAMAGE_WEBD
from .disk import Disk, snapshot_number

T = TypeVar("T")


class Failed(AssertionError):
    """A command in the guest that should have succeeded."""


class TooLate(AssertionError):
    """Something did not happen within its time."""


class Gone(AssertionError):
    """The guest went away (reboot, power off, panic) under a command."""


@dataclass(frozen=True)
class Result:
    """What a command gave back; binary safe, with text at hand."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self) -> str:
        return self.stdout.decode(errors="replace").strip()

    @property
    def err(self) -> str:
        return self.stderr.decode(errors="replace").strip()

    def __bool__(self) -> bool:
        return self.code == 0


def eventually(what: str, probe: Callable[[], T], timeout: float = 60) -> T:
    """Asks until the answer is true. For what has no event of its own; otherwise wait for that."""
    end = time.monotonic() + timeout
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise TooLate(f"{what}: not within {timeout:.0f} s")
        time.sleep(0.2)


class Guest(ABC):
    """A running system under test."""

    disk: Disk
    name = "container"
    #: Said by a failing story before it turned the guest off.
    told = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind and not self.told:
            self.told = self.last_words()
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Ends it, however it stands, and lets go of what it holds."""

    @abstractmethod
    def running(self) -> bool:
        """Whether commands have somebody to answer them."""

    @abstractmethod
    def console_tail(self) -> str:
        """The end of what stood on its console."""

    def last_words(self) -> str:
        """For a failure's report: the end of the console and of the journal, alive or from the disk."""
        text = f"--- {self.name}: end of its console\n{self.console_tail()}\n--- {self.name}: end of its journal\n"
        try:
            if self.running():
                return text + self.run("journalctl -b --no-pager -o short-monotonic -n 60", 10).out
            with self.disk.mounted() as top:
                return text + sh("journalctl", "-D", top.var("log/journal"), "--no-pager", "-n", "60")
        except (AssertionError, RuntimeError, OSError) as error:
            return f"{text}(none: {error})"

    @abstractmethod
    def run(self, script: str, timeout: float = 60) -> Result:
        """Runs a shell script as root, whatever comes of it."""

    @abstractmethod
    def boot(self, wait: bool = True, timeout: float = 180) -> Any:
        """Starts it; with `wait`, until the system has settled."""

    @abstractmethod
    def wait_end(self, timeout: float = 120) -> str:
        """Until it ends by itself: `reboot` or `poweroff`."""

    def sh(self, script: str, timeout: float = 60) -> str:
        """Runs a shell script that must succeed; its standard output."""
        done = self.run(script, timeout)
        if not done:
            raise Failed(f"`{script}` ended with {done.code}\n{done.out}\n{done.err}")
        return done.out

    def wait_for(self, script: str, timeout: float = 60) -> None:
        """Until the script succeeds in the guest."""
        eventually(script, lambda: bool(self.run(script)), timeout)

    def settle(self, timeout: float = 120) -> str:
        """Until no start job is left: `running`, `degraded`, …"""
        # Asked before the bus is up, systemctl waits for nothing, and knows nothing.
        states: list[str] = []

        def settled() -> bool:
            states.append(self.run("systemctl is-system-running --wait", timeout).out)
            return states[-1] not in ("", "initializing", "starting", "offline", "unknown")

        eventually("the end of the start", settled, timeout)
        return states[-1]

    def expect_reboot(self, wait: bool = True, timeout: float = 120) -> None:
        """The system reboots by itself; then it is started again."""
        end = self.wait_end(timeout)
        assert end == "reboot", f"expected a reboot, got {end}"
        self.boot(wait=wait)

    def reboot(self, wait: bool = True) -> None:
        """An orderly reboot, asked for from inside."""
        self.ask("systemctl reboot")
        self.expect_reboot(wait=wait)

    def poweroff(self) -> None:
        self.ask("systemctl poweroff")
        end = self.wait_end()
        assert end == "poweroff", f"expected the power to go off, got {end}"

    def ask(self, command: str) -> None:
        """A command that may end the guest before it has answered."""
        try:
            self.run(command)
        except Gone:
            pass  # faster than its answer

    # The words of this project

    def booted(self) -> int:
        """The number of the running snapshot."""
        return snapshot_number(self.sh("findmnt -no FSROOT /"))

    def default(self) -> int:
        """The number of the snapshot that the next start takes."""
        return snapshot_number(self.sh("btrfs subvolume get-default /"))

    def snapshots(self) -> list[int]:
        return sorted(int(n) for n in self.sh("ls /.snapshots").split() if n.isdigit())

    def update(self, script: str = "true") -> int:
        """A transaction that runs `script` in a new snapshot; the new default's number."""
        self.sh(f"update-stand-in run bash -ec {shlex.quote(script)}", timeout=120)
        return self.default()

    def break_webd(self) -> int:
        """An update that damages the mandatory service's program for real."""
        return self.update(DAMAGE_WEBD)

    def status(self) -> dict[str, Any]:
        """`health-checker status --json`, whatever its exit status is."""
        done = self.run("health-checker status --json")
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise Failed(f"status --json: exit {done.code}, no JSON: {done.out} {done.err}") from error
        return found

    def record(self) -> dict[str, Any]:
        """What the product remembers from boot to boot: its file, below the line that seals it."""
        found: dict[str, Any] = json.loads(self.sh("sed 1d /var/lib/health-checker/record"))
        return found

    def look(self, *checks: str, timeout: float = 60) -> dict[str, dict[str, Any]]:
        """Sets these lines below `checks:` and runs all checks now; what they found, by name."""
        if checks:
            lines = "checks:\n" + "".join(f"  {line}\n" for line in checks)
            self.sh("mkdir -p /etc/health-checker; "
                    f"printf %s {shlex.quote(lines)} >/etc/health-checker/90-story.yaml")
            valid = self.run("health-checker config check")
            assert valid, valid.out
        done = self.run("health-checker check --json", timeout)
        found: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
        return {check["name"]: check for check in found}
