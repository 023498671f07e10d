//! Each rule of the formats is a row: what is written, and what is made of it, in few words.

use std::fmt::Write;

use super::*;
use crate::firstboot::configuration::{Link, LinkKind};

fn read_text(text: &str) -> (Option<Network>, Vec<String>) {
    let (network, problems) = read(&Named { source: "n".into(), bytes: text.as_bytes().to_vec() });
    (network, problems.iter().map(ToString::to_string).collect())
}

/// A link in few words.
fn told(link: &Link) -> String {
    let mut out = link.id.value.clone();
    match &link.kind {
        LinkKind::Ethernet(by) => {
            if let Some(mac) = &by.mac {
                write!(out, " mac={}", mac.value).unwrap();
            }
            for (key, value) in [("name", &by.name), ("driver", &by.driver)] {
                if let Some(value) = value {
                    write!(out, " {key}={}", value.value).unwrap();
                }
            }
        }
        LinkKind::Vlan(vlan) => {
            write!(out, " vlan={}@{}", vlan.number, vlan.parent.value).unwrap();
        }
        LinkKind::Bond(bond) => {
            let settings = bond.settings.iter();
            let settings: Vec<_> =
                settings.map(|it| format!("{}={}", it.option.kernel, it.value)).collect();
            write!(out, " bond({})", settings.join(" ")).unwrap();
        }
        LinkKind::Bridge(bridge) => {
            write!(out, " bridge(stp={} fd={:?})", bridge.stp, bridge.forward_delay_s).unwrap();
        }
    }
    for member in link.members() {
        write!(out, " +{}", member.value).unwrap();
    }
    if let Some(name) = &link.set_name {
        write!(out, " rename={}", name.value).unwrap();
    }
    let it = &link.addressing;
    for (is_so, word) in
        [(it.dhcp4, " dhcp4"), (it.dhcp6, " dhcp6"), (it.accept_ra == Some(true), " ra")]
    {
        out.push_str(if is_so { word } else { "" });
    }
    for address in &it.addresses {
        write!(out, " {}", address.value).unwrap();
    }
    for route in &it.routes {
        let via = route.via.map_or("-".to_owned(), |it| it.to_string());
        write!(out, " {}>{via}", route.to).unwrap();
        if let Some(metric) = route.metric {
            write!(out, "*{metric}").unwrap();
        }
    }
    for server in &it.nameservers {
        write!(out, " dns={}", server.value).unwrap();
    }
    for domain in &it.search {
        write!(out, " in={}", domain.value).unwrap();
    }
    out
}

fn links(text: &str) -> Vec<String> {
    let (network, problems) = read_text(text);
    assert_eq!(problems, [""; 0], "{text}");
    network.map_or_else(Vec::new, |it| it.links.iter().map(told).collect())
}

/// An entry of version 1.
fn v1(entries: &str) -> String {
    format!("version: 1\nconfig: [{entries}]")
}

const ETH: &str = "{type: physical, name: eth0, subnets: [";

