//! How a link of version 2 gets its addresses (netplan's documentation, "Properties for all
//! device types", "DHCP Overrides", "Routing").

use super::fields::{self, fields as fields_of};
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{
    Addressing, LinkLocal, Overrides, Placed, Prefix, Route, RouteKind, UseDomains,
};
use crate::firstboot::yaml::{Node, Value};

/// What is read here.
pub(super) const KEYS: [&str; 13] = [
    "accept-ra",
    "addresses",
    "dhcp-identifier",
    "dhcp4",
    "dhcp4-overrides",
    "dhcp6",
    "dhcp6-overrides",
    "gateway4",
    "gateway6",
    "ipv6-privacy",
    "link-local",
    "nameservers",
    "routes",
];
const OVERRIDES: [&str; 9] = [
    "hostname",
    "route-metric",
    "send-hostname",
    "use-dns",
    "use-domains",
    "use-hostname",
    "use-mtu",
    "use-ntp",
    "use-routes",
];
const ROUTE: [&str; 8] = ["from", "metric", "mtu", "on-link", "table", "to", "type", "via"];
const REFUSED_ROUTE: [&str; 4] =
    ["advertised-receive-window", "advmss", "congestion-window", "scope"];

/// Reads those of a link's keys that are of addresses.
pub(super) fn read(reader: &mut Reader, fields: Fields<'_>) -> Addressing {
    let mut flag = |key: &str| fields.get(key).and_then(|it| reader.boolean(it, key));
    let mut to = Addressing {
        dhcp4: flag("dhcp4").unwrap_or_default(),
        dhcp6: flag("dhcp6").unwrap_or_default(),
        accept_ra: flag("accept-ra"),
        privacy: flag("ipv6-privacy"),
        ..Addressing::default()
    };
    if let Some(node) = fields.get("dhcp4-overrides") {
        to.overrides4 = overrides(reader, node, "dhcp4-overrides");
    }
    if let Some(node) = fields.get("dhcp6-overrides") {
        to.overrides6 = overrides(reader, node, "dhcp6-overrides");
    }
    if let Some(node) = fields.get("dhcp-identifier") {
        match node.as_str() {
            Some("mac") => to.identifier_is_mac = true,
            Some("duid") => {}
            _ => reader.error(&node.place, "dhcp-identifier must be mac or duid"),
        }
    }
    if let Some(node) = fields.get("addresses") {
        to.addresses = fields::each(reader, node, "an address", address);
    }
    for (key, is_v4) in [("gateway4", true), ("gateway6", false)] {
        to.routes.extend(fields.get(key).and_then(|node| gateway(reader, node, key, is_v4)));
    }
    if let Some(node) = fields.get("routes") {
        for item in reader.list(node, "routes") {
            to.routes.extend(route(reader, item));
        }
    }
    if let Some(node) = fields.get("nameservers") {
        nameservers(reader, node, &mut to);
    }
    to.link_local = fields.get("link-local").and_then(|node| link_local(reader, node));
    to
}

/// An address, or a mapping from one to what else is said of it.
fn address(reader: &mut Reader, node: &Node, name: &str) -> Option<Placed<Prefix>> {
    let Value::Map(pairs) = &node.value else { return fields::prefix(reader, node, name) };
    let [(key, options)] = pairs.as_slice() else {
        reader.error(&node.place, "an address is text, such as \"10.0.0.2/24\"");
        return None;
    };
    if !options.is_null() {
        let what = "label and lifetime of an address are ignored: it is there for ever";
        reader.warn(&options.place, what);
    }
    fields::prefix(reader, key, name)
}

/// The default route over a host.
pub(super) fn gateway(reader: &mut Reader, node: &Node, name: &str, is_v4: bool) -> Option<Route> {
    let via = fields::address(reader, node, name)?;
    if via.value.is_ipv4() != is_v4 {
        let family = if is_v4 { "IPv4" } else { "IPv6" };
        reader.error(&via.place, format!("{name} must be an {family} address"));
        return None;
    }
    Some(Route {
        place: via.place,
        to: Prefix::default_of(via.value),
        via: Some(via.value),
        metric: None,
        on_link: None,
        table: None,
        kind: RouteKind::Unicast,
        from: None,
        mtu: None,
    })
}

