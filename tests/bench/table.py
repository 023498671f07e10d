"""What was measured, as one table with a verdict on each line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure. `ok` is None where there is no limit: it is only reported."""

    what: str
    measured: str
    limit: str = ""
    #: What others need for the same, in the same run.
    alternative: str = ""
    ok: bool | None = None

    @property
    def verdict(self) -> str:
        return {True: "ok", False: "OVER", None: ""}[self.ok]


def at_most(what: str, value: float, limit: float, unit: str, *, shown: str = "",
            alternative: str = "") -> Row:
    """A figure that must not be larger than its limit."""
    said = shown or f"{value:.1f} {unit}"
    return Row(what, said, f"{limit:g} {unit}", alternative, value <= limit)


def text(rows: Iterable[Row]) -> str:
    """The table."""
    head = ("what", "measured", "limit", "alternative, same run", "")
    cells = [head, *((r.what, r.measured, r.limit, r.alternative, r.verdict) for r in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in cells]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])
