//! Version 1: a list of links, name servers and routes, as curtin has it (cloud-init's
//! documentation, "Networking config Version 1").

use super::fields::{self, fields as fields_of};
use super::{bond, bridge, global, subnet};
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{Bond, Bridge, Link, LinkKind, Match, Network, Placed, Vlan};
use crate::firstboot::yaml::Node;

const COMMON: [&str; 5] = ["accept-ra", "mtu", "name", "subnets", "type"];

/// Reads it: the mapping in which `version` and `config` stand.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Network> {
    let fields = reader.fields(node, "the network's configuration", &["config", "version"])?;
    let items = match fields.get("config") {
        Some(config) => reader.list(config, "config"),
        None => &[],
    };
    let mut network = Network { place: node.place.clone(), links: Vec::new() };
    let mut global = global::Global::default();
    for item in items {
        network.links.extend(entry(reader, item, &mut global));
    }
    global.give(reader, &mut network);
    Some(network)
}

/// One of the list: a link, or what is for all of them.
fn entry(reader: &mut Reader, item: &Node, global: &mut global::Global) -> Option<Link> {
    let kind = item.get("type").and_then(Node::as_str);
    match kind {
        Some("physical") => physical(reader, item),
        Some("bond") => bond_link(reader, item),
        Some("bridge") => bridge_link(reader, item),
        Some("vlan") => vlan(reader, item),
        Some("nameserver") => {
            global.nameserver(reader, item);
            None
        }
        Some("route") => {
            global.route(reader, item);
            None
        }
        // It is there anyway.
        Some("loopback") => None,
        _ => {
            let place = item.get("type").map_or(&item.place, |it| &it.place);
            let what = format!(
                "an entry of the network's configuration has a type: physical, bond, bridge, vlan, \
                 nameserver or route; {} is not supported",
                kind.map_or("one without".to_owned(), |it| format!("{it:?}"))
            );
            reader.error(place, what);
            None
        }
    }
}

/// The keys of an entry, and its name.
fn keys<'a>(
    reader: &mut Reader,
    item: &'a Node,
    own: &[&str],
) -> Option<(Fields<'a>, Placed<String>)> {
    let name = item.get("name").and_then(Node::as_str).unwrap_or("a link").to_owned();
    let known: Vec<&str> = COMMON.iter().chain(own).copied().collect();
    let fields = fields_of(reader, item, &name, &known, &["dhcp_overrides"])?;
    let node = fields::required(reader, fields, "name", "a link", &item.place)?;
    let id = fields::interface(reader, node, "the name of a link")?;
    Some((fields, Placed { place: item.place.clone(), ..id }))
}

/// Found by its address, if there is one, and then called by its name.
fn physical(reader: &mut Reader, item: &Node) -> Option<Link> {
    let (fields, name) = keys(reader, item, &["mac_address", "wakeonlan", "optional"])?;
    let mut link = match fields.get("mac_address") {
        Some(node) => {
            let by = Match { mac: fields::mac(reader, node, "mac_address"), ..Match::default() };
            let link = Link::new(name.clone(), LinkKind::Ethernet(by));
            Link { set_name: Some(name), ..link }
        }
        None => fields::named(name),
    };
    let mut flag = |key: &str| fields.get(key).filter(|it| reader.boolean(it, key) == Some(true));
    link.wake_on_lan = flag("wakeonlan").is_some();
    link.optional = flag("optional").map(|it| it.place.clone());
    common(reader, fields, &mut link);
    Some(link)
}

fn bond_link(reader: &mut Reader, item: &Node) -> Option<Link> {
    let (fields, name) = keys(reader, item, &["bond_interfaces", "mac_address", "params"])?;
    let mut bond = Bond { members: members(reader, fields, "bond_interfaces"), ..Bond::default() };
    if let Some(node) = fields.get("params") {
        bond::read(reader, node, &mut bond);
    }
    Some(virtual_link(reader, fields, name, LinkKind::Bond(bond)))
}

fn bridge_link(reader: &mut Reader, item: &Node) -> Option<Link> {
    let (fields, name) = keys(reader, item, &["bridge_interfaces", "mac_address", "params"])?;
    let members = members(reader, fields, "bridge_interfaces");
    let mut bridge = Bridge { members, ..Bridge::default() };
    if let Some(node) = fields.get("params") {
        bridge::read_v1(reader, node, &mut bridge);
    }
    Some(virtual_link(reader, fields, name, LinkKind::Bridge(bridge)))
}

fn vlan(reader: &mut Reader, item: &Node) -> Option<Link> {
    let (fields, name) = keys(reader, item, &["mac_address", "vlan_id", "vlan_link"])?;
    let of = format!("the VLAN {}", name.value);
    let number = fields::required(reader, fields, "vlan_id", &of, &item.place);
    let parent = fields::required(reader, fields, "vlan_link", &of, &item.place);
    let number = fields::vlan_number(reader, number?, "vlan_id")?;
    let parent = fields::id(reader, parent?, "vlan_link")?;
    Some(virtual_link(reader, fields, name, LinkKind::Vlan(Vlan { number, parent })))
}

fn virtual_link(
    reader: &mut Reader,
    fields: Fields<'_>,
    name: Placed<String>,
    kind: LinkKind,
) -> Link {
    let mut link = Link::new(name, kind);
    link.mac = fields.get("mac_address").and_then(|it| fields::mac(reader, it, "mac_address"));
    common(reader, fields, &mut link);
    link
}

fn members(reader: &mut Reader, fields: Fields<'_>, key: &str) -> Vec<Placed<String>> {
    let node = fields.get(key);
    node.map_or_else(Vec::new, |it| fields::each(reader, it, "a member", fields::id))
}

fn common(reader: &mut Reader, fields: Fields<'_>, link: &mut Link) {
    link.mtu = fields.get("mtu").and_then(|it| fields::mtu(reader, it));
    let to = &mut link.addressing;
    to.accept_ra = fields.get("accept-ra").and_then(|it| reader.boolean(it, "accept-ra"));
    let Some(node) = fields.get("subnets") else { return };
    for item in reader.list(node, "subnets") {
        subnet::read(reader, item, to);
    }
}
