"""A first boot waits for drives as long as something is coming: not at all, for a slow stick, as long as it was told to."""

from bed import Machine, Stick

ETC = ("overlay",)
TIMEOUT = 900
FILES = {"combustion/script": "#!/bin/sh\necho configured >/etc/hostname\n"}
FETCH = "journalctl -b --no-pager -o cat -u firstboot-fetch.service"
#: To the system, that is no virtual machine: its drives may power up slowly.
METAL = ["-cpu", "max,-hypervisor", "-smbios", "type=0,vendor=Acme", "-smbios",
         "type=1,manufacturer=Acme,product=Box", "-smbios", "type=2,manufacturer=Acme,product=Board"]


def first_boot(m: Machine) -> str:
    m.wait_agent()
    m.settle()
    return m.sh(FETCH)


def story(etc: str) -> None:
    # Nothing is there, and nothing can come.
    with Machine(etc, first_boot=True) as m:
        m.start()
        said = first_boot(m)
        assert "no configuration was found" in said and "waiting" not in said, said

    # The device is there, its disk is late: the driver waits.
    stick = Stick("COMBUSTION", FILES)
    with Machine(etc, first_boot=True, drives=[stick], cmdline="usb-storage.delay_use=8") as m:
        m.start()
        said = first_boot(m)
        assert "waiting" not in said and m.sh("cat /etc/hostname") == "configured", said

    # Somebody is to plug it in.
    with Machine(etc, first_boot=True, cmdline="firstboot.wait=60") as m:
        m.start()
        m.wait_console("waiting 60 s more for drives")
        m.plug(stick)
        first_boot(m)
        assert m.sh("cat /etc/hostname") == "configured"

    # On real hardware some seconds are left for what powers up slowly, unless somebody knows better.
    with Machine(etc, first_boot=True, extra=METAL) as m:
        m.start()
        m.wait_console("Waiting 5 s for drives; any key goes on")
        m.wait_console("Waiting 1 s for drives")
        assert "no configuration was found" in first_boot(m)
        m.poweroff()
    with Machine(etc, first_boot=True, extra=METAL) as m:
        m.start()
        m.wait_console("Waiting 5 s for drives; any key goes on")
        m.type("x")
        said = first_boot(m)
        assert "a key was pressed: no longer waiting for drives" in said, said
        assert "Waiting 1 s" not in m.console.text, m.console.tail()