fn route(reader: &mut Reader, node: &Node) -> Option<Route> {
    let fields = fields_of(reader, node, "a route", &ROUTE, &REFUSED_ROUTE)?;
    let via = match fields.get("via") {
        Some(node) => Some(fields::address(reader, node, "via")?.value),
        None => None,
    };
    let to = fields::required(reader, fields, "to", "a route", &node.place)?;
    let to = destination(reader, to, via)?;
    let from = fields.get("from").and_then(|it| fields::address(reader, it, "from"));
    let mut number = |key: &str, most: i64| {
        fields.get(key).and_then(|node| fields::number(reader, node, key, 0..=most))
    };
    let route = Route {
        place: node.place.clone(),
        to,
        via,
        metric: number("metric", i64::from(u32::MAX)),
        table: number("table", i64::from(u32::MAX)),
        mtu: number("mtu", 65_535),
        on_link: fields.get("on-link").and_then(|it| reader.boolean(it, "on-link")),
        kind: fields.get("type").map_or(Some(RouteKind::Unicast), |it| kind(reader, it))?,
        from: from.map(|it| it.value),
    };
    let is_fit = |it: std::net::IpAddr| it.is_ipv4() == route.to.address.is_ipv4();
    if ![route.via, route.from].into_iter().flatten().all(is_fit) {
        reader.error(&node.place, "a route's addresses must all be IPv4, or all IPv6");
        return None;
    }
    Some(route)
}

/// `default`, a network, or a host.
fn destination(reader: &mut Reader, node: &Node, via: Option<std::net::IpAddr>) -> Option<Prefix> {
    match node.as_str() {
        Some("default") => {
            if via.is_none() {
                let what =
                    "a default route needs \"via\"; one without is written 0.0.0.0/0 or ::/0";
                reader.error(&node.place, what);
            }
            via.map(Prefix::default_of)
        }
        Some(text) if !text.contains('/') => {
            fields::address(reader, node, "to").map(|it| Prefix::host(it.value))
        }
        _ => fields::prefix(reader, node, "to").map(|it| it.value.network()),
    }
}

fn kind(reader: &mut Reader, node: &Node) -> Option<RouteKind> {
    match node.as_str() {
        Some("unicast") => Some(RouteKind::Unicast),
        Some("blackhole") => Some(RouteKind::Blackhole),
        Some("unreachable") => Some(RouteKind::Unreachable),
        Some("prohibit") => Some(RouteKind::Prohibit),
        _ => {
            let what = "the type of a route must be unicast, blackhole, unreachable or prohibit";
            reader.error(&node.place, what);
            None
        }
    }
}

fn nameservers(reader: &mut Reader, node: &Node, to: &mut Addressing) {
    let Some(fields) = reader.fields(node, "nameservers", &["addresses", "search"]) else { return };
    if let Some(node) = fields.get("addresses") {
        to.nameservers = fields::each(reader, node, "a name server", fields::address);
    }
    if let Some(node) = fields.get("search") {
        to.search = fields::domains(reader, node, "a search domain");
    }
}

fn overrides(reader: &mut Reader, node: &Node, name: &str) -> Overrides {
    let Some(fields) = reader.fields(node, name, &OVERRIDES) else { return Overrides::default() };
    let hostname = fields.get("hostname").and_then(|it| fields::domain(reader, it, "hostname"));
    let metric = fields.get("route-metric");
    let metric =
        metric.and_then(|it| fields::number(reader, it, "route-metric", 0..=i64::from(u32::MAX)));
    let use_domains = fields.get("use-domains").and_then(|it| use_domains(reader, it));
    let mut flag = |key: &str| fields.get(key).and_then(|it| reader.boolean(it, key));
    let mut placed = |key: &str| {
        let (node, value) = fields.get(key).zip(flag(key))?;
        Some(Placed { value, place: node.place.clone() })
    };
    let (use_mtu, use_ntp) = (placed("use-mtu"), placed("use-ntp"));
    Overrides {
        use_dns: flag("use-dns"),
        use_routes: flag("use-routes"),
        use_mtu,
        use_ntp,
        use_hostname: flag("use-hostname"),
        send_hostname: flag("send-hostname"),
        hostname: hostname.map(|it| it.value),
        route_metric: metric,
        use_domains,
    }
}

fn use_domains(reader: &mut Reader, node: &Node) -> Option<Placed<UseDomains>> {
    let value = match (node.as_str(), &node.value) {
        (Some("route"), _) => UseDomains::Route,
        _ if reader.boolean(node, "use-domains")? => UseDomains::Yes,
        _ => UseDomains::No,
    };
    Some(Placed { value, place: node.place.clone() })
}

fn link_local(reader: &mut Reader, node: &Node) -> Option<LinkLocal> {
    let mut to = LinkLocal::default();
    for item in reader.list(node, "link-local") {
        match item.as_str() {
            Some("ipv4") => to.ipv4 = true,
            Some("ipv6") => to.ipv6 = true,
            _ => {
                reader.error(&item.place, "link-local is a list of ipv4 and ipv6");
                return None;
            }
        }
    }
    Some(to)
}
