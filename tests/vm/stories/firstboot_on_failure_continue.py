"""firstboot.on-failure=continue: the system starts as it was, and its next start is a first boot again."""

from bed import Machine, Stick

ETC = ("overlay",)


def story(etc: str) -> None:
    stick = Stick("COMBUSTION", {"combustion/script": "#!/bin/bash\necho half >/etc/marker\nexit 1\n"})
    with Machine(etc, first_boot=True, drives=[stick], cmdline="firstboot.on-failure=continue") as m:
        m.boot()
        assert m.booted() == m.default() == 1 and m.snapshots() == [1]
        m.sh("test ! -e /etc/marker")
        assert '"state": "failed"' in m.sh("health-checker firstboot status --json")
        m.sh("grep -q '[0-9a-f]' /etc/machine-id")

        stick.files = {"combustion/script": "#!/bin/bash\necho whole >/etc/marker\n"}
        m.reboot()
        assert m.booted() == m.default() == 2
        assert m.sh("cat /etc/marker") == "whole"
