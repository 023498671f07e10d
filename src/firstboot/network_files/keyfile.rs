//! A link as a connection of `NetworkManager`'s (nm-settings-keyfile(5)).

use std::net::IpAddr;

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::ini::{Ini, Section};
use super::{Around, left_out};
use crate::firstboot::configuration::{
    Bond, Bridge, Link, LinkKind, Match, Network, Placed, Route, RouteKind, UseDomains,
};
use crate::firstboot::problem::{Problem, Problems};

const MANAGER: &str = "NetworkManager";
/// Above connections of the image's own, whose priority is 0, as cloud-init has it.
const PRIORITY: u32 = 120;
/// A magic packet (`NMSettingWiredWakeOnLan`).
const WAKE_ON_MAGIC: u32 = 0x40;
/// Several interfaces at once (`NMConnectionMultiConnect`).
const MULTIPLE: u32 = 3;

/// The file.
pub(super) fn text(
    network: &Network,
    link: &Link,
    around: &Around<'_>,
    problems: &mut Problems,
) -> String {
    let mut ini = Ini::default();
    connection(&mut ini, link, around);
    if let LinkKind::Ethernet(by) = &link.kind {
        patterns(ini.section("match"), link, by);
    }
    ethernet(ini.section("ethernet"), link);
    match &link.kind {
        LinkKind::Ethernet(_) => {}
        LinkKind::Bond(it) => bond(ini.section("bond"), network, it, problems),
        LinkKind::Bridge(it) => bridge(ini.section("bridge"), it),
        LinkKind::Vlan(vlan) => {
            let section = ini.section("vlan");
            section.line("id", vlan.number);
            section.line("parent", uuid(&vlan.parent.value));
        }
    }
    match around.controller.map(|it| &it.kind) {
        // A member has no addresses, and these sections would be refused.
        Some(LinkKind::Bridge(bridge)) => port(ini.section("bridge-port"), link, bridge),
        Some(_) => {}
        None => {
            Family::V4.section(ini.section("ipv4"), link, problems);
            Family::V6.section(ini.section("ipv6"), link, problems);
            hostname(ini.section("hostname"), link);
        }
    }
    ignored(link, problems);
    ini.text()
}

