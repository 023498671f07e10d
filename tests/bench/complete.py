"""When a boot is complete, said by the machine itself: nothing has to be asked before."""

from __future__ import annotations

from pathlib import Path

#: Said on the console. Who asks the system instead whether it has started gets a signal for every
#: unit, and the boot pays for it.
COMPLETE = "hc-bench: the boot is complete"

#: Reached when what waits for a healthy boot may go on; costs nothing itself. Asked for on the kernel
#: command line: `systemd.wants=hc-bench-end.target`.
_END = """\
[Unit]
Description=The boot is complete
Requires={requires}
After=multi-user.target {after}
Wants=hc-bench-told.service
"""

_TOLD = f"""\
[Unit]
Description=Say that the boot is complete
After=hc-bench-end.target

[Service]
Type=oneshot
ExecStart=/usr/bin/echo {COMPLETE}
StandardOutput=tty
"""


def tell_when(root: Path, *after: str, requires: str = "") -> None:
    """In the system below `root`: when these units, and what is required, have been started."""
    system = root / "etc/systemd/system"
    (system / "hc-bench-end.target").write_text(_END.format(requires=requires, after=" ".join([*after, requires]).strip()))
    (system / "hc-bench-told.service").write_text(_TOLD)
