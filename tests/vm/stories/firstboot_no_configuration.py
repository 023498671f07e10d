"""A labelled stick with nothing for this machine on it is passed over, by name; the system starts as it is."""

from bed import Machine, Stick

ETC = ("overlay",)


def story(etc: str) -> None:
    stick = Stick("INSTALL", {"readme.txt": "an installer\n", "ignition/config.ign": "{}"})
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        m.start()
        m.wait_console(r"label INSTALL, vfat\) is passed over: it has a configuration for Ignition, which health-checker does not apply")
        m.wait_console("no configuration was found")
        m.wait_agent()
        m.settle()
        assert m.booted() == m.default() == 1 and m.snapshots() == [1]
        assert '"state": "none"' in m.sh("health-checker firstboot status --json")

        # The machine is finished: a stick that comes later is not looked at.
        stick.label, stick.files = "COMBUSTION", {"combustion/script": "#!/bin/bash\ntouch /etc/late\n"}
        m.reboot()
        assert m.booted() == 1 and m.snapshots() == [1]
        m.sh("test ! -e /etc/late")
