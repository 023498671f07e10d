//! Version 1: a list of links, each with its subnets.

use super::links;

const ETH: &str = "{type: physical, name: eth0, subnets: [";

/// An entry of version 1.
fn v1(entries: &str) -> String {
    format!("version: 1\nconfig: [{entries}]")
}

#[test]
fn version_1() {
    let mac = "mac_address: 'AA:bb:cc:dd:ee:01'";
    for (entries, expected) in [
        (format!("{ETH}{{type: dhcp}}]}}"), "eth0 name=eth0 dhcp4"),
        (format!("{ETH}{{type: dhcp4}}, {{type: dhcp6}}]}}"), "eth0 name=eth0 dhcp4 dhcp6"),
        (format!("{ETH}{{type: ipv6_slaac}}]}}"), "eth0 name=eth0 ra"),
        (format!("{ETH}{{type: ipv6_dhcpv6-stateless}}]}}"), "eth0 name=eth0 ra"),
        (format!("{ETH}{{type: ipv6_dhcpv6-stateful}}]}}"), "eth0 name=eth0 dhcp6 ra"),
        (format!("{ETH}{{type: manual}}]}}"), "eth0 name=eth0"),
        (format!("{{type: physical, name: lan, {mac}}}"), "lan mac=aa:bb:cc:dd:ee:01 rename=lan"),
        (
            format!("{ETH}{{type: static, address: 10.0.0.2/24, gateway: 10.0.0.1, metric: 5}}]}}"),
            "eth0 name=eth0 10.0.0.2/24 0.0.0.0/0>10.0.0.1*5",
        ),
        (
            format!("{ETH}{{type: static, address: 10.0.0.2, netmask: 255.255.0.0}}]}}"),
            "eth0 name=eth0 10.0.0.2/16",
        ),
        (
            format!(
                "{ETH}{{type: static6, address: '2001:db8::2', netmask: 64, gateway: 'fe80::1'}}]}}"
            ),
            "eth0 name=eth0 2001:db8::2/64 ::/0>fe80::1",
        ),
        (
            format!(
                "{ETH}{{type: static, address: 10.0.0.2/24, dns_nameservers: [1.1.1.1, '::2'], \
                 dns_search: a.example b.example, routes: [{{network: 10.1.0.0, netmask: \
                 255.255.0.0, gateway: 10.0.0.9}}, {{destination: 0.0.0.0, gateway: 10.0.0.1}}]}}]}}"
            ),
            "eth0 name=eth0 10.0.0.2/24 10.1.0.0/16>10.0.0.9 0.0.0.0/0>10.0.0.1 dns=1.1.1.1 \
             dns=::2 in=a.example in=b.example",
        ),
    ] {
        assert_eq!(links(&v1(&entries)), [expected], "{entries}");
    }
}

#[test]
fn version_1_of_several_links() {
    let text = v1(
        "{type: physical, name: eth0}, {type: physical, name: eth1}, {type: bond, name: bond0, \
         bond_interfaces: [eth0, eth1], params: {bond-mode: 4, bond_miimon: 100, \
         bond-xmit_hash_policy: layer3+4}, subnets: [{type: static, address: 10.0.0.2/24}]}, \
         {type: vlan, name: bond0.7, vlan_link: bond0, vlan_id: 7, subnets: [{type: dhcp}]}, \
         {type: physical, name: eth2}, {type: bridge, name: br0, bridge_interfaces: [eth2], \
         params: {bridge_fd: 0, bridge_stp: 'on'}}, {type: nameserver, address: [9.9.9.9], search: \
         example.com}, {type: nameserver, interface: br0, address: 8.8.8.8}, {type: route, \
         destination: 10.2.0.0/16, gateway: 10.0.0.1, metric: 3}, {type: loopback, name: lo}",
    );
    let expected = [
        "eth0 name=eth0",
        "eth1 name=eth1",
        "bond0 bond(mode=802.3ad miimon=100 xmit_hash_policy=layer3+4) +eth0 +eth1 10.0.0.2/24 \
         10.2.0.0/16>10.0.0.1*3 dns=9.9.9.9 in=example.com",
        "bond0.7 vlan=7@bond0 dhcp4",
        "eth2 name=eth2",
        "br0 bridge(stp=true fd=Some(0)) +eth2 dns=8.8.8.8",
    ];
    assert_eq!(links(&text), expected);
}
