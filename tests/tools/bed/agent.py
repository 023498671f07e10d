"""The wire to the test machine: commands over a virtio-serial port, events over QMP."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from .guest import Gone, Result, TooLate


def connect(path: Path, timeout: float = 10) -> socket.socket:
    """Connects as soon as QEMU listens."""
    end = time.monotonic() + timeout
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(path))
            return sock
        except OSError:
            sock.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.02)


class Agent:
    """The guest's hand; see tests/vm/guest/files/usr/libexec/hc-test/agent for the protocol."""

    def __init__(self, path: Path) -> None:
        self.sock = connect(path)
        self.data = b""
        self.ids = itertools.count(1)

    def _fill(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TooLate("the guest's agent does not answer")
        self.sock.settimeout(left)
        try:
            more = self.sock.recv(1 << 16)
        except TimeoutError as error:
            raise TooLate("the guest's agent does not answer") from error
        except OSError as error:
            raise Gone("the machine has ended") from error
        if not more:
            raise Gone("the machine has ended")
        self.data += more

    def _line(self, end: float) -> list[str]:
        while b"\n" not in self.data:
            self._fill(end)
        line, self.data = self.data.split(b"\n", 1)
        return line.decode(errors="replace").split()

    def _bytes(self, count: int, end: float) -> bytes:
        while len(self.data) < count:
            self._fill(end)
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def hello(self, timeout: float) -> str:
        """The boot id, once the agent runs."""
        end = time.monotonic() + timeout
        while True:
            words = self._line(end)
            if words[:1] == ["HELLO"]:
                return words[1]

    def run(self, script: str, timeout: float) -> Result:
        number, data = next(self.ids), script.encode()
        end = time.monotonic() + timeout + 10  # the agent ends it first
        try:
            self.sock.sendall(b"RUN %d %d %d\n%s" % (number, int(timeout + 0.999), len(data), data))
        except OSError as error:
            raise Gone("the machine has ended") from error
        while True:
            words = self._line(end)
            if words[:1] == ["DONE"]:
                out = self._bytes(int(words[3]), end)
                err = self._bytes(int(words[4]), end)
                if int(words[1]) == number:
                    return Result(int(words[2]), out, err)

    def close(self) -> None:
        self.sock.close()


class Qmp:
    """QEMU's control socket: commands, and the events that say how a machine ended."""

    def __init__(self, path: Path) -> None:
        self.sock = connect(path)
        self.changed = threading.Condition()
        self.events: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.open = True
        threading.Thread(target=self._read, daemon=True).start()
        self.command("qmp_capabilities")

    def _read(self) -> None:
        try:
            for line in self.sock.makefile("rb"):
                message = json.loads(line)
                with self.changed:
                    if "event" in message:
                        self.events.append(message)
                    elif "QMP" not in message:
                        self.answers.append(message)
                    self.changed.notify_all()
        except (OSError, ValueError):
            pass
        with self.changed:
            self.open = False
            self.changed.notify_all()

    def command(self, name: str, **arguments: Any) -> Any:
        request = {"execute": name, "arguments": arguments}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        with self.changed:
            if not self.changed.wait_for(lambda: self.answers or not self.open, 20):
                raise TooLate(f"QMP {name}")
            if not self.answers:
                raise Gone("the machine has ended")
            answer = self.answers.pop(0)
        assert "error" not in answer, f"QMP {name}: {answer}"
        return answer["return"]

    def shutdown_reason(self) -> str:
        """`guest-reset`, `guest-shutdown`, … or nothing, when QEMU was killed."""
        for event in self.events:
            if event["event"] == "SHUTDOWN":
                return str(event["data"]["reason"])
        return ""
