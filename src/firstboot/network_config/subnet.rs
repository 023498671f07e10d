//! A subnet of version 1: one way in which a link gets addresses.

use std::net::IpAddr;

use super::addressing::gateway;
use super::fields::{self, fields as fields_of};
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{
    Addressing, Placed, Prefix, Route, RouteKind, length_of_mask,
};
use crate::firstboot::yaml::{Node, Value};

const KEYS: [&str; 14] = [
    "address",
    "broadcast",
    "control",
    "dns_nameservers",
    "dns_search",
    "gateway",
    "ipv4",
    "ipv6",
    "metric",
    "netmask",
    "prefix",
    "routes",
    "scope",
    "type",
];
const ROUTE: [&str; 7] =
    ["destination", "gateway", "metric", "netmask", "network", "prefix", "type"];

/// Adds what it says.
pub(super) fn read(reader: &mut Reader, node: &Node, to: &mut Addressing) {
    let Some(fields) = fields_of(reader, node, "a subnet", &KEYS, &["pointopoint"]) else { return };
    let Some(kind) = fields::required(reader, fields, "type", "a subnet", &node.place) else {
        return;
    };
    match kind.as_str() {
        Some("dhcp" | "dhcp4") => to.dhcp4 = true,
        Some("dhcp6") => to.dhcp6 = true,
        // Routers say whether there is a server to be asked for more.
        Some("ipv6_slaac" | "ipv6_dhcpv6-stateless") => to.accept_ra = Some(true),
        Some("ipv6_dhcpv6-stateful") => {
            to.dhcp6 = true;
            to.accept_ra = Some(true);
        }
        Some("static" | "static6") => address(reader, fields, node, to),
        Some("manual") => {}
        _ => {
            let what = "the type of a subnet must be dhcp, dhcp4, dhcp6, static, static6, manual, \
                        ipv6_slaac, ipv6_dhcpv6-stateless or ipv6_dhcpv6-stateful";
            return reader.error(&kind.place, what);
        }
    }
    more(reader, fields, to);
}

/// What any type may have.
pub(super) fn more(reader: &mut Reader, fields: Fields<'_>, to: &mut Addressing) {
    if let Some(node) = fields.get("control").filter(|it| it.as_str() != Some("auto")) {
        let what = "control is ignored: the link is configured at every start";
        reader.warn(&node.place, what);
    }
    if let Some(node) = fields.get("gateway") {
        let is_v4 = node.as_str().is_none_or(|it| !it.contains(':'));
        let metric = metric(reader, fields);
        let route = gateway(reader, node, "gateway", is_v4);
        to.routes.extend(route.map(|route| Route { metric, ..route }));
    }
    if let Some(node) = fields.get("routes") {
        for item in reader.list(node, "routes") {
            to.routes.extend(route(reader, item));
        }
    }
    if let Some(node) = fields.get("dns_nameservers") {
        to.nameservers.extend(addresses(reader, node, "dns_nameservers"));
    }
    if let Some(node) = fields.get("dns_search") {
        to.search.extend(fields::domains(reader, node, "dns_search"));
    }
}

/// Addresses, also several in one text.
pub(super) fn addresses(reader: &mut Reader, node: &Node, name: &str) -> Vec<Placed<IpAddr>> {
    let several = node.as_str().filter(|text| text.contains([' ', ',']));
    let Some(text) = several else { return fields::each(reader, node, name, fields::address) };
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let nodes: Vec<Node> =
        words.map(|it| Node::new(node.place.clone(), Value::Str(it.to_owned()))).collect();
    nodes.iter().filter_map(|it| fields::address(reader, it, name)).collect()
}

fn metric(reader: &mut Reader, fields: Fields<'_>) -> Option<u32> {
    let node = fields.get("metric")?;
    fields::number(reader, node, "metric", 0..=i64::from(u32::MAX))
}

fn address(reader: &mut Reader, fields: Fields<'_>, node: &Node, to: &mut Addressing) {
    let at = fields::required(reader, fields, "address", "a static subnet", &node.place);
    let prefix = at.and_then(|it| with_mask(reader, it, fields, "address"));
    to.addresses.extend(prefix);
}

/// An address with its prefix behind a slash, or in a mask or a number beside it.
pub(super) fn with_mask(
    reader: &mut Reader,
    node: &Node,
    fields: Fields<'_>,
    name: &str,
) -> Option<Placed<Prefix>> {
    if node.as_str().is_some_and(|it| it.contains('/')) {
        return fields::prefix(reader, node, name);
    }
    let address = fields::address(reader, node, name)?;
    let Some(mask) = fields.get("netmask").or_else(|| fields.get("prefix")) else {
        let what = format!(
            "{name} does not say how large the network is: write \"{}/24\", or netmask beside it",
            address.value
        );
        reader.error(&address.place, what);
        return None;
    };
    let length = length(reader, mask)?;
    let Some(value) = Prefix::new(address.value, length) else {
        reader.error(&mask.place, format!("the mask is too long for {}", address.value));
        return None;
    };
    Some(Placed { value, place: address.place })
}

/// The prefix' length, in bits, that a mask or a number stands for.
fn length(reader: &mut Reader, mask: &Node) -> Option<u8> {
    let text = mask.text().unwrap_or_default();
    let text = text.trim_start_matches('/');
    let number = text.parse().ok().filter(|it: &u8| *it <= 128);
    let of_mask = || length_of_mask(text.parse().ok()?);
    let length = number.or_else(of_mask);
    if length.is_none() {
        let what = "a netmask must be such as \"255.255.255.0\", or the number of its bits";
        reader.error(&mask.place, what);
    }
    length
}

/// A route, whose destination may be called `destination` or `network`.
pub(super) fn route(reader: &mut Reader, node: &Node) -> Option<Route> {
    let fields = reader.fields(node, "a route", &ROUTE)?;
    let to = fields.get("destination").or_else(|| fields.get("network"));
    let Some(to) = to else {
        reader.error(&node.place, "a route has no destination: write destination: 10.1.0.0/16");
        return None;
    };
    let to = match to.as_str() {
        Some(text) if !text.contains('/') && fields.get("netmask").is_none() => {
            fields::address(reader, to, "destination").map(|it| {
                if it.value.is_unspecified() {
                    Prefix::default_of(it.value)
                } else {
                    Prefix::host(it.value)
                }
            })?
        }
        _ => with_mask(reader, to, fields, "destination")?.value.network(),
    };
    let via = match fields.get("gateway") {
        Some(node) => Some(fields::address(reader, node, "gateway")?.value),
        None => None,
    };
    if via.is_some_and(|via| via.is_ipv4() != to.address.is_ipv4()) {
        reader.error(&node.place, "a route's addresses must all be IPv4, or all IPv6");
        return None;
    }
    Some(Route {
        place: node.place.clone(),
        to,
        via,
        metric: metric(reader, fields),
        on_link: None,
        table: None,
        kind: RouteKind::Unicast,
        from: None,
        mtu: None,
    })
}
