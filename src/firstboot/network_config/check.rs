//! What is wrong with links taken together: what one of them names must be there, once, and not
//! in a circle. A circle would never come up, and the renderers would not say why.

use std::collections::{HashMap, HashSet};

use crate::firstboot::cloud_config::reader::Reader;
use crate::firstboot::configuration::{Link, LinkKind, Network, Placed};

/// How many names a message tells.
const MOST_TOLD: usize = 8;

/// Finds it.
pub(super) fn check(reader: &mut Reader, network: &Network) {
    unique(reader, network);
    if !references(reader, network) {
        return;
    }
    members(reader, network);
    circles(reader, network);
    ways_out(reader, network);
}

/// Ids, names and addresses are each one link's.
fn unique(reader: &mut Reader, network: &Network) {
    let (mut ids, mut names, mut macs, mut numbers) =
        (HashSet::new(), HashSet::new(), HashSet::new(), HashSet::new());
    for link in &network.links {
        let id = &link.id;
        if !ids.insert(&id.value) {
            reader.error(&id.place, format!("there are two links called {:?}", id.value));
            continue;
        }
        if let Some(name) = link.interface().filter(|name| !names.insert(*name)) {
            reader.error(&id.place, format!("two links are the interface {name:?}"));
        }
        match &link.kind {
            LinkKind::Ethernet(by) => {
                if let Some(mac) = by.mac.as_ref().filter(|it| !macs.insert(it.value)) {
                    let what = format!("two links are the interface of the address {}", mac.value);
                    reader.error(&mac.place, what);
                }
            }
            LinkKind::Vlan(vlan) if !numbers.insert((&vlan.parent.value, vlan.number)) => {
                let (number, parent) = (vlan.number, &vlan.parent.value);
                reader.error(&id.place, format!("two VLANs on {parent:?} have the id {number}"));
            }
            _ => {}
        }
    }
}

/// Whether all that is named is there.
fn references(reader: &mut Reader, network: &Network) -> bool {
    let ids: HashSet<&str> = network.links.iter().map(|it| it.id.value.as_str()).collect();
    let told: Vec<&str> =
        network.links.iter().map(|it| it.id.value.as_str()).take(MOST_TOLD).collect();
    let mut all = true;
    for link in &network.links {
        for other in link.needs().iter().filter(|it| !ids.contains(it.value.as_str())) {
            let what = format!(
                "{:?} needs the link {:?}, which is not there: write it as a link of its own; \
                 there is {}",
                link.id.value,
                other.value,
                told.join(", ")
            );
            reader.error(&other.place, what);
            all = false;
        }
        let members: HashSet<&str> = link.members().iter().map(|it| it.value.as_str()).collect();
        for other in chosen(link) {
            if !members.contains(other.value.as_str()) {
                let what = format!("{:?} is no member of {:?}", other.value, link.id.value);
                reader.error(&other.place, what);
            }
        }
    }
    all
}

/// The members of which something is said.
fn chosen(link: &Link) -> Vec<&Placed<String>> {
    match &link.kind {
        LinkKind::Bond(bond) => bond.primary.iter().collect(),
        LinkKind::Bridge(bridge) => {
            bridge.costs.iter().chain(&bridge.priorities).map(|(id, _)| id).collect()
        }
        _ => Vec::new(),
    }
}

/// A member is a member of one, and has no addresses of its own.
fn members(reader: &mut Reader, network: &Network) {
    let mut member_of: HashMap<&str, &str> = HashMap::new();
    for link in &network.links {
        for member in link.members() {
            if let Some(other) = member_of.insert(&member.value, &link.id.value) {
                let what = format!("{:?} is a member of {other:?} already", member.value);
                reader.error(&member.place, what);
            }
        }
    }
    for link in &network.links {
        let Some(of) = member_of.get(link.id.value.as_str()) else { continue };
        if !link.addressing.is_bare() {
            let what = format!(
                "{:?} is a member of {of:?}, and its addresses would not be used: write them there",
                link.id.value
            );
            reader.error(&link.id.place, what);
        }
    }
}

/// Takes away what needs nothing that is left, until nothing is left, or only circles.
fn circles(reader: &mut Reader, network: &Network) {
    let mut missing: HashMap<&str, usize> = HashMap::new();
    let mut needed_by: HashMap<&str, Vec<&str>> = HashMap::new();
    for link in &network.links {
        missing.insert(&link.id.value, link.needs().len());
        for other in link.needs() {
            needed_by.entry(&other.value).or_default().push(&link.id.value);
        }
    }
    let mut ready: Vec<&str> =
        missing.iter().filter(|(_, count)| **count == 0).map(|(id, _)| *id).collect();
    while let Some(id) = ready.pop() {
        missing.remove(id);
        for other in needed_by.remove(id).unwrap_or_default() {
            let Some(count) = missing.get_mut(other) else { continue };
            *count -= 1;
            if *count == 0 {
                ready.push(other);
            }
        }
    }
    if let Some(link) = network.links.iter().find(|it| missing.contains_key(it.id.value.as_str())) {
        let what = format!(
            "{:?} needs a link that needs {:?} again, perhaps over others: none of them would come \
             up",
            link.id.value, link.id.value
        );
        reader.error(&link.id.place, what);
    }
}

/// Leaves out what a link says of a gateway a second time: as `gateway` and as a route, or once
/// for each of several networks on one port.
pub(super) fn once(network: &mut Network) {
    for link in &mut network.links {
        let mut seen = HashSet::new();
        link.addressing.routes.retain(|it| {
            let how = (it.on_link, it.kind.word(), it.from, it.mtu);
            !it.to.is_default() || seen.insert((it.to.address, it.via, it.table, it.metric, how))
        });
    }
}

/// Two default routes of one family, in one table, at one price: of a link that is an error; of
/// several, chance would decide.
fn ways_out(reader: &mut Reader, network: &Network) {
    let mut all = HashMap::new();
    for (at, link) in network.links.iter().enumerate() {
        for route in link.addressing.routes.iter().filter(|it| it.to.is_default()) {
            let key = (route.to.address, route.table, route.metric);
            let Some((other, via)) = all.insert(key, (at, route.via)) else { continue };
            let other_id = network.links.get(other).map_or("", |it| it.id.value.as_str());
            if other == at {
                if via == route.via {
                    continue;
                }
                let what = format!("{other_id:?} has two gateways of one family: remove one");
                reader.error(&route.place, what);
            } else {
                let what = format!(
                    "{other_id:?} has a gateway of this family as well, and which is used is \
                     chance: give each route a metric"
                );
                reader.warn(&route.place, what);
            }
        }
    }
}
