//! Links, and what makes them.

use std::net::IpAddr;

use super::addressing::Addressing;
use super::bond::BondSetting;
use super::{Mac, Route};
use crate::firstboot::configuration::Placed;
use crate::firstboot::problem::Place;

/// A link.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// What others call it, and the place of all of it; of a virtual one it is the interface's
    /// name. Fit for a file's name.
    pub id: Placed<String>,
    /// What it is.
    pub kind: LinkKind,
    /// The name that the interface gets.
    pub set_name: Option<Placed<String>>,
    /// The address that the interface gets.
    pub mac: Option<Placed<Mac>>,
    /// The largest packet, in bytes.
    pub mtu: Option<Placed<u32>>,
    /// A magic packet wakes the machine.
    pub wake_on_lan: bool,
    /// Where it was written that the start does not wait for it.
    pub optional: Option<Place>,
    /// Where it was written that its configuration stays when the service ends.
    pub critical: Option<Place>,
    /// Its addresses, and whence.
    pub addressing: Addressing,
}

/// What a link is.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkKind {
    /// An interface that is there.
    Ethernet(Match),
    /// Several as one.
    Bond(Bond),
    /// A switch of several.
    Bridge(Bridge),
    /// A network with a number over another link (802.1Q).
    Vlan(Vlan),
}

/// How an interface is found; nothing of it: any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// By its permanent address.
    pub mac: Option<Placed<Mac>>,
    /// By its name, or a pattern as of a shell.
    pub name: Option<Placed<String>>,
    /// By the kernel's driver, or a pattern.
    pub driver: Option<Placed<String>>,
}

/// Several links as one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bond {
    /// By id.
    pub members: Vec<Placed<String>>,
    /// In the order of the table.
    pub settings: Vec<BondSetting>,
    /// The member that is used as long as it can be.
    pub primary: Option<Placed<String>>,
}

/// A switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bridge {
    /// By id.
    pub members: Vec<Placed<String>>,
    /// The spanning tree protocol.
    pub stp: bool,
    /// In it.
    pub priority: Option<u32>,
    /// Seconds until an address is forgotten.
    pub ageing_time_s: Option<u32>,
    /// Seconds until a port forwards.
    pub forward_delay_s: Option<u32>,
    /// Seconds between two packets of the protocol.
    pub hello_time_s: Option<u32>,
    /// Seconds for which such a packet counts.
    pub max_age_s: Option<u32>,
    /// What members cost, by id.
    pub costs: Vec<(Placed<String>, u32)>,
    /// Which members are preferred, by id.
    pub priorities: Vec<(Placed<String>, u32)>,
}

/// A network with a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vlan {
    /// From 0 to 4094.
    pub number: u16,
    /// The link that it goes over, by id.
    pub parent: Placed<String>,
}

impl Link {
    /// One of which nothing is said yet.
    pub fn new(id: Placed<String>, kind: LinkKind) -> Self {
        Self {
            id,
            kind,
            set_name: None,
            mac: None,
            mtu: None,
            wake_on_lan: false,
            optional: None,
            critical: None,
            addressing: Addressing::default(),
        }
    }

    /// The links that it is made of.
    pub fn members(&self) -> &[Placed<String>] {
        match &self.kind {
            LinkKind::Bond(bond) => &bond.members,
            LinkKind::Bridge(bridge) => &bridge.members,
            LinkKind::Ethernet(_) | LinkKind::Vlan(_) => &[],
        }
    }

    /// All links that it needs.
    pub fn needs(&self) -> &[Placed<String>] {
        match &self.kind {
            LinkKind::Vlan(vlan) => std::slice::from_ref(&vlan.parent),
            _ => self.members(),
        }
    }

    /// The interface's name, where it is known before the interface is there.
    pub fn interface(&self) -> Option<&str> {
        match &self.kind {
            LinkKind::Ethernet(by) => {
                let name = self.set_name.as_ref().or(by.name.as_ref());
                name.map(|it| it.value.as_str()).filter(|it| !is_pattern(it))
            }
            _ => Some(&self.id.value),
        }
    }

    /// Whether whom a route goes over is to be taken for a neighbour: as it was written, else
    /// where no address of the link's own is in one network with it. Both renderers would refuse
    /// the route otherwise, and clouds hand out /32 with a gateway beside it.
    pub fn is_on_link(&self, route: &Route) -> bool {
        let Some(via) = route.via else { return false };
        route.on_link.unwrap_or_else(|| {
            let mut own = self.addressing.of_family(via.is_ipv4()).peekable();
            let is_link_local = matches!(via, IpAddr::V6(it) if it.is_unicast_link_local());
            own.peek().is_some() && !is_link_local && !own.any(|it| it.contains(via))
        })
    }
}

/// Whether a name stands for several.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}