#[test]
fn what_asks_for_nothing() {
    for text in [
        "",
        "{}",
        "config: disabled",
        "network: {config: disabled}",
        "network:",
        "version: 2",
        "version: 2\nethernets: {}",
        "version: 1\nconfig: []",
        r#"{"links": [{"id": "a", "type": "phy"}], "networks": [], "services": []}"#,
    ] {
        assert_eq!(read_text(text), (None, Vec::new()), "{text}");
    }
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

#[test]
fn version_2() {
    for (text, expected) in [
        ("{eth0: {dhcp4: true, dhcp6: 'yes'}}", "eth0 name=eth0 dhcp4 dhcp6"),
        ("{eth0: }", "eth0 name=eth0"),
        (
            "{a: {match: {macaddress: '02:00:00:00:00:01'}, set-name: lan}}",
            "a mac=02:00:00:00:00:01 rename=lan",
        ),
        ("{all: {match: {name: 'en*', driver: virtio_net}}}", "all name=en* driver=virtio_net"),
        ("{all: {match: {}}}", "all"),
        (
            "{eth0: {addresses: [10.0.0.2/24, '2001:db8::2/64', 10.0.0.3/24], gateway4: 10.0.0.1, \
             routes: [{to: default, via: 'fe80::1'}, {to: 10.9.0.1, via: 10.0.0.4, metric: 7}, \
             {to: 10.8.0.7/16, via: 10.0.0.4}], nameservers: {addresses: [1.1.1.1], search: [a.b]}}}",
            "eth0 name=eth0 10.0.0.2/24 2001:db8::2/64 10.0.0.3/24 0.0.0.0/0>10.0.0.1 \
             ::/0>fe80::1 10.9.0.1/32>10.0.0.4*7 10.8.0.0/16>10.0.0.4 dns=1.1.1.1 in=a.b",
        ),
    ] {
        let ethernets = format!("version: 2\nrenderer: networkd\nethernets: {text}");
        assert_eq!(links(&ethernets), [expected], "{text}");
        let outer = format!("network:\n  version: '2'\n  ethernets: {text}");
        assert_eq!(links(&outer), [expected], "{text}");
    }
}

#[test]
fn version_2_of_several_links() {
    let text = "version: 2\nethernets: {e1: {}, e2: {}, e3: {}}\n\
        bonds: {b: {interfaces: [e1, e2], parameters: {mode: active-backup, primary: e1, \
        mii-monitor-interval: 1s, arp-ip-targets: [10.0.0.1, 10.0.0.2], all-slaves-active: true}}}\n\
        bridges: {br: {interfaces: [e3], parameters: {forward-delay: 4, path-cost: {e3: 9}}}}\n\
        vlans: {v5: {id: 5, link: b, dhcp4: on}}";
    let expected = [
        "e1 name=e1",
        "e2 name=e2",
        "e3 name=e3",
        "b bond(mode=active-backup miimon=1000 all_slaves_active=1 \
         arp_ip_target=10.0.0.1,10.0.0.2) +e1 +e2",
        "br bridge(stp=true fd=Some(4)) +e3",
        "v5 vlan=5@b dhcp4",
    ];
    assert_eq!(links(text), expected);
}

#[test]
fn network_data() {
    let phy = |id: &str, last: u8| {
        format!(
            r#"{{"id": "{id}", "type": "ovs", "ethernet_mac_address": "fa:16:3e:00:00:0{last}", "mtu": null, "vif_id": "x"}}"#
        )
    };
    let text = format!(
        r#"{{"links": [{{"id": "v", "type": "vlan", "vlan_link": "tap00000000-02", "vlan_id": 101,
            "vlan_mac_address": "fa:16:3e:00:00:09"}}, {}, {}, {},
           {{"id": "agg", "type": "bond", "bond_links": ["p1", "p2"], "bond_mode": "802.3ad",
             "bond_miimon": 100, "bond_xmit_hash_policy": "layer3+4"}},
           {{"id": "w", "type": "vlan", "vlan_link": "agg", "vlan_id": 7}}],
          "networks": [
           {{"id": "n0", "type": "ipv4", "link": "v", "ip_address": "10.0.0.2", "netmask": "255.255.255.0",
             "network_id": "x", "routes": [{{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"}}],
             "services": [{{"type": "dns", "address": "10.0.0.3"}}]}},
           {{"id": "n1", "type": "ipv6", "link": "v", "ip_address": "2001:db8::2/64",
             "routes": [{{"network": "::", "netmask": "::", "gateway": "2001:db8::1"}}]}},
           {{"id": "n2", "type": "ipv6_dhcpv6-stateful", "link": "tap00000000-02"}},
           {{"id": "n3", "type": "ipv4_dhcp", "link": "w"}}],
          "services": [{{"type": "dns", "address": "9.9.9.9"}}]}}"#,
        phy("tap00000000-02", 1),
        phy("p1", 2),
        phy("p2", 3),
    );
    let expected = [
        "tap00000000-02 mac=fa:16:3e:00:00:01 dhcp6 ra",
        "p1 mac=fa:16:3e:00:00:02",
        "p2 mac=fa:16:3e:00:00:03",
        "bond0 bond(mode=802.3ad miimon=100 xmit_hash_policy=layer3+4) +p1 +p2",
        // "tap00000000-02.101" would be too long for an interface.
        "vlan101 vlan=101@tap00000000-02 10.0.0.2/24 2001:db8::2/64 0.0.0.0/0>10.0.0.1 \
         ::/0>2001:db8::1 dns=10.0.0.3 dns=9.9.9.9",
        "bond0.7 vlan=7@bond0 dhcp4",
    ];
    assert_eq!(links(&text), expected);
}

