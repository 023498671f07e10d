//! Each rule of the renderers is a row: a configuration, and the lines that it comes to. Whole
//! files are in tests/configurations.

use super::*;
use crate::firstboot::configuration::Mac;
use crate::firstboot::network_config;
use crate::firstboot::seed::Named;

fn network(text: &str) -> Network {
    let named = Named { source: "n".into(), bytes: text.as_bytes().to_vec() };
    let (network, problems) = network_config::read(&named);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    network.unwrap()
}

fn files(text: &str, renderer: Renderer) -> Vec<File> {
    render(&network(text), renderer).0
}

/// All lines of the file whose path ends so.
fn lines(files: &[File], ending: &str) -> Vec<String> {
    let file = files.iter().find(|it| it.path.ends_with(ending));
    let file = file.unwrap_or_else(|| panic!("no {ending} among {files:?}"));
    file.text.lines().map(str::to_owned).collect()
}

/// The lines of a section of one ethernet's file.
fn section(ethernet: &str, renderer: Renderer, section: &str) -> String {
    let files = files(&format!("version: 2\nethernets: {{e: {ethernet}}}"), renderer);
    let lines = lines(&files[..1], "");
    let lines = lines.iter().skip_while(|it| **it != format!("[{section}]")).skip(1);
    lines.take_while(|it| !it.is_empty()).cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn how_connections_get_addresses() {
    for (ethernet, v4, v6) in [
        ("{}", "disabled", "disabled"),
        ("{dhcp4: true}", "auto", "auto"),
        ("{dhcp6: true}", "disabled", "auto"),
        ("{dhcp4: true, accept-ra: false}", "auto", "link-local"),
        ("{dhcp6: true, accept-ra: false}", "disabled", "dhcp"),
        ("{accept-ra: true}", "disabled", "auto"),
        ("{dhcp4: true, link-local: []}", "auto", "disabled"),
        ("{link-local: [ipv4]}", "link-local", "disabled"),
        ("{link-local: [ipv6]}", "disabled", "link-local"),
        ("{addresses: [10.0.0.2/24]}", "manual address1=10.0.0.2/24", "auto"),
        ("{addresses: ['::2/64']}", "disabled", "manual address1=::2/64"),
        ("{addresses: ['::2/64'], accept-ra: true}", "disabled", "auto address1=::2/64"),
        ("{dhcp4: true, addresses: [10.0.0.2/24]}", "auto address1=10.0.0.2/24", "auto"),
        ("{dhcp4: true, ipv6-privacy: true}", "auto", "auto ip6-privacy=2"),
        ("{dhcp4: true, dhcp-identifier: mac}", "auto dhcp-client-id=mac", "auto"),
        (
            "{dhcp4: true, dhcp4-overrides: {use-dns: false, use-routes: false, route-metric: 7, \
             send-hostname: false, hostname: h}}",
            "auto ignore-auto-dns=true ignore-auto-routes=true route-metric=7 \
             dhcp-send-hostname=false dhcp-hostname=h",
            "auto",
        ),
    ] {
        let of = |name| section(ethernet, Renderer::NetworkManager, name);
        assert_eq!(of("ipv4"), format!("method={v4}"), "{ethernet}");
        assert_eq!(of("ipv6"), format!("method={v6}"), "{ethernet}");
    }
}

#[test]
fn how_units_get_addresses() {
    for (ethernet, expected) in [
        ("{}", "DHCP=no LinkLocalAddressing=no IPv6AcceptRA=no"),
        ("{dhcp4: true}", "DHCP=ipv4"),
        ("{dhcp4: true, dhcp6: true}", "DHCP=yes"),
        ("{dhcp6: true, accept-ra: true}", "DHCP=ipv6 IPv6AcceptRA=yes"),
        ("{dhcp4: true, link-local: [ipv4]}", "DHCP=ipv4 LinkLocalAddressing=ipv4"),
        ("{accept-ra: true, link-local: []}", "DHCP=no LinkLocalAddressing=no IPv6AcceptRA=yes"),
        ("{dhcp4: true, ipv6-privacy: no}", "DHCP=ipv4 IPv6PrivacyExtensions=no"),
        ("{dhcp4: true, critical: true}", "DHCP=ipv4 KeepConfiguration=yes"),
        (
            "{addresses: [10.0.0.2/24], nameservers: {addresses: [1.1.1.1], search: [a, ~b]}}",
            "DHCP=no Address=10.0.0.2/24 DNS=1.1.1.1 Domains=a ~b",
        ),
    ] {
        assert_eq!(section(ethernet, Renderer::Networkd, "Network"), expected, "{ethernet}");
    }
    for (ethernet, name, expected) in [
        ("{dhcp4: true}", "DHCPv4", ""),
        ("{dhcp4: true, dhcp-identifier: duid}", "DHCPv4", ""),
        ("{dhcp4: true, dhcp-identifier: mac}", "DHCPv4", "ClientIdentifier=mac"),
        (
            "{dhcp4-overrides: {use-dns: false, use-domains: route, use-routes: false, use-mtu: no}}",
            "DHCPv4",
            "UseDNS=no UseDomains=route UseRoutes=no UseMTU=no",
        ),
        (
            "{dhcp6-overrides: {use-dns: false, use-routes: false, route-metric: 9}}",
            "IPv6AcceptRA",
            "UseDNS=no UseGateway=no UseRoutePrefix=no RouteMetric=9",
        ),
        ("{mtu: 9000, optional: true}", "Link", "MTUBytes=9000 RequiredForOnline=no"),
        ("{macaddress: '02:00:00:00:00:0A'}", "Link", "MACAddress=02:00:00:00:00:0a"),
    ] {
        assert_eq!(section(ethernet, Renderer::Networkd, name), expected, "{ethernet}");
    }
}

#[test]
fn how_interfaces_are_found() {
    let mac = "macaddress: '02:00:00:00:00:01'";
    for (ethernet, connection, rest, unit) in [
        ("{}", "interface-name=e", "", "Name=e"),
        (
            &*format!("{{match: {{{mac}}}}}"),
            "",
            "mac-address=02:00:00:00:00:01",
            "PermanentMACAddress=02:00:00:00:00:01",
        ),
        (
            &*format!("{{match: {{{mac}}}, set-name: lan}}"),
            "",
            "mac-address=02:00:00:00:00:01",
            "PermanentMACAddress=02:00:00:00:00:01",
        ),
        (
            &*format!("{{match: {{{mac}, name: x}}}}"),
            "interface-name=x",
            "mac-address=02:00:00:00:00:01",
            "PermanentMACAddress=02:00:00:00:00:01 Name=x",
        ),
        ("{match: {name: x}, set-name: lan}", "interface-name=lan", "", "Name=lan"),
        (
            "{match: {name: 'en*', driver: e1000}}",
            "multi-connect=3",
            "interface-name=en*; driver=e1000;",
            "Name=en* Driver=e1000 Type=ether Kind=!bond bridge vlan",
        ),
        ("{match: {}}", "multi-connect=3", "", "Type=ether Kind=!bond bridge vlan"),
    ] {
        let of = |name| section(ethernet, Renderer::NetworkManager, name);
        let head = of("connection");
        let head = head.split_once("autoconnect-priority=120").unwrap().1.trim();
        assert_eq!(head, connection, "{ethernet}");
        assert_eq!(format!("{}{}", of("match"), of("ethernet")), rest, "{ethernet}");
        assert_eq!(section(ethernet, Renderer::Networkd, "Match"), unit, "{ethernet}");
    }
}

#[test]
fn what_is_known_of_interfaces_is_filled_in() {
    let mac = |last| Mac([2, 0, 0, 0, 0, last]);
    let known = [("eth0".to_owned(), mac(1)), ("eth1".to_owned(), mac(2))];
    for (ethernets, expected) in [
        ("{a: {match: {macaddress: '02:00:00:00:00:01'}}}", Some((Some("eth0"), Some(mac(1))))),
        ("{eth1: {}}", Some((Some("eth1"), Some(mac(2))))),
        ("{eth7: {}}", Some((Some("eth7"), None))),
        ("{a: {match: {name: 'eth*'}}}", Some((Some("eth*"), None))),
        (
            "{a: {match: {macaddress: '02:00:00:00:00:01'}, set-name: lan}}",
            Some((None, Some(mac(1)))),
        ),
    ] {
        let mut network = network(&format!("version: 2\nethernets: {ethernets}"));
        network.learn(&known);
        let crate::firstboot::configuration::LinkKind::Ethernet(by) = &network.links[0].kind else {
            panic!("{ethernets}")
        };
        let name = by.name.as_ref().map(|it| it.value.as_str());
        assert_eq!(Some((name, by.mac.as_ref().map(|it| it.value))), expected, "{ethernets}");
    }
}

#[test]
fn routes() {
    let route = |route: &str| format!("{{addresses: [10.0.0.2/24, '::2/64'], routes: [{route}]}}");
    for (written, family, connection, unit) in [
        (
            "{to: default, via: 10.0.0.1}",
            "ipv4",
            "route1=0.0.0.0/0,10.0.0.1",
            "Destination=0.0.0.0/0 Gateway=10.0.0.1",
        ),
        (
            // Not in a network of the link's own.
            "{to: default, via: 10.9.9.9, metric: 5}",
            "ipv4",
            "route1=0.0.0.0/0,10.9.9.9,5 route1_options=onlink=true",
            "Destination=0.0.0.0/0 Gateway=10.9.9.9 GatewayOnLink=yes Metric=5",
        ),
        (
            "{to: default, via: 'fe80::1'}",
            "ipv6",
            "route1=::/0,fe80::1",
            "Destination=::/0 Gateway=fe80::1",
        ),
        (
            "{to: 10.1.0.0/16, via: 10.0.0.1, on-link: true, table: 7, from: 10.0.0.2, mtu: 1400}",
            "ipv4",
            "route1=10.1.0.0/16,10.0.0.1 route1_options=onlink=true,table=7,src=10.0.0.2,mtu=1400",
            "Destination=10.1.0.0/16 Gateway=10.0.0.1 GatewayOnLink=yes Table=7 \
             PreferredSource=10.0.0.2 MTUBytes=1400",
        ),
        (
            "{to: 10.0.0.0/8, type: blackhole, metric: 9}",
            "ipv4",
            "route1=10.0.0.0/8,0.0.0.0,9 route1_options=type=blackhole",
            "Destination=10.0.0.0/8 Metric=9 Type=blackhole",
        ),
    ] {
        let ethernet = route(written);
        let section_of = section(&ethernet, Renderer::NetworkManager, family);
        let routes = section_of.split_once("route1=").unwrap().1;
        assert_eq!(format!("route1={routes}"), connection, "{written}");
        assert_eq!(section(&ethernet, Renderer::Networkd, "Route"), unit, "{written}");
    }
}

#[test]
fn what_udev_is_told() {
    let mac = "match: {macaddress: '02:00:00:00:00:01'}";
    let text = |ethernet: &str| format!("version: 2\nethernets: {{e: {ethernet}}}");
    let link = |ethernet: &str, renderer| {
        let files = files(&text(ethernet), renderer);
        let file = files.iter().find(|it| it.path.ends_with("/10-cloud-init-e.link"));
        file.map(|it| {
            it.text.lines().skip(1).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
        })
    };
    let named = format!("{{{mac}, set-name: lan}}");
    let expected = "[Match] PermanentMACAddress=02:00:00:00:00:01 [Link] Name=lan";
    assert_eq!(link(&named, Renderer::NetworkManager).as_deref(), Some(expected));
    assert_eq!(link(&named, Renderer::Networkd).as_deref(), Some(expected));
    let wakes = format!("{{{mac}, wakeonlan: true}}");
    assert_eq!(link(&wakes, Renderer::NetworkManager), None);
    let unit = link(&wakes, Renderer::Networkd).unwrap();
    assert!(unit.contains("NamePolicy=keep") && unit.ends_with("WakeOnLan=magic"), "{unit}");
    let by_name = "{match: {name: eth0}, set-name: lan}";
    let expected = "[Match] OriginalName=eth0 [Link] Name=lan";
    assert_eq!(link(by_name, Renderer::NetworkManager).as_deref(), Some(expected));
    assert_eq!(link("{}", Renderer::Networkd), None);
}

#[test]
fn what_a_renderer_cannot_say() {
    for (text, renderer, says) in [
        ("{e: {optional: true}}", Renderer::NetworkManager, "optional is left out"),
        ("{e: {critical: true}}", Renderer::NetworkManager, "critical is left out"),
        ("{e: {dhcp4-overrides: {use-mtu: no}}}", Renderer::NetworkManager, "use-mtu: false"),
        ("{e: {dhcp4-overrides: {use-ntp: false}}}", Renderer::NetworkManager, "use-ntp: false"),
        ("{e: {dhcp6-overrides: {use-ntp: false}}}", Renderer::NetworkManager, "use-ntp: false"),
        ("{e: {dhcp4-overrides: {use-domains: route}}}", Renderer::NetworkManager, "use-domains"),
        ("{e: {dhcp6-overrides: {use-mtu: no}}}", Renderer::Networkd, "use-mtu of dhcp6"),
        ("{e: {wakeonlan: true}}", Renderer::Networkd, "wakeonlan"),
        (
            "{e: {dhcp6: true, nameservers: {addresses: [1.1.1.1]}}}",
            Renderer::NetworkManager,
            "no address of this family",
        ),
    ] {
        let (_, problems) = render(&network(&format!("version: 2\nethernets: {text}")), renderer);
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(problems.len() == 1 && problems[0].contains(says), "{text}: {problems:?}");
        assert!(problems[0].starts_with("n:2:") && problems[0].contains("warning"));
    }
}

#[test]
fn members_have_no_addresses_and_name_what_they_belong_to() {
    let text = "version: 2\nethernets: {a: {}, b: {match: {macaddress: '02:00:00:00:00:01'}}}\n\
        bonds: {bond0: {interfaces: [a, b], parameters: {primary: a, mode: active-backup}}}\n\
        vlans: {v: {id: 3, link: bond0}}";
    let manager = files(text, Renderer::NetworkManager);
    let uuid = |name: &str| {
        let lines = lines(&manager, &format!("cloud-init-{name}.nmconnection"));
        lines.iter().find_map(|it| it.strip_prefix("uuid=")).unwrap().to_owned()
    };
    let member = lines(&manager, "cloud-init-a.nmconnection");
    assert!(member.contains(&format!("master={}", uuid("bond0"))), "{member:?}");
    assert!(member.contains(&"slave-type=bond".to_owned()));
    assert!(!member.iter().any(|it| it.starts_with("[ipv")), "{member:?}");
    let vlan = lines(&manager, "cloud-init-v.nmconnection");
    assert!(vlan.contains(&format!("parent={}", uuid("bond0"))), "{vlan:?}");
    assert!(lines(&manager, "cloud-init-bond0.nmconnection").contains(&"primary=a".to_owned()));
    let networkd = files(text, Renderer::Networkd);
    let member = lines(&networkd, "10-cloud-init-a.network");
    for line in ["Bond=bond0", "PrimarySlave=yes", "LinkLocalAddressing=no"] {
        assert!(member.contains(&line.to_owned()), "{line}: {member:?}");
    }
    assert!(lines(&networkd, "10-cloud-init-bond0.network").contains(&"VLAN=v".to_owned()));
    let paths: Vec<_> = networkd.iter().map(|it| it.path.rsplit_once('-').unwrap().1).collect();
    let expected =
        ["a.network", "b.network", "bond0.network", "bond0.netdev", "v.network", "v.netdev"];
    assert_eq!(paths, expected);
}
