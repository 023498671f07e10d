"""The machine loses its power in a rollback, before and after the default has changed, and in the reboot."""

from bed import DAMAGE_WEBD, Machine
from bed.moments import BEFORE_SET_DEFAULT, BEFORE_THE_END, IN_THE_REBOOT

ETC = ("overlay",)
TIMEOUT = 1500
BAD = f"{DAMAGE_WEBD};"


def story(etc: str) -> None:
    for moment, default in (("before-set-default", 2), ("before-the-end", 1), ("in-the-reboot", 1)):
        with Machine(etc) as m:
            m.boot()
            m.update(BAD + BEFORE_SET_DEFAULT + BEFORE_THE_END + IN_THE_REBOOT)
            m.reboot(wait=False)
            m.wait_agent()
            m.wait_for(f"test -e /run/{moment}", 180)
            assert m.default() == default
            m.power_cut()
            # What was intended is completed in the initrd: the bad one is not entered again.
            m.boot(wait=False)
            m.wait_agent()
            m.wait_for("systemctl is-active health-checker.service", 180)
            status = m.status()
            assert status["health"] == "healthy", status
            assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 1, status
            assert status["last_rollback"]["failed"] == ["webd"], status
