"""Seeds from where clouds put them: a server that the command line names, a config drive, OpenStack's metadata service. A changed instance-id on a stick changes nothing on a finished machine, the platform's does. One asks for the power to go off when it is done, after the verdict."""

import json
from typing import Any

from bed import Machine, Stick, VirtioDisk, Web
from bed.base import story_dir

ETC = ("nested",)
TIMEOUT = 900

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl cloud"
META = {"uuid": "83679162-1378-4288-a2d4-70e13ec132aa", "hostname": "vm1.novalocal", "public_keys": {"k": KEY}}
FORWARD = """
import socket, sys, threading
server = socket.create_connection(("127.0.0.1", {port}))
def pump():
    while data := server.recv(65536):
        sys.stdout.buffer.write(data); sys.stdout.buffer.flush()
threading.Thread(target=pump).start()
while data := sys.stdin.buffer.raw.read(65536):
    server.sendall(data)
"""


def script(name: str) -> str:
    return f"#!/bin/sh\necho {name} $(hostname) >>/var/log/script\n"


def applied(m: Machine) -> dict[str, Any]:
    m.boot()
    assert m.booted() == m.default() == 2
    m.wait_for("test -s /var/log/script")
    instance: dict[str, Any] = json.loads(m.sh("cat /etc/health-checker/instance.json"))
    return instance


def story(etc: str) -> None:
    include = "#include\n{url}/more\n"
    seed = {"/seed/meta-data": "instance-id: from-http\nlocal-hostname: web\n", "/more": script("included")}
    with Web(seed) as web:
        web.add("/seed/user-data", include.format(url=web.url))
        cmdline = f"ds=nocloud;s={web.url}/seed/"
        with Machine(etc, first_boot=True, network=True, cmdline=cmdline) as m:
            assert applied(m)["instance_id"] == "from-http"
            assert m.sh("cat /var/log/script") == "included web"
            status = m.sh("health-checker firstboot status")
            assert f"{web.url}/seed/" in status, status
            # Another instance-id on a stick is not the platform's word.
            m.drives = [Stick("cidata", {"meta-data": "instance-id: i-2\n", "user-data": script("stick")})]
            m.reboot()
            assert m.booted() == 2 and m.snapshots() == [1, 2]
            assert m.sh("cat /var/log/script") == "included web"
            # But what the platform says is: the disk was copied for another machine.
            m.drives, m.extra = [], ["-smbios", "type=1,serial=ds=nocloud;i=i-3;h=copy"]
            m.reboot()
            assert m.booted() == m.default() == 3
            m.wait_for("grep -q copy /var/log/script")
            assert json.loads(m.sh("cat /etc/health-checker/instance.json"))["instance_id"] == "i-3"
            m.reboot()
            assert m.booted() == 3 and m.sh("cat /var/log/script") == "included web\nincluded copy"

    off = "#cloud-config\nruncmd: ['echo drive $(hostname) >>/var/log/script']\npower_state: {mode: poweroff, delay: now}\n"
    drive = {"openstack/latest/meta_data.json": json.dumps(META), "openstack/latest/user_data": off}
    with Machine(etc, first_boot=True, drives=[VirtioDisk("config-2", drive)]) as m:
        m.start()
        assert m.wait_end(TIMEOUT / 3) == "poweroff"
        with m.offline() as top:
            assert (top.snapshots(), top.default()) == ([1, 2], 2)
            instance = json.loads((top.etc(2) / "health-checker/instance.json").read_text())
            assert (instance["datasource"], instance["instance_id"]) == ("ConfigDrive", META["uuid"])
            assert top.var("log/script").read_text() == "drive vm1\n"
            # The image's default user, with the platform's key.
            assert KEY in (top.path / "@/home/debian/.ssh/authorized_keys").read_text()
            assert 'login as the user \\"debian\\"' in (top.path / "@/root/.ssh/authorized_keys").read_text()
            record = json.loads(top.var("lib/health-checker/record").read_text().splitlines()[1])
            assert [it["snapshot"]["number"] for it in record["known_good"]] == [2], "it did not wait for the verdict"

    service = {"/openstack/latest/meta_data.json": json.dumps(META), "/openstack": "latest\n",
               "/openstack/latest/user_data": script("service")}
    with Web(service) as web:
        forward = story_dir() / "forward.py"
        forward.write_text(FORWARD.format(port=web.server.server_address[1]))
        nic = ["-nic", "user,model=virtio-net-pci,net=169.254.0.0/16,dhcpstart=169.254.0.15,"
                       f"guestfwd=tcp:169.254.169.254:80-cmd:/usr/bin/python3 {forward}",
               "-smbios", "type=1,product=OpenStack Nova"]
        with Machine(etc, first_boot=True, extra=nic) as m:
            instance = applied(m)
            assert (instance["datasource"], instance["instance_id"]) == ("OpenStack", META["uuid"])
            assert m.sh("cat /var/log/script") == "service vm1"
