"""How long a unit of the initrd took, in guest time, by systemd's own messages."""

from __future__ import annotations

import json

from bed import Machine

#: That a unit is started, and that it has finished (sd-messages.h).
_STARTING, _FINISHED = "7d4958e842da4a758f6c1cdc7b36dcc5", "39f53479d3a045ac8e11786248231fbf"


def _times(m: Machine, unit: str) -> dict[str, int]:
    said = m.sh(f"journalctl -b -o json _PID=1 UNIT={unit} --output-fields=MESSAGE_ID,__MONOTONIC_TIMESTAMP")
    times: dict[str, int] = {}
    for line in said.splitlines():
        entry = json.loads(line)
        times.setdefault(entry.get("MESSAGE_ID", ""), int(entry["__MONOTONIC_TIMESTAMP"]))
    return times


def finished(m: Machine, unit: str) -> float:
    """When it had finished, in seconds from the kernel's start."""
    return _times(m, unit)[_FINISHED] / 1e6


def took(m: Machine, unit: str) -> float:
    """In seconds; none if it had nothing to do."""
    times = _times(m, unit)
    return (times[_FINISHED] - times[_STARTING]) / 1e6 if _STARTING in times else 0.0
