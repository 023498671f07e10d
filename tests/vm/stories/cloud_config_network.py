"""A seed's network: a static address, routes, names and a VLAN, by systemd-networkd and by NetworkManager; a wrong
address is refused before anything is changed."""

from bed import Cdrom, Machine, Stick, Web
from bed.borrow import install
from bed.disk import Disk
from bed.others import system

ETC = ("overlay",)
TIMEOUT = 900

#: QEMU gives it to its first card.
MAC = "52:54:00:12:34:56"
NIC = ["-nic", f"user,model=virtio-net-pci,mac={MAC}"]
V2 = f"""version: 2
ethernets:
  uplink:
    match: {{macaddress: "{MAC}"}}
    set-name: lan0
    addresses: [10.0.2.77/24]
    routes: [{{to: default, via: 10.0.2.2}}]
    nameservers: {{addresses: [10.0.2.3], search: [example.org]}}
vlans:
  guests: {{id: 7, link: uplink, addresses: [192.0.2.7/24]}}
"""
V1 = f"""version: 1
config:
  - type: physical
    name: lan0
    mac_address: "{MAC}"
    subnets: [{{type: static, address: 10.0.2.78/24, gateway: 10.0.2.2, dns_nameservers: [10.0.2.3]}}]
  - type: vlan
    name: guests
    vlan_link: lan0
    vlan_id: 7
    subnets: [{{type: static, address: 192.0.2.8/24}}]
"""
SEED = {"meta-data": "instance-id: i-1\n", "user-data": "#cloud-config\nhostname: web1\n"}


def story(etc: str) -> None:
    with Web({"/marker": "from the server"}) as web:
        stick = Stick("CIDATA", SEED | {"network-config": V2})
        with Machine(etc, first_boot=True, network=True, drives=[stick]) as m:
            m.boot()
            _is_up(m, web, "10.0.2.77/24", "192.0.2.7/24")
            assert "10.0.2.3" in m.sh("resolvectl dns lan0") and "example.org" in m.sh("resolvectl domain lan0")

        with Machine(etc, first_boot=True, extra=NIC, disk=_managed(etc),
                     drives=[Stick("CIDATA", SEED | {"network-config": V1})]) as m:
            m.boot()
            _is_up(m, web, "10.0.2.78/24", "192.0.2.8/24")
            assert "cloud-init" in m.sh("nmcli --terse --fields NAME,DEVICE connection show --active")
            assert m.sh("stat -c %a /etc/NetworkManager/system-connections/*").splitlines() == ["600", "600"]

    wrong = V2.replace("10.0.2.77/24", "10.0.2.777/24")
    with Machine(etc, first_boot=True, drives=[Cdrom("cidata", SEED | {"network-config": wrong})]) as m:
        m.start()
        m.wait_console("network-config:6:17: error: .*10.0.2.777")
        m.power_cut()
        with m.offline() as top:
            assert top.snapshots() == [1] and top.default() == 1


def _managed(etc: str) -> Disk:
    """A system whose network NetworkManager configures, as MicroOS' is."""
    disk = Disk(etc)
    with disk.mounted() as top, system(top) as root:
        install(root, "network-manager")
        units = root / "etc/systemd/system"
        for link in units.glob("*/systemd-networkd*"):
            link.unlink()
        wants = units / "multi-user.target.wants"
        (wants / "NetworkManager.service").symlink_to("/usr/lib/systemd/system/NetworkManager.service")
    return disk


def _is_up(m: Machine, web: Web, address: str, guests: str) -> None:
    m.wait_for(f"ip -4 -brief address show lan0 | grep -F {address}")
    m.wait_for(f"ip -4 -brief address show guests | grep -F {guests}")
    assert m.sh("ip -4 route show default").startswith("default via 10.0.2.2 dev lan0")
    assert "id 7" in m.sh("ip -details link show guests")
    assert m.sh(f"curl --fail --silent --max-time 20 {web.url}/marker") == "from the server"
    assert m.sh("hostname") == "web1"
    assert not m.sh("systemctl --failed --plain --no-legend"), "failed units"
