"""In the container, natively: a thousand checks of units take hardly longer than ten."""

from __future__ import annotations

from bed import Container

from .assess import OURS
from .meter import Costs, measure, middle, shown
from .table import Row, at_most

FEW, MANY = 10, 1000
ROUNDS, TIMES = 4, 10


def _settings(c: Container, units: int) -> None:
    c.sh(f"""
        mkdir -p /etc/health-checker
        {{ echo checks:; for i in $(seq {units}); do echo "  u$i: {{unit: hc-bench@$i.service}}"; done
        }} >/etc/health-checker/90-bench.yaml
    """)
    assert f"{units + 7} checks, no problems" in c.sh("health-checker config check")


def claim() -> list[Row]:
    few, many = Costs(), Costs()
    with Container("overlay") as c:
        c.boot()
        # All of them run in both cases: the checks are what differs.
        c.sh(f"""
            printf '[Service]\\nExecStart=/usr/bin/sleep infinity\\n' >/etc/systemd/system/hc-bench@.service
            systemctl daemon-reload
            systemctl start hc-bench@{{1..{MANY}}}.service
        """, timeout=300)
        for _ in range(ROUNDS):
            for units, costs in ((FEW, few), (MANY, many)):
                _settings(c, units)
                more = measure(c.notify.leader, TIMES, OURS, "assess", "--dry-run")
                costs.wall += more.wall
                costs.cpu += more.cpu
    limit = 2 * middle(few.wall) + 50
    return [
        at_most(f"assess --dry-run, {MANY} units: wall", middle(many.wall), round(limit, 1), "ms",
                shown=shown(many.wall), alternative=f"{FEW} units {shown(few.wall)}"),
        Row(f"assess --dry-run, {MANY} units: CPU, with children", shown(many.cpu),
            alternative=f"{FEW} units {shown(few.cpu)}"),
    ]
