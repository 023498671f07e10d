//! What is wrong is named with its place, and what to write instead.

use super::{Named, read, read_text};

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
fn one_gateway_said_twice_is_one() {
    let v1 = "version: 1\nconfig: [{type: physical, name: e, subnets: [{type: static, address: \
              10.0.0.2/24, gateway: 10.0.0.1, routes: [{network: 0.0.0.0, netmask: 0.0.0.0, \
              gateway: 10.0.0.1}]}]}]";
    let v2 = "version: 2\nethernets: {e: {addresses: [10.0.0.2/24], gateway4: 10.0.0.1, routes: \
              [{to: 0.0.0.0/0, via: 10.0.0.1}, {to: default, via: 10.0.0.1}]}}";
    let network = |id: &str, address: &str| {
        format!(
            r#"{{"id": "{id}", "type": "ipv4", "link": "a", "ip_address": "{address}", "netmask":
            "255.255.255.0", "routes": [{{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway":
            "10.0.0.1"}}]}}"#
        )
    };
    let openstack = format!(
        r#"{{"links": [{{"id": "a", "type": "phy", "ethernet_mac_address": "52:54:00:12:34:56"}}],
        "networks": [{}, {}]}}"#,
        network("n0", "10.0.0.2"),
        network("n1", "10.0.0.3")
    );
    for text in [v1, v2, &openstack] {
        let (network, problems) = read_text(text);
        assert_eq!(problems, [""; 0], "{text}");
        let link = &network.unwrap().links[0];
        assert_eq!(link.addressing.routes.len(), 1, "{:?}", link.addressing.routes);
    }
}

#[test]
fn bytes_that_are_no_text() {
    let (network, problems) = read(&Named { source: "n".into(), bytes: vec![0xff] });
    assert!(
        network.is_none()
            && problems[0].to_string() == "n: error: the network's configuration is not UTF-8"
    );
}
