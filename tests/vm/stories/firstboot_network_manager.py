"""An initrd with NetworkManager: it brings the network up by DHCP, by the kernel command line, as a script
with "prepare" says; and says so where there is no network at all."""

from bed import Machine, Stick, Web
from bed.borrow import install
from bed.disk import Disk
from bed.others import initrd, system

ETC = ("overlay",)
TIMEOUT = 900

SCRIPT = """#!/bin/bash
# combustion: network{prepare}
set -e
{early}
curl --fail --silent --max-time 20 {url}/marker >/usr/share/marker
ip -4 -brief address >/usr/share/addresses
cat /etc/resolv.conf >/usr/share/resolv.conf
"""
PREPARE = """
if [ "${1-}" = --prepare ]; then
    umask 077
    mkdir -p /etc/NetworkManager/system-connections
    printf '%s\\n' '[connection]' id=fixed type=ethernet '[ipv4]' method=manual \\
        address1=10.0.2.77/24,10.0.2.2 'dns=10.0.2.3;' >/etc/NetworkManager/system-connections/fixed.nmconnection
    exit 0
fi
"""
IP = "ip=10.0.2.55::10.0.2.2:255.255.255.0::eth0:none nameserver=10.0.2.3 net.ifnames=0"


def story(etc: str) -> None:
    disk = Disk(etc)
    with disk.mounted() as top, system(top) as root:
        install(root, "network-manager")
        # The started system's network is the image's own.
        (root / "etc/systemd/system/NetworkManager.service").symlink_to("/dev/null")
    made = initrd(disk)
    with Web({"/marker": "from the server"}) as web:
        for cmdline, prepare, address in (
            ("", "", "10.0.2.15/24"), (IP, "", "10.0.2.55/24"), ("", PREPARE, "10.0.2.77/24"),
        ):
            text = SCRIPT.format(url=web.url, early=prepare, prepare=" prepare" if prepare else "")
            stick = Stick("COMBUSTION", {"combustion/script": text})
            with Machine(etc, first_boot=True, network=True, drives=[stick], disk=disk.copy(), cmdline=cmdline) as m:
                m.initrd = made
                m.boot()
                assert m.sh("cat /usr/share/marker") == "from the server"
                assert address in m.sh("cat /usr/share/addresses"), m.sh("cat /usr/share/addresses")
                assert "nameserver 10.0.2.3" in m.sh("cat /usr/share/resolv.conf")
                assert "NetworkManager" in m.sh("journalctl -b -o cat _COMM=NetworkManager | head -n 1; "
                                                "journalctl -b -o short -t NetworkManager | head -n 1")
                assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"

    # No network card: an answer, with what to look at, and nothing was changed.
    with Machine(etc, first_boot=True, drives=[stick], disk=disk.copy()) as m:
        m.initrd = made
        m.start()
        m.wait_console(r"FIRST BOOT FAILED: .*the network does not come up: no interface has got an address", 180)
        m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1
