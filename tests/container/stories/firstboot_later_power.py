"""power_state: after the verdict, once, not counted as a failed start; and never in an unhealthy boot."""

from bed import Container
from bed.later import configuration, ran, result, text

SHORT = True
ETC = ("overlay",)
POWER = {"mode": "reboot", "delay_minutes": 0, "message": "bye", "condition": {"shell": "test -e /run/yes"},
         "timeout_s": 30}
SICK = "checks: {data: {command: [/usr/bin/test, -e, /var/lib/data]}}"


def story(etc: str) -> None:
    with Container(etc) as c:
        c.boot()
        say_yes = [{"shell": "touch /run/yes"}]
        c.sh(configuration(bootcmd=[], power_state=POWER | {"condition": None}))
        c.sh(f"mkdir -p /etc/health-checker; echo '{SICK}' >/etc/health-checker/data.yaml")
        # Unhealthy: a reboot is health-checker's to decide, and it is counted; then safe mode.
        c.reboot(wait=False)
        c.expect_reboot(wait=False)
        c.wait_for("systemctl is-active health-checker-safe.target")
        assert c.record()["automatic_reboots"] == 1, c.record()
        # Healthy: once, after the verdict, and nothing is counted.
        c.sh("touch /var/lib/data")
        c.reboot(wait=False)
        c.expect_reboot()
        assert c.status()["health"] == "healthy", c.status()
        assert (c.record()["automatic_reboots"], c.status()["snapshot"]["starts_without_verdict"]) == (0, 0)
        journal = c.sh("journalctl -b -1 -o cat --no-pager")
        assert journal.index("mark good: all required checks passed") < journal.index("power_state: reboot.target"), journal
        assert c.booted() == c.default() == 1

        # A script that reboots the machine has ended well, and what comes after it runs at the next start.
        scripts = [{"name": "a", "when": "instance", "text": text("systemctl reboot")}]
        c.sh(configuration(instance_id="i-2", scripts=scripts))
        c.reboot(wait=False)
        c.expect_reboot()
        assert ran(c) == ["hook", "bootcmd i-2", "hook", "bootcmd i-2", "runcmd"]
        assert result(c)["failed"] == [], result(c)
        assert c.status()["snapshot"]["starts_without_verdict"] == 0

        # Its condition decides; a poweroff is one.
        c.sh(configuration(instance_id="i-3", power_state=POWER | {"mode": "poweroff"}))
        c.reboot()
        c.wait_for("journalctl -b -o cat --no-pager | grep 'its condition says no'")
        c.sh(configuration(instance_id="i-4", bootcmd=say_yes, power_state=POWER | {"mode": "poweroff"}))
        c.ask("reboot")
        assert c.wait_end() == "reboot"
        c.start()
        assert c.wait_end() == "poweroff"
