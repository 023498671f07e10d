"""A narrated timeline for the demonstration: what happens, when, and that it still moves."""

from __future__ import annotations

import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .base import verbose

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Timeline:
    def __init__(self) -> None:
        self.started = time.monotonic()
        # With the raw console on the same terminal a spinner would only be in the way.
        self.live = sys.stdout.isatty() and not verbose()

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self.started)
        return f"{seconds // 60:2d}:{seconds % 60:02d}"

    def say(self, text: str) -> None:
        print(f"{self._clock()}  {text}", flush=True)

    def show(self, text: str) -> None:
        """Something from inside the machine, set apart from the narrator's words."""
        for line in text.rstrip().splitlines():
            print(f"       │ {line}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """What takes a while: a spinner on a terminal, else a line at the beginning."""
        started = time.monotonic()
        if not self.live:
            self.say(f"{text} …")
            yield
            return
        done = threading.Event()
        clock = self._clock()

        def spin() -> None:
            for turn in range(1 << 30):
                frame = _FRAMES[turn % len(_FRAMES)]
                waited = int(time.monotonic() - started)
                line = textwrap.shorten(text, 90, placeholder="…")
                sys.stdout.write(f"\r\033[K{clock}  {frame} {line} ({waited} s)")
                sys.stdout.flush()
                if done.wait(0.15):
                    return

        spinner = threading.Thread(target=spin, daemon=True)
        spinner.start()
        try:
            yield
        finally:
            done.set()
            spinner.join()
            print(f"\r\033[K{clock}  {text}", flush=True)
