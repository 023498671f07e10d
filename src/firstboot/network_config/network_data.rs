//! `OpenStack`'s `network_data.json`: links, networks on them, and services (Nova's
//! specification "metadata-service-network-info";
//! nova/virt/netutils.py). Interfaces are found by their addresses, and keep the names that the
//! system gives them: the ids are those of the host.

use std::collections::{HashMap, HashSet};

use super::bond;
use super::fields;
use super::global::Global;
use super::subnet;
use crate::firstboot::cloud_config::reader::{Fields, Reader};
use crate::firstboot::configuration::{
    Addressing, Bond, Link, LinkKind, Match, Network, Placed, Vlan,
};
use crate::firstboot::yaml::Node;

const LINK: [&str; 12] = [
    "bond_links",
    "ethernet_mac_address",
    "id",
    "link_id",
    "mtu",
    "name",
    "neutron_port_id",
    "type",
    "vif_id",
    "vlan_id",
    "vlan_link",
    "vlan_mac_address",
];
const NETWORK: [&str; 12] = [
    "dns_nameservers",
    "dns_search",
    "gateway",
    "id",
    "ip_address",
    "link",
    "metric",
    "netmask",
    "network_id",
    "routes",
    "services",
    "type",
];
/// How the host connects an interface: all the same from inside.
const PHYSICAL: [&str; 17] = [
    "bridge",
    "cascading",
    "dvs",
    "ethernet",
    "hostdev_physical",
    "hw_veb",
    "hyperv",
    "ib_hostdev",
    "macvtap",
    "midonet",
    "other",
    "ovs",
    "phy",
    "tap",
    "vhostuser",
    "vif",
    "virtio-forwarder",
];
/// The longest name of an interface, in bytes.
const LONGEST_NAME: usize = 15;

/// Reads it.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Network> {
    let name = "network_data.json";
    let fields = reader.fields(node, name, &["links", "networks", "services"])?;
    let list = |reader: &mut Reader, key: &str| -> Vec<Node> {
        fields.get(key).map_or_else(Vec::new, |it| reader.list(it, key).to_vec())
    };
    let networks = list(reader, "networks");
    if networks.is_empty() {
        // Nothing is asked for, and links without addresses would be links without DHCP.
        return None;
    }
    let mut links = Links::default();
    // VLANs are named after what they go over.
    let (vlans, others): (Vec<_>, Vec<_>) = list(reader, "links")
        .into_iter()
        .partition(|it| it.get("type").and_then(Node::as_str) == Some("vlan"));
    for item in others.iter().chain(&vlans) {
        links.link(reader, item);
    }
    let mut global = Global::default();
    for item in &networks {
        links.network(reader, item);
    }
    for item in list(reader, "services") {
        service(reader, &item, |server| global.server(server));
    }
    let mut network = Network { place: node.place.clone(), links: links.all };
    global.give(reader, &mut network);
    Some(network)
}

/// What was read so far.
#[derive(Default)]
struct Links {
    all: Vec<Link>,
    /// By the id in the file, where the link is.
    by_id: HashMap<String, usize>,
    /// Of the links.
    names: HashSet<String>,
    bonds: usize,
}

impl Links {
    fn link(&mut self, reader: &mut Reader, item: &Node) -> Option<()> {
        let (id, fields) = keys(reader, item)?;
        let kind = fields::required(reader, fields, "type", "a link", &item.place)?;
        let mut link = match kind.as_str() {
            Some("bond") => self.bond(reader, item, fields)?,
            Some("vlan") => self.vlan(reader, item, fields)?,
            Some("ib_hostdev") => {
                reader.error(&kind.place, "InfiniBand is not supported");
                return None;
            }
            other => {
                if !other.is_some_and(|it| PHYSICAL.contains(&it)) {
                    reader.warn(&kind.place, "this type is not known: taken as \"phy\"");
                }
                physical(reader, item, fields, id.clone())?
            }
        };
        link.mtu = fields.get("mtu").and_then(|it| fields::mtu(reader, it));
        if self.by_id.insert(id.value.clone(), self.all.len()).is_some() {
            reader.error(&id.place, format!("there are two links of the id {:?}", id.value));
        }
        self.names.insert(link.id.value.clone());
        self.all.push(link);
        Some(())
    }

    /// The platform has no name for it: it is `bond0`, `bond1` …, as with cloud-init.
    fn bond(&mut self, reader: &mut Reader, item: &Node, fields: Fields<'_>) -> Option<Link> {
        let members = fields::required(reader, fields, "bond_links", "a bond", &item.place)?;
        let members = fields::each(reader, members, "a member", fields::id);
        let mut bond = Bond { members, ..Bond::default() };
        bond::read_prefixed(reader, item, &mut bond);
        let value = format!("bond{}", self.bonds);
        self.bonds += 1;
        let mut link = Link::new(Placed { value, place: item.place.clone() }, LinkKind::Bond(bond));
        let mac = fields.get("ethernet_mac_address");
        link.mac = mac.and_then(|it| fields::mac(reader, it, "ethernet_mac_address"));
        Some(link)
    }