/// The same for the same link each time: others name it by this.
fn uuid(id: &str) -> Uuid {
    let hash = Sha256::digest(format!("cloud-init {id}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
    Builder::from_custom_bytes(bytes).into_uuid()
}

fn connection(ini: &mut Ini, link: &Link, around: &Around<'_>) {
    let section = ini.section("connection");
    section.line("id", format!("cloud-init {}", link.id.value));
    section.line("uuid", uuid(&link.id.value));
    let (kind, by) = match &link.kind {
        LinkKind::Ethernet(by) => ("ethernet", Some(by)),
        LinkKind::Bond(_) => ("bond", None),
        LinkKind::Bridge(_) => ("bridge", None),
        LinkKind::Vlan(_) => ("vlan", None),
    };
    section.line("type", kind);
    section.line("autoconnect-priority", PRIORITY);
    // By address where there is one: a rename may come late, or fail.
    let is_renamed = link.set_name.is_some() && by.is_some_and(|it| it.mac.is_some());
    section.some("interface-name", link.interface().filter(|_| !is_renamed));
    if by.is_some_and(|it| it.mac.is_none()) && link.interface().is_none() {
        section.line("multi-connect", MULTIPLE);
    }
    if let Some(controller) = around.controller {
        let kind = if let LinkKind::Bond(_) = controller.kind { "bond" } else { "bridge" };
        // The names that versions before 1.46 know, and later ones take as well.
        section.line("master", uuid(&controller.id.value));
        section.line("slave-type", kind);
    }
}

fn patterns(section: &mut Section, link: &Link, by: &Match) {
    if link.set_name.is_some() {
        return;
    }
    let pattern = by.name.as_ref().filter(|_| link.interface().is_none());
    section.some("interface-name", pattern.map(|it| format!("{};", it.value)));
    section.some("driver", by.driver.as_ref().map(|it| format!("{};", it.value)));
}

fn ethernet(section: &mut Section, link: &Link) {
    if let LinkKind::Ethernet(by) = &link.kind {
        section.some("mac-address", by.mac.as_ref().map(|it| it.value));
    }
    section.some("cloned-mac-address", link.mac.as_ref().map(|it| it.value));
    section.some("mtu", link.mtu.as_ref().map(|it| it.value));
    if link.wake_on_lan {
        section.line("wake-on-lan", WAKE_ON_MAGIC);
    }
}

fn bond(section: &mut Section, network: &Network, bond: &Bond, problems: &mut Problems) {
    for setting in &bond.settings {
        section.line(setting.option.kernel, &setting.value);
    }
    let Some(primary) = &bond.primary else { return };
    let member = network.links.iter().find(|it| it.id.value == primary.value);
    if let Some(name) = member.and_then(Link::interface) {
        section.line("primary", name);
        return;
    }
    let what = "primary is left out: NetworkManager wants the interface's name, which is not known; \
                write set-name for that link";
    problems.push(Problem::warning(&primary.place, what));
}

fn bridge(section: &mut Section, bridge: &Bridge) {
    section.line("stp", bridge.stp);
    section.some("priority", bridge.priority);
    section.some("ageing-time", bridge.ageing_time_s);
    section.some("forward-delay", bridge.forward_delay_s);
    section.some("hello-time", bridge.hello_time_s);
    section.some("max-age", bridge.max_age_s);
}

fn port(section: &mut Section, link: &Link, bridge: &Bridge) {
    let of = |all: &[(Placed<String>, u32)]| {
        all.iter().find(|(id, _)| id.value == link.id.value).map(|(_, value)| *value)
    };
    section.some("path-cost", of(&bridge.costs));
    section.some("priority", of(&bridge.priorities));
}

fn hostname(section: &mut Section, link: &Link) {
    let it = &link.addressing;
    if it.overrides4.use_hostname == Some(false) || it.overrides6.use_hostname == Some(false) {
        section.line("from-dhcp", false);
    }
}

/// What there is no word for.
fn ignored(link: &Link, problems: &mut Problems) {
    for (place, what) in [(&link.optional, "optional"), (&link.critical, "critical")] {
        if let Some(place) = place {
            left_out(problems, place, what, MANAGER);
        }
    }
    for overrides in [&link.addressing.overrides4, &link.addressing.overrides6] {
        let said = [(&overrides.use_mtu, "use-mtu: false"), (&overrides.use_ntp, "use-ntp: false")];
        for (said, what) in said {
            if let Some(it) = said.as_ref().filter(|it| !it.value) {
                left_out(problems, &it.place, what, MANAGER);
            }
        }
        if let Some(it) = overrides.use_domains.as_ref().filter(|it| it.value != UseDomains::Yes) {
            left_out(problems, &it.place, "use-domains other than true", MANAGER);
        }
    }
}

/// An IP version: its section.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    fn is(self, address: IpAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }

    fn section(self, section: &mut Section, link: &Link, problems: &mut Problems) {
        let it = &link.addressing;
        let method = self.method(link);
        section.line("method", method);
        let takes_more = matches!(method, "auto" | "manual" | "dhcp");
        if takes_more {
            self.settings(section, link);
        } else {
            self.without_addresses(link, problems);
        }
        if self == Self::V4 && it.link_local.is_some_and(|it| it.ipv4) && takes_more {
            // Beside others (`NMSettingIP4LinkLocal`).
            section.line("link-local", 3);
        }
        if self == Self::V6 && method != "disabled" {
            // `NMSettingIP6ConfigPrivacy`: temporary addresses are preferred.
            section.some("ip6-privacy", it.privacy.map(|it| if it { 2 } else { 0 }));
        }
    }

    fn method(self, link: &Link) -> &'static str {
        let it = &link.addressing;
        let has_addresses = it.of_family(self == Self::V4).next().is_some();
        match (self, it.accept_ra) {
            (Self::V4, _) if it.dhcp4 => "auto",
            (Self::V4, _) if has_addresses => "manual",
            (Self::V4, _) if it.link_local.is_some_and(|it| it.ipv4) => "link-local",
            (Self::V4, _) => "disabled",
            (Self::V6, Some(false)) if it.dhcp6 => "dhcp",
            (Self::V6, Some(true)) => "auto",
            (Self::V6, _) if it.dhcp6 => "auto",
            // Waiting for a router that never comes would make the connection fail.
            (Self::V6, _) if has_addresses => "manual",
            (Self::V6, _) if it.is_bare() => "disabled",
            (Self::V6, ra) => match it.link_local {
                Some(local) if !local.ipv6 => "disabled",
                Some(_) if !it.dhcp4 && it.addresses.is_empty() => "link-local",
                _ if ra == Some(false) => "link-local",
                // As the kernel and systemd-networkd have it: routers are listened to.
                _ => "auto",
            },
        }
    }

    fn settings(self, section: &mut Section, link: &Link) {
        let it = &link.addressing;
        let addresses = it.addresses.iter().filter(|at| self.is(at.value.address));
        for (number, address) in (1..).zip(addresses) {
            section.line(&format!("address{number}"), address.value);
        }
        let routes = it.routes.iter().filter(|route| self.is(route.to.address));
        for (number, route) in (1..).zip(routes) {
            section.line(&format!("route{number}"), self.route(route));
            let options = options(link, route);
            let key = format!("route{number}_options");
            section.some(&key, (!options.is_empty()).then(|| options.join(",")));
        }
        let servers = it.nameservers.iter().map(|server| server.value).filter(|at| self.is(*at));
        let servers: Vec<String> = servers.map(|server| format!("{server};")).collect();
        section.some("dns", (!servers.is_empty()).then(|| servers.concat()));
        let domains: Vec<String> = it.search.iter().map(|it| format!("{};", it.value)).collect();
        section.some("dns-search", (!domains.is_empty()).then(|| domains.concat()));
        self.dhcp(section, link);
    }

    fn route(self, route: &Route) -> String {
        let nobody = if self == Self::V4 { "0.0.0.0" } else { "::" };
        let via = route.via.map_or_else(|| nobody.to_owned(), |it| it.to_string());
        let metric = route.metric.map(|it| format!(",{it}")).unwrap_or_default();
        if route.via.is_none() && metric.is_empty() {
            return route.to.to_string();
        }
        format!("{},{via}{metric}", route.to)
    }

    fn dhcp(self, section: &mut Section, link: &Link) {
        let it = &link.addressing;
        let overrides = if self == Self::V4 { &it.overrides4 } else { &it.overrides6 };
        if self == Self::V4 && it.dhcp4 && it.identifier_is_mac {
            section.line("dhcp-client-id", "mac");
        }
        if overrides.use_dns == Some(false) {
            section.line("ignore-auto-dns", true);
        }
        if overrides.use_routes == Some(false) {
            section.line("ignore-auto-routes", true);
        }
        section.some("route-metric", overrides.route_metric);
        section.some("dhcp-send-hostname", overrides.send_hostname);
        section.some("dhcp-hostname", overrides.hostname.as_ref());
    }

    /// Name servers and routes of a family of which the link has no address.
    fn without_addresses(self, link: &Link, problems: &mut Problems) {
        let it = &link.addressing;
        let servers = it.nameservers.iter().filter(|it| self.is(it.value)).map(|it| &it.place);
        let routes = it.routes.iter().filter(|it| self.is(it.to.address)).map(|it| &it.place);
        for place in servers.chain(routes) {
            let what = "it is left out: the link has no address of this family";
            problems.push(Problem::warning(place, what));
        }
    }
}

fn options(link: &Link, route: &Route) -> Vec<String> {
    let mut options = Vec::new();
    let mut option = |key: &str, value: Option<String>| {
        options.extend(value.map(|value| format!("{key}={value}")));
    };
    option("onlink", link.is_on_link(route).then(|| "true".to_owned()));
    option("table", route.table.map(|it| it.to_string()));
    option("src", route.from.map(|it| it.to_string()));
    option("mtu", route.mtu.map(|it| it.to_string()));
    let kind = (route.kind != RouteKind::Unicast).then(|| route.kind.word().to_owned());
    option("type", kind);
    options
}
