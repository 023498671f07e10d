//! Version 2: netplan's format, of which cloud-init knows the part that is here (netplan's
//! documentation, "YAML configuration"; cloud-init's, "Networking config Version 2").

use super::addressing;
use super::fields::{self, fields as fields_of};
use super::{bond, bridge};
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{
    Bond, Bridge, Link, LinkKind, Match, Network, Placed, Vlan, is_pattern,
};
use crate::firstboot::yaml::{Node, Value};

const KINDS: [&str; 6] = ["bonds", "bridges", "ethernets", "renderer", "version", "vlans"];
/// Kinds of links that netplan has as well.
const REFUSED_KINDS: [&str; 8] = [
    "dummy-devices",
    "modems",
    "nm-devices",
    "openvswitch",
    "tunnels",
    "virtual-ethernets",
    "vrfs",
    "wifis",
];
/// What any link may have, beside its addressing.
const COMMON: [&str; 6] =
    ["critical", "macaddress", "mtu", "optional", "optional-addresses", "renderer"];
/// Properties of netplan's without which a link would be another one.
const REFUSED: [&str; 16] = [
    "activation-mode",
    "auth",
    "delay-virtual-functions-rebind",
    "embedded-switch-mode",
    "hairpin",
    "ignore-carrier",
    "infiniband-mode",
    "ipv6-address-generation",
    "ipv6-address-token",
    "ipv6-mtu",
    "link",
    "networkmanager",
    "neigh-suppress",
    "openvswitch",
    "routing-policy",
    "virtual-function-count",
];

/// Reads it: the mapping in which `version` stands.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Network> {
    let name = "the network's configuration";
    let sections = fields_of(reader, node, name, &KINDS, &REFUSED_KINDS)?;
    if let Some(renderer) = sections.get("renderer") {
        check_renderer(reader, renderer);
    }
    let mut links = Vec::new();
    for (section, read) in [
        ("ethernets", ethernet as ReadLink),
        ("bonds", bond_link as ReadLink),
        ("bridges", bridge_link as ReadLink),
        ("vlans", vlan as ReadLink),
    ] {
        let Some(section_node) = sections.get(section) else { continue };
        let Value::Map(pairs) = &section_node.value else {
            let what = format!("{section} must be a mapping from names to links");
            reader.error(&section_node.place, what);
            continue;
        };
        for (key, value) in pairs {
            let Some(id) = fields::id(reader, key, "the name of a link") else { continue };
            links.extend(read(reader, id, value));
        }
    }
    Some(Network { place: node.place.clone(), links })
}

type ReadLink = fn(&mut Reader, Placed<String>, &Node) -> Option<Link>;

/// What the system has decides; it is only made sure that it is no slip of the pen.
fn check_renderer(reader: &mut Reader, node: &Node) {
    if !matches!(node.as_str(), Some("networkd" | "NetworkManager")) {
        reader.error(&node.place, "renderer must be networkd or NetworkManager");
    }
}

/// The keys of a link, `own` among them; a link of which nothing is said has an empty mapping.
fn keys<'a>(
    reader: &mut Reader,
    id: &Placed<String>,
    node: &'a Node,
    own: &[&str],
) -> Option<Fields<'a>> {
    if node.is_null() {
        return Some(Fields::of(node));
    }
    let known: Vec<&str> = COMMON.iter().chain(&addressing::KEYS).chain(own).copied().collect();
    let refused: Vec<&str> = REFUSED.iter().filter(|it| !own.contains(it)).copied().collect();
    fields_of(reader, node, &id.value, &known, &refused)
}

fn ethernet(reader: &mut Reader, id: Placed<String>, node: &Node) -> Option<Link> {
    let fields = keys(reader, &id, node, &["match", "set-name", "wakeonlan"])?;
    let mut link = match fields.get("match") {
        Some(by) => Link::new(id, LinkKind::Ethernet(matched(reader, by))),
        None => fields::named(fields::single(reader, id)?),
    };
    if let Some(node) = fields.get("set-name") {
        link.set_name = fields::interface(reader, node, "set-name");
        if fields.get("match").is_none() {
            let what = "set-name needs match: it says which interface gets the name; write match: \
                        {macaddress: …}";
            reader.error(&node.place, what);
        }
    }
    if let Some(node) = fields.get("wakeonlan") {
        link.wake_on_lan = reader.boolean(node, "wakeonlan").unwrap_or_default();
    }
    common(reader, fields, &mut link);
    Some(link)
}

