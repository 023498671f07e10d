"""A configured system on probation: one whose checks fail stays reachable, one that does not come up goes back to the
pristine one, which takes it once more at most, and another configuration at once."""

from bed import Machine, Stick

ETC = ("overlay",)
TIMEOUT = 1500
WHOLE = "#!/bin/bash\necho whole >/etc/hostname\n"

#: A service of the configuration's own that does not start.
UNHEALTHY = """#!/bin/bash
mkdir -p /etc/health-checker
echo 'checks: {payload: {unit: payload.service}}' >/etc/health-checker/50-payload.yaml
printf '[Service]\\nExecStart=/usr/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/payload.service
systemctl enable payload.service
"""

#: The system manager is gone: a look at the files shows it.
BROKEN = "#!/bin/bash\nrm /usr/lib/systemd/systemd\n"

#: It panics before anybody could judge it; a start without a verdict, each time.
PANICS = """#!/bin/bash
mkdir -p /etc/health-checker
echo 'policy: {unfinished_boots: 1}' >/etc/health-checker/50-policy.yaml
cat >/etc/systemd/system/panic.service <<END
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
ExecStart=/bin/sh -c 'echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger'
[Install]
WantedBy=sysinit.target
END
systemctl enable panic.service
"""


def checks_fail(etc: str) -> None:
    with Machine(etc, first_boot=True, drives=[Stick("COMBUSTION", {"combustion/script": UNHEALTHY})]) as m:
        m.start()
        assert m.wait_end(240) == "reboot"
        m.boot(wait=False)
        m.wait_agent()
        m.wait_for("systemctl is-active health-checker-safe.target", 240)
        status = m.status()
        assert status["snapshot"]["booted"] == status["snapshot"]["default"] == 2, status
        assert status["safe_mode"], status


def does_not_come_up(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": BROKEN})
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        m.start()
        m.wait_console("first boot is done: going on into snapshot 2")
        assert m.wait_end(240) == "reboot"
        with m.offline() as top:
            assert top.default() == 1
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*it was applied before, and snapshot 2 would not have come up")
        m.power_cut()
        stick.files = {"combustion/script": WHOLE}
        m.boot()
        assert m.sh("cat /etc/hostname") == "whole"
        assert m.booted() == m.default() == 3
        m.wait_for("systemctl is-active health-checker.service", 180)
        assert m.status()["snapshot"]["known_good"] == [3]


def never_comes_to_a_verdict(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": PANICS})
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        for snapshot in (2, 3):
            m.start()
            m.wait_console(f"first boot is done: going on into snapshot {snapshot}")
            assert m.wait_end(240) == "panic"
            m.start()  # one start came to nothing: back to the pristine one
            assert m.wait_end(240) == "reboot"
            with m.offline() as top:
                assert top.default() == 1
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*it was applied 2 times, and what it made never came to a verdict")
        m.power_cut()
        # The administrator's word.
        stick.files = {"combustion/script": PANICS}
        m.cmdline = "firstboot.retry"
        m.start()
        m.wait_console("first boot is done: going on into snapshot 4")


def story(etc: str) -> None:
    checks_fail(etc)
    does_not_come_up(etc)
    never_comes_to_a_verdict(etc)
