"""A configuration in the image itself is used first, then the hypervisor's in all its ways, and drives only where there is neither."""

from bed import Machine, Stick
from bed.base import story_dir

ETC = ("nested",)


def script(name: str) -> str:
    return f"#!/bin/sh\necho {name} >/etc/hostname\n"


def source(m: Machine) -> str:
    m.boot()
    assert m.booted() == m.default() == 2
    return m.sh("health-checker firstboot status | sed -n 's/^ *source: //p'") + ": " + m.sh("cat /etc/hostname")


def story(etc: str) -> None:
    hypervisors = story_dir() / "script"
    hypervisors.write_text(script("hypervisor"))
    stick = Stick("COMBUSTION", {"combustion/script": script("stick")})
    extra = ["-fw_cfg", f"name=opt/org.opensuse.combustion/script,file={hypervisors}"]
    with Machine(etc, first_boot=True, drives=[stick], extra=extra) as m:
        assert source(m) == "fw_cfg opt/org.opensuse.combustion/script: hypervisor"
    with Machine(etc, first_boot=True, drives=[stick], extra=extra) as m:
        with m.offline() as top, top.writable(1) as root:
            inside = root / "usr/lib/health-checker/firstboot/combustion"
            inside.mkdir(parents=True)
            (inside / "script").write_text(script("image"))
        assert source(m) == "/usr/lib/health-checker/firstboot in the image: image"
    # Where only the disk shows it: /var is not mounted yet.
    with Machine(etc, first_boot=True, drives=[stick]) as m:
        with m.offline() as top:
            seed = top.var("lib/cloud/seed/nocloud")
            seed.mkdir(parents=True)
            (seed / "user-data").write_text("#cloud-config\nhostname: seeded\n")
            (seed / "meta-data").write_text("instance-id: in-the-image\n")
        assert source(m) == "/var/lib/cloud/seed/nocloud in the image: seeded"
    # The hypervisor's other ways.
    credential = ["-fw_cfg", f"name=opt/io.systemd.credentials/combustion.script,file={hypervisors}"]
    with Machine(etc, first_boot=True, drives=[stick], extra=credential) as m:
        assert source(m) == "credential combustion.script: hypervisor"
    served = story_dir() / "tftp"
    served.mkdir()
    (served / "script").write_text(script("smbios"))
    smbios = ["-smbios", "type=11,value=combustion.url=tftp://10.0.2.2/script",
              "-nic", f"user,model=virtio-net-pci,tftp={served}"]
    with Machine(etc, first_boot=True, drives=[stick], extra=smbios) as m:
        assert source(m) == "tftp://10.0.2.2/script (named by SMBIOS): smbios"
    # What the hypervisor gives and cannot be run stops the boot, by name.
    hypervisors.write_text("echo no interpreter\n")
    with Machine(etc, first_boot=True, drives=[stick], extra=extra) as m:
        m.start()
        m.wait_console("FIRST BOOT FAILED: .*fw_cfg opt/org.opensuse.combustion/script.*line 1: no interpreter is named")
        m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