/// Of what is wrong with a text, one thing is at the place that is marked by `^`, and says that.
fn problem(marked: &str, severity: &str, says: &str) {
    let (_, problems) = read_text(&marked.replacen('^', "", 1));
    let before = marked.split_once('^').map(|(before, _)| before);
    let place = before.map_or("n:".to_owned(), |before| {
        let line = before.rsplit('\n').next().unwrap_or_default();
        format!("n:{}:{}: {severity}: ", before.matches('\n').count() + 1, line.len() + 1)
    });
    let fits = |it: &String| it.starts_with(&place) && it.contains(says);
    assert!(problems.iter().any(fits), "{marked}: {problems:?}, not {place}{says}");
}

#[test]
fn what_is_wrong_with_a_value() {
    for (ethernet, says) in [
        // YAML 1.1 makes a number of an address of nothing but digits below 60.
        ("{match: {macaddress: ^52:54:00:12:34:56}}", "put it in quotes"),
        ("{match: {macaddress: ^'52:54:00'}}", "is no MAC address"),
        ("{match: {macaddress: ^\"a\\nb\"}}", "is no MAC address"),
        ("{match: {name: ^'en;s'}}", "cannot be used"),
        ("{addresses: [^10.0.0.2]}", "write it as \"10.0.0.2/24\""),
        ("{addresses: [^10.0.0.2/33]}", "at most 32"),
        ("{addresses: [^[]]}", "must be text"),
        ("{gateway4: ^'::1'}", "must be an IPv4 address"),
        ("{mtu: ^12}", "from 68 to 65535"),
        ("{mtu: ^99999999999999999999}", "from 68 to 65535"),
        ("{mtu: ^[1]}", "a whole number"),
        ("{dhcp4: ^maybe}", "must be true or false"),
        ("{^routing-policy: []}", "is not supported"),
        ("{set-name: ^x}", "set-name needs match"),
        ("{nameservers: {search: [^\"a\\nDHCP=yes\"]}}", "cannot be used"),
        ("{nameservers: {addresses: [^dns.example]}}", "is no IP address"),
        ("{routes: [^{via: 10.0.0.1}]}", "has no \"to\""),
        ("{routes: [{to: ^default}]}", "needs \"via\""),
        ("{routes: [^{to: 10.0.0.0/8, via: '::1'}]}", "all be IPv4, or all"),
        ("{routes: [{to: '::/0', via: '::1', ^scope: link}]}", "is not supported"),
        ("{link-local: [^ipv5]}", "a list of ipv4 and ipv6"),
        ("{dhcp-identifier: ^ip}", "mac or duid"),
        ("^7", "must be a mapping"),
        ("{gateway4: 10.0.0.1, routes: [^{to: 0.0.0.0/0, via: 10.0.0.2}]}", "two gateways"),
    ] {
        problem(&format!("version: 2\nethernets: {{e: {ethernet}}}"), "error", says);
    }
    problem("version: 2\nethernets: {e: {^dhcp5: true}}", "warning", "did you mean \"dhcp4\"");
}