    /// Called by what it goes over and its number, where that is short enough for a name.
    fn vlan(&self, reader: &mut Reader, item: &Node, fields: Fields<'_>) -> Option<Link> {
        let number = fields::required(reader, fields, "vlan_id", "a VLAN", &item.place);
        let parent = fields::required(reader, fields, "vlan_link", "a VLAN", &item.place);
        let number = fields::vlan_number(reader, number?, "vlan_id")?;
        let parent = fields::id(reader, parent?, "vlan_link")?;
        let parent = match self.by_id.get(&parent.value).and_then(|at| self.all.get(*at)) {
            Some(link) => Placed { value: link.id.value.clone(), ..parent },
            None => parent,
        };
        let mut value = format!("{}.{number}", parent.value);
        if value.len() > LONGEST_NAME {
            value = format!("vlan{number}");
        }
        if self.names.contains(&value) {
            value = format!("vlan{number}.{}", self.all.len());
        }
        let id = Placed { value, place: item.place.clone() };
        let mut link = Link::new(id, LinkKind::Vlan(Vlan { number, parent }));
        let mac = fields.get("vlan_mac_address");
        link.mac = mac.and_then(|it| fields::mac(reader, it, "vlan_mac_address"));
        Some(link)
    }

    fn network(&mut self, reader: &mut Reader, item: &Node) -> Option<()> {
        let fields = reader.fields(item, "a network", &NETWORK)?;
        let id = fields::required(reader, fields, "link", "a network", &item.place)?;
        let name = id.text().unwrap_or_default();
        let at = self.by_id.get(&*name).and_then(|at| self.all.get_mut(*at));
        let Some(link) = at else {
            reader.error(&id.place, format!("there is no link of the id {name:?}"));
            return None;
        };
        addressing(reader, item, fields, &mut link.addressing);
        Some(())
    }
}

/// The keys of a link, and its id in the file.
fn keys<'a>(reader: &mut Reader, item: &'a Node) -> Option<(Placed<String>, Fields<'a>)> {
    // What begins with bond_ is looked at where it counts.
    let own: Vec<&str> = match &item.value {
        crate::firstboot::yaml::Value::Map(pairs) => {
            let keys = pairs.iter().filter_map(|(key, _)| key.as_str());
            keys.filter(|it| it.starts_with("bond_")).take(LINK.len() * 2).collect()
        }
        _ => Vec::new(),
    };
    let known: Vec<&str> = LINK.iter().copied().chain(own).collect();
    let fields = reader.fields(item, "a link", &known)?;
    let id = fields::required(reader, fields, "id", "a link", &item.place)?;
    Some((fields::id(reader, id, "the id of a link")?, fields))
}

fn physical(
    reader: &mut Reader,
    item: &Node,
    fields: Fields<'_>,
    id: Placed<String>,
) -> Option<Link> {
    let mac = fields::required(reader, fields, "ethernet_mac_address", "a link", &item.place)?;
    let mac = fields::mac(reader, mac, "ethernet_mac_address")?;
    let by = Match { mac: Some(mac), ..Match::default() };
    Some(Link::new(Placed { place: item.place.clone(), ..id }, LinkKind::Ethernet(by)))
}

/// Adds what a network says to its link.
fn addressing(reader: &mut Reader, item: &Node, fields: Fields<'_>, to: &mut Addressing) {
    let Some(kind) = fields::required(reader, fields, "type", "a network", &item.place) else {
        return;
    };
    match kind.as_str() {
        Some("ipv4_dhcp") => to.dhcp4 = true,
        Some("ipv6_dhcp") => to.dhcp6 = true,
        Some("ipv6_slaac" | "ipv6_dhcpv6-stateless") => to.accept_ra = Some(true),
        Some("ipv6_dhcpv6-stateful") => {
            to.dhcp6 = true;
            to.accept_ra = Some(true);
        }
        Some("ipv4" | "ipv6" | "static" | "static6") => {
            let at = fields::required(reader, fields, "ip_address", "a network", &item.place);
            let prefix = at.and_then(|it| subnet::with_mask(reader, it, fields, "ip_address"));
            to.addresses.extend(prefix);
        }
        _ => {
            let what = "the type of a network must be ipv4, ipv4_dhcp, ipv6, ipv6_dhcp, \
                        ipv6_slaac, ipv6_dhcpv6-stateless, ipv6_dhcpv6-stateful or static6";
            return reader.error(&kind.place, what);
        }
    }
    subnet::more(reader, fields, to);
    if let Some(node) = fields.get("services") {
        for item in reader.list(node, "services") {
            service(reader, item, |server| to.nameservers.push(server));
        }
    }
}

/// A service; all but name servers are said to be none that count.
fn service(reader: &mut Reader, item: &Node, then: impl FnOnce(Placed<std::net::IpAddr>)) {
    let Some(fields) = reader.fields(item, "a service", &["address", "type"]) else { return };
    if fields.get("type").and_then(Node::as_str) != Some("dns") {
        reader.warn(&item.place, "a service that is no name server (\"dns\") is ignored");
        return;
    }
    let at = fields::required(reader, fields, "address", "a service", &item.place);
    if let Some(server) = at.and_then(|it| fields::address(reader, it, "the address of a service"))
    {
        then(server);
    }
}
