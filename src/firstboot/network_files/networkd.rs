//! A link as systemd-networkd configures it (systemd.network(5)).

use super::Around;
use super::ini::{Ini, Section};
use crate::firstboot::configuration::{
    Addressing, Link, LinkKind, LinkLocal, Match, Overrides, Placed, Route, RouteKind, UseDomains,
    is_pattern,
};
use crate::firstboot::problem::Problems;

/// The file.
pub(super) fn text(link: &Link, around: &Around<'_>, problems: &mut Problems) -> String {
    let mut ini = Ini::default();
    matched(ini.section("Match"), link);
    of_link(ini.section("Link"), link);
    let section = ini.section("Network");
    if let Some(controller) = around.controller {
        member(section, link, controller);
    } else {
        network(section, link);
    }
    for vlan in around.vlans {
        section.line("VLAN", &vlan.id.value);
    }
    if let Some(Link { kind: LinkKind::Bridge(bridge), .. }) = around.controller {
        let section = ini.section("Bridge");
        let of = |all: &[(Placed<String>, u32)]| {
            all.iter().find(|(id, _)| id.value == link.id.value).map(|(_, value)| *value)
        };
        section.some("Cost", of(&bridge.costs));
        section.some("Priority", of(&bridge.priorities));
    }
    for route in &link.addressing.routes {
        of_route(ini.section("Route"), link, route);
    }
    dhcp(&mut ini, &link.addressing, problems);
    ini.text()
}

/// By the permanent address: VLANs, and members of a bond, have the same as another.
fn matched(section: &mut Section, link: &Link) {
    let LinkKind::Ethernet(by) = &link.kind else { return section.line("Name", &link.id.value) };
    let Match { mac, name, driver } = by;
    section.some("PermanentMACAddress", mac.as_ref().map(|it| it.value));
    if let (Some(name), None) = (&link.set_name, mac) {
        // Its old name is gone by then.
        return section.line("Name", &name.value);
    }
    if link.set_name.is_none() {
        section.some("Name", name.as_ref().map(|it| &it.value));
    }
    section.some("Driver", driver.as_ref().map(|it| &it.value));
    if mac.is_none() && name.as_ref().is_none_or(|it| is_pattern(&it.value)) {
        // "en*" is also the name of a VLAN over it.
        section.line("Type", "ether");
        section.line("Kind", "!bond bridge vlan");
    }
}

fn of_link(section: &mut Section, link: &Link) {
    if let LinkKind::Ethernet(_) = link.kind {
        section.some("MTUBytes", link.mtu.as_ref().map(|it| it.value));
        section.some("MACAddress", link.mac.as_ref().map(|it| it.value));
    }
    if link.optional.is_some() {
        section.line("RequiredForOnline", "no");
    }
}

fn member(section: &mut Section, link: &Link, controller: &Link) {
    section.line("LinkLocalAddressing", "no");
    section.line("IPv6AcceptRA", "no");
    match &controller.kind {
        LinkKind::Bond(bond) => {
            section.line("Bond", &controller.id.value);
            if bond.primary.as_ref().is_some_and(|it| it.value == link.id.value) {
                section.line("PrimarySlave", "yes");
            }
        }
        _ => section.line("Bridge", &controller.id.value),
    }
}

fn network(section: &mut Section, link: &Link) {
    let it = &link.addressing;
    let dhcp = match (it.dhcp4, it.dhcp6) {
        (true, true) => "yes",
        (true, false) => "ipv4",
        (false, true) => "ipv6",
        (false, false) => "no",
    };
    section.line("DHCP", dhcp);
    match it.link_local {
        _ if it.is_bare() => section.line("LinkLocalAddressing", "no"),
        Some(local) => section.line("LinkLocalAddressing", word_of(local)),
        None => {}
    }
    let accepts = if it.is_bare() { Some(false) } else { it.accept_ra };
    section.yes_no("IPv6AcceptRA", accepts);
    section.yes_no("IPv6PrivacyExtensions", it.privacy);
    if let LinkKind::Bridge(_) = link.kind {
        // Otherwise a bridge that nobody is connected to has no address.
        section.line("ConfigureWithoutCarrier", "yes");
    }
    if link.critical.is_some() {
        section.line("KeepConfiguration", "yes");
    }
    for address in &it.addresses {
        section.line("Address", address.value);
    }
    for server in &it.nameservers {
        section.line("DNS", server.value);
    }
    let domains: Vec<&str> = it.search.iter().map(|it| it.value.as_str()).collect();
    section.some("Domains", (!domains.is_empty()).then(|| domains.join(" ")));
}

fn word_of(local: LinkLocal) -> &'static str {
    match (local.ipv4, local.ipv6) {
        (true, true) => "yes",
        (true, false) => "ipv4",
        (false, true) => "ipv6",
        (false, false) => "no",
    }
}

fn of_route(section: &mut Section, link: &Link, route: &Route) {
    section.line("Destination", route.to);
    section.some("Gateway", route.via);
    if link.is_on_link(route) {
        section.line("GatewayOnLink", "yes");
    }
    section.some("Metric", route.metric);
    section.some("Table", route.table);
    section.some("PreferredSource", route.from);
    section.some("MTUBytes", route.mtu);
    if route.kind != RouteKind::Unicast {
        section.line("Type", route.kind.word());
    }
}

fn dhcp(ini: &mut Ini, addressing: &Addressing, problems: &mut Problems) {
    let (v4, v6) = (&addressing.overrides4, &addressing.overrides6);
    let section = ini.section("DHCPv4");
    if addressing.identifier_is_mac {
        section.line("ClientIdentifier", "mac");
    }
    taken(section, v4);
    section.yes_no("UseRoutes", v4.use_routes);
    section.yes_no("UseMTU", v4.use_mtu.as_ref().map(|it| it.value));
    section.some("RouteMetric", v4.route_metric);
    taken(ini.section("DHCPv6"), v6);
    let section = ini.section("IPv6AcceptRA");
    section.yes_no("UseDNS", v6.use_dns);
    section.some("UseDomains", v6.use_domains.as_ref().map(|it| domains(it.value)));
    section.yes_no("UseGateway", v6.use_routes);
    section.yes_no("UseRoutePrefix", v6.use_routes);
    section.some("RouteMetric", v6.route_metric);
    if let Some(use_mtu) = &v6.use_mtu {
        super::left_out(problems, &use_mtu.place, "use-mtu of dhcp6-overrides", "systemd-networkd");
    }
}

/// What both sections have.
fn taken(section: &mut Section, overrides: &Overrides) {
    section.yes_no("UseDNS", overrides.use_dns);
    section.some("UseDomains", overrides.use_domains.as_ref().map(|it| domains(it.value)));
    section.yes_no("UseNTP", overrides.use_ntp.as_ref().map(|it| it.value));
    section.yes_no("UseHostname", overrides.use_hostname);
    section.yes_no("SendHostname", overrides.send_hostname);
    section.some("Hostname", overrides.hostname.as_ref());
}

fn domains(use_domains: UseDomains) -> &'static str {
    match use_domains {
        UseDomains::Yes => "yes",
        UseDomains::No => "no",
        UseDomains::Route => "route",
    }
}
