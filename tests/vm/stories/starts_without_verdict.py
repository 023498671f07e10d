"""Starts that come to nothing: an update is left after three, a known good snapshot ends in safe mode."""

from bed import HANG_BEFORE_VERDICT, Machine

ETC = ("overlay",)
TIMEOUT = 900


def start_and_cut(m: Machine, times: int) -> None:
    for _ in range(times):
        m.start()
        m.wait_agent()
        m.power_cut()


def start_again(m: Machine) -> None:
    m.reboot(wait=False)
    m.wait_agent()
    m.wait_for("systemctl is-active health-checker-unfinished.service")


def story(etc: str) -> None:
    with Machine(etc) as m:
        m.boot()
        new = m.update(HANG_BEFORE_VERDICT)
        start_again(m)
        status = m.status()
        assert (m.booted(), status["snapshot"]["starts_without_verdict"]) == (new, 1), status
        # Ended in order, it was none that came to nothing.
        start_again(m)
        assert m.status()["snapshot"]["starts_without_verdict"] == 1, m.status()
        m.power_cut()
        start_and_cut(m, 2)
        # The fourth does not enter it any more.
        m.boot()
        status = m.status()
        assert (status["health"], status["snapshot"]["booted"]) == ("healthy", 1), status
        assert status["last_rollback"]["failed"] == ["starts without a verdict"], status

        m.sh(f"{HANG_BEFORE_VERDICT}sync -f /etc")
        m.power_cut()
        start_and_cut(m, 3)
        m.start()
        m.wait_agent()
        m.wait_for("systemctl is-active health-checker-safe.target")
        status = m.status()
        assert (status["safe_mode"], status["snapshot"]["booted"]) == (True, 1), status
        assert status["decision"]["action"] == "safe-mode", status
        assert m.sh("cat /proc/sys/kernel/panic") == "0"
        assert not m.run("systemctl is-active health-checker-deadline.timer")
        assert m.sh("systemctl is-active ssh.service") == "active"
        # Repaired, it is healthy again, and nothing is left of that.
        m.sh("rm /etc/health-checker/hangs.yaml; systemctl disable hangs.service")
        m.reboot()
        status = m.status()
        assert (status["health"], status["snapshot"]["starts_without_verdict"]) == ("healthy", 0), status