#[test]
fn what_is_wrong_with_links() {
    for (text, says) in [
        ("version: ^3", "must be 1 or 2"),
        ("^ethernets: {}", "write version: 1 or version: 2"),
        ("^[]", "is a mapping"),
        ("network: ^[]", "is a mapping"),
        ("a: [", "this is not YAML"),
        ("version: 2\n^wifis: {w: {}}", "\"wifis\""),
        ("version: 2\nethernets: ^[]", "a mapping from names to links"),
        ("version: 2\nethernets: {^../x: {}}", "a part of a file's name"),
        ("version: 2\nethernets: {^0123456789abcdef: {}}", "no interface's name"),
        ("version: 2\nbonds: {b: {interfaces: [^e0]}}", "which is not there"),
        ("version: 2\nvlans: {v: {id: 5, link: ^e0}}", "which is not there"),
        ("version: 2\nvlans: {^v: {link: v}}", "has no \"id\""),
        ("version: 2\nvlans: {v: {id: ^4095, link: v}}", "from 0 to 4094"),
        ("version: 2\nvlans: {^v: {id: 1, link: w}, w: {id: 1, link: v}}", "again"),
        ("version: 2\nbridges: {^b: {interfaces: [b]}}", "again"),
        (
            "version: 2\nethernets: {e: {}}\nbridges: {a: {interfaces: [e]}, b: {interfaces: [^e]}}",
            "a member of \"a\" already",
        ),
        (
            "version: 2\nethernets: {^e: {dhcp4: true}}\nbridges: {a: {interfaces: [e]}}",
            "write them there",
        ),
        ("version: 2\nethernets: {e: {}}\nbridges: {^e: {}}", "two links called"),
        (
            "version: 2\nethernets: {e: {}}\nvlans: {a: {id: 1, link: e}, ^b: {id: 1, link: e}}",
            "two VLANs on \"e\"",
        ),
        ("version: 2\nbonds: {b: {parameters: { mode: ^fast}}}", "balance-rr"),
        ("version: 2\nbonds: {b: {parameters: {^speed: 1}}}", "no option"),
        ("version: 1\nconfig: [{type: ^tunnel, name: x}]", "\"tunnel\""),
        ("version: 1\nconfig: [^{type: physical}]", "has no \"name\""),
        ("version: 1\nconfig: [^7]", "has a type"),
        (
            "version: 1\nconfig: [{type: physical, name: e, subnets: [{type: static, address: \
             ^10.0.0.2}]}]",
            "or netmask beside it",
        ),
        (
            "version: 1\nconfig: [{type: physical, name: e, subnets: [{type: static, address: \
             10.0.0.2, netmask: ^255.0.255.0}]}]",
            "255.255.255.0",
        ),
        (
            "version: 1\nconfig: [^{type: route, destination: 10.0.0.0/8, gateway: 10.0.0.1}]",
            "no link has an address",
        ),
        (r#"{"networks": [{"type": "ipv4_dhcp", "link": ^"a"}]}"#, "no link of the id"),
        (
            r#"{"links": [^{"id": "a", "type": "phy"}], "networks": [{}]}"#,
            "no \"ethernet_mac_address\"",
        ),
    ] {
        problem(text, "error", says);
    }
    let two = "version: 2\nethernets: {a: {gateway4: 10.0.0.1}, b: {gateway4: ^10.0.0.2}}";
    problem(two, "warning", "chance");
}

#[test]
fn bytes_that_are_no_text() {
    let (network, problems) = read(&Named { source: "n".into(), bytes: vec![0xff] });
    assert!(
        network.is_none()
            && problems[0].to_string() == "n: error: the network's configuration is not UTF-8"
    );
}

#[test]
fn many_links_take_time_in_proportion() {
    let vlans: String = (1..=4094).map(|it| format!(" v{it}: {{id: {it}, link: e}}\n")).collect();
    let (network, problems) =
        read_text(&format!("version: 2\nethernets: {{e: {{}}}}\nvlans:\n{vlans}"));
    assert_eq!((network.unwrap().links.len(), problems.len()), (4095, 0));
    let ethernets: String = (1..=8193).map(|it| format!(" e{it}: {{}}\n")).collect();
    let (_, problems) = read_text(&format!("version: 2\nethernets:\n{ethernets}"));
    assert_eq!(problems, ["n:1:1: error: more than 8192 links"]);
}
