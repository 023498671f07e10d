"""A guest's console: kept whole, searched as it grows, shown with V=1."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .base import verbose
from .guest import Gone, TooLate

_ESCAPES = re.compile(r"\x1b(\[[0-9;?!]*[A-Za-z]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9])|\r|\x1bc")
#: What the kernel says of a processor whose timer does not fire any more. Emulating two of them on a busy host,
#: QEMU does that to one boot in a few dozens, and what waits for that processor waits for ever.
TIMER_LOST = "Possible timer handling issue on cpu="


class Console:
    """Reads a stream until it ends, in a thread of its own."""

    def __init__(self, stream: IO[bytes], log: Path, give_up: Callable[[], None] | None = None) -> None:
        """`give_up` is called where the machine behind it cannot come to an end any more."""
        self.give_up = give_up
        self.changed = threading.Condition()
        self.text = ""
        self.ended = False
        self.log = log.open("ab")
        self.stream = stream
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        while data := self.stream.read1(65536):  # type: ignore[attr-defined]
            self.log.write(data)
            self.log.flush()
            text = _ESCAPES.sub("", data.decode(errors="replace"))
            if verbose():
                sys.stderr.write(text)
            with self.changed:
                self.text += text
                if self.give_up and TIMER_LOST in self.text:
                    self.give_up()
                    self.give_up = None
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait(self, pattern: str, timeout: float) -> str:
        """Until the pattern stands on the console; the text that matched."""
        end = time.monotonic() + timeout
        with self.changed:
            while True:
                match = re.search(pattern, self.text, re.MULTILINE)
                if match:
                    return match.group(0)
                left = end - time.monotonic()
                if self.ended:
                    raise Gone(f"ended before the console said /{pattern}/\n{self.tail()}")
                if left <= 0:
                    raise TooLate(f"console: no /{pattern}/ within {timeout:.0f} s\n{self.tail()}")
                self.changed.wait(left)

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.text.splitlines()[-lines:])