/// What cannot be read of it is an error, so that nothing is applied; else it would match more.
fn matched(reader: &mut Reader, node: &Node) -> Match {
    let known = ["macaddress", "name", "driver"];
    let Some(fields) = reader.fields(node, "match", &known) else { return Match::default() };
    let name = fields.get("name").and_then(|it| fields::pattern(reader, it, "the name of match"));
    Match {
        mac: fields.get("macaddress").and_then(|it| fields::mac(reader, it, "macaddress")),
        name: match name {
            Some(name) if !is_pattern(&name.value) => fields::single(reader, name),
            name => name,
        },
        driver: fields.get("driver").and_then(|it| driver(reader, it)),
    }
}

/// One driver: the other renderer could not match more of them.
fn driver(reader: &mut Reader, node: &Node) -> Option<Placed<String>> {
    let mut all = fields::each(reader, node, "the driver of match", fields::pattern);
    if all.len() > 1 {
        reader.error(&node.place, "match can name one driver: write a link for each");
        return None;
    }
    all.pop()
}

fn bond_link(reader: &mut Reader, id: Placed<String>, node: &Node) -> Option<Link> {
    let fields = keys(reader, &id, node, &["interfaces", "parameters"])?;
    let mut bond = Bond { members: members(reader, fields), ..Bond::default() };
    if let Some(node) = fields.get("parameters") {
        bond::read(reader, node, &mut bond);
    }
    virtual_link(reader, fields, id, LinkKind::Bond(bond))
}

fn bridge_link(reader: &mut Reader, id: Placed<String>, node: &Node) -> Option<Link> {
    let fields = keys(reader, &id, node, &["interfaces", "parameters"])?;
    let mut bridge = Bridge { members: members(reader, fields), stp: true, ..Bridge::default() };
    if let Some(node) = fields.get("parameters") {
        bridge::read_v2(reader, node, &mut bridge);
    }
    virtual_link(reader, fields, id, LinkKind::Bridge(bridge))
}

fn vlan(reader: &mut Reader, id: Placed<String>, node: &Node) -> Option<Link> {
    let fields = keys(reader, &id, node, &["id", "link"])?;
    let of = format!("the VLAN {}", id.value);
    let number = fields::required(reader, fields, "id", &of, &id.place);
    let parent = fields::required(reader, fields, "link", &of, &id.place);
    let number = fields::vlan_number(reader, number?, "the id of a VLAN")?;
    let parent = fields::id(reader, parent?, "the link of a VLAN")?;
    virtual_link(reader, fields, id, LinkKind::Vlan(Vlan { number, parent }))
}

fn virtual_link(
    reader: &mut Reader,
    fields: Fields<'_>,
    id: Placed<String>,
    kind: LinkKind,
) -> Option<Link> {
    let mut link = Link::new(fields::single(reader, id)?, kind);
    common(reader, fields, &mut link);
    Some(link)
}

fn members(reader: &mut Reader, fields: Fields<'_>) -> Vec<Placed<String>> {
    let node = fields.get("interfaces");
    node.map_or_else(Vec::new, |it| fields::each(reader, it, "a member", fields::id))
}

fn common(reader: &mut Reader, fields: Fields<'_>, link: &mut Link) {
    link.mac = fields.get("macaddress").and_then(|it| fields::mac(reader, it, "macaddress"));
    link.mtu = fields.get("mtu").and_then(|it| fields::mtu(reader, it));
    let mut place_of = |key: &str| {
        let node = fields.get(key)?;
        reader.boolean(node, key)?.then(|| node.place.clone())
    };
    link.optional = place_of("optional");
    link.critical = place_of("critical");
    if let Some(node) = fields.get("optional-addresses") {
        reader.warn(&node.place, "optional-addresses changes nothing here, and is ignored");
    }
    link.addressing = addressing::read(reader, fields);
}
