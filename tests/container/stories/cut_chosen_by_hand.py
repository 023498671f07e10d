"""The power is cut while people are told that a snapshot chosen by hand fails, and later: nothing is touched."""

from bed import Container
from bed.moments import BEFORE_THE_END, cut_at, hold

SHORT = True
ETC = ("nested",)
RECORDS = "cat /var/lib/health-checker/record /.snapshots/.health-checker/record"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        c.update("truncate -s 4096 /usr/libexec/hc-demo/webd;" + BEFORE_THE_END)
        records = c.sh(RECORDS)
        c.poweroff()
        with c.offline() as top:
            top.set_default(1)
        c.chosen = 2
        hold(c, "before-the-end")
        c.boot(wait=False)
        cut_at(c, "before-the-end")
        for _ in range(2):
            c.settle()
            status = c.status()
            assert (status["health"], status["decision"]["action"]) == ("unhealthy", "none"), status
            assert status["snapshot"]["booted"] == 2 and status["snapshot"]["default"] == 1, status
            assert c.sh(RECORDS) == records
            c.power_cut()
            c.boot(wait=False)
        c.power_cut()
        c.chosen = None
        c.boot()
        status = c.status()
        assert status["health"] == "healthy" and status["snapshot"]["booted"] == 1, status
        assert status["snapshot"]["known_good"] == [1], status
