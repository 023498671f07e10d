//! The network: links, what makes them, and what they are called and reached by.

mod address;
mod addressing;
mod bond;
mod link;
mod route;

use std::collections::HashMap;

pub use address::{Mac, Prefix, address_of, length_of_mask};
pub use addressing::{Addressing, LinkLocal, Overrides, UseDomains};
pub use bond::{BOND_OPTIONS, BondOption, BondSetting, BondType};
pub use link::{Bond, Bridge, Link, LinkKind, Match, Vlan, is_pattern};
pub use route::{Route, RouteKind};

use super::Placed;
use crate::firstboot::problem::Place;

/// All links that are configured. Others are left to the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Where it was written.
    pub place: Place,
    /// In order of appearance; no two have one id, and what they name is there.
    pub links: Vec<Link>,
}

impl Network {
    /// By each member's id the bond or bridge that it belongs to.
    pub fn controllers(&self) -> HashMap<&str, &Link> {
        let pairs = |link| Link::members(link).iter().map(move |it| (it.value.as_str(), link));
        self.links.iter().flat_map(pairs).collect()
    }

    /// By each link's id the VLANs over it.
    pub fn vlans(&self) -> HashMap<&str, Vec<&Link>> {
        let mut vlans: HashMap<&str, Vec<&Link>> = HashMap::new();
        for link in &self.links {
            if let LinkKind::Vlan(vlan) = &link.kind {
                vlans.entry(&vlan.parent.value).or_default().push(link);
            }
        }
        vlans
    }

    /// Fills in what is known of the machine's interfaces: the name of what is found by its
    /// address, and the address of what is found by its name.
    pub fn learn(&mut self, interfaces: &[(String, Mac)]) {
        for link in &mut self.links {
            let LinkKind::Ethernet(by) = &mut link.kind else { continue };
            let place = link.id.place.clone();
            match (&by.mac, &by.name) {
                (Some(mac), None) if link.set_name.is_none() => {
                    let known = interfaces.iter().find(|(_, it)| *it == mac.value);
                    by.name = known.map(|(name, _)| Placed { value: name.clone(), place });
                }
                (None, Some(name)) => {
                    let known = interfaces.iter().find(|(it, _)| *it == name.value);
                    by.mac = known.map(|(_, mac)| Placed { value: *mac, place });
                }
                _ => {}
            }
        }
    }
}
