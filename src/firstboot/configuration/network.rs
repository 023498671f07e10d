//! The network: links, what makes them, and what they are called and reached by.

use std::collections::HashMap;
use std::net::IpAddr;

use super::Placed;
use super::address::{Mac, Prefix};
use super::bond::BondSetting;
use crate::firstboot::problem::Place;

/// All links that are configured. Others are left to the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// Where it was written.
    pub place: Place,
    /// In order of appearance; no two have one id, and what they name is there.
    pub links: Vec<Link>,
}

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

/// How a link gets its addresses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Addressing {
    /// Asks for an IPv4 address.
    pub dhcp4: bool,
    /// Asks for an IPv6 address.
    pub dhcp6: bool,
    /// What is taken of the answer.
    pub overrides4: Overrides,
    /// The same of IPv6, and of what routers announce.
    pub overrides6: Overrides,
    /// Says its MAC address to the DHCP server, not an identifier made of the machine-id.
    pub identifier_is_mac: bool,
    /// Addresses of its own.
    pub addresses: Vec<Placed<Prefix>>,
    /// Ways, the default ones among them.
    pub routes: Vec<Route>,
    /// Whom to ask for names.
    pub nameservers: Vec<Placed<IpAddr>>,
    /// Domains that are added to short names.
    pub search: Vec<Placed<String>>,
    /// Whether it listens to routers (IPv6); `None` leaves it to the system.
    pub accept_ra: Option<bool>,
    /// Temporary addresses (RFC 8981).
    pub privacy: Option<bool>,
    /// Addresses that it makes itself; `None` leaves it to the system.
    pub link_local: Option<LinkLocal>,
}

/// Which addresses a link makes itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkLocal {
    /// `169.254.0.0/16`.
    pub ipv4: bool,
    /// `fe80::/64`.
    pub ipv6: bool,
}

/// What is taken of a DHCP server's answer; `None` leaves it to the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Name servers.
    pub use_dns: Option<bool>,
    /// Domains.
    pub use_domains: Option<Placed<UseDomains>>,
    /// Ways, the default one among them.
    pub use_routes: Option<bool>,
    /// The largest packet.
    pub use_mtu: Option<Placed<bool>>,
    /// Time servers.
    pub use_ntp: Option<bool>,
    /// The host's name.
    pub use_hostname: Option<bool>,
    /// The server is told the host's name.
    pub send_hostname: Option<bool>,
    /// This one.
    pub hostname: Option<String>,
    /// What its ways cost.
    pub route_metric: Option<u32>,
}

/// What becomes of the domains that a server names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UseDomains {
    /// Short names are looked for in them.
    Yes,
    /// Nothing.
    No,
    /// They decide only which name server is asked.
    Route,
}

/// A way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it was written.
    pub place: Place,
    /// Where to.
    pub to: Prefix,
    /// Over whom; `None`: directly.
    pub via: Option<IpAddr>,
    /// What it costs: the least is taken.
    pub metric: Option<u32>,
    /// Whom it goes over is reached directly, whatever the addresses say; `None`: see
    /// [`Link::is_on_link`].
    pub on_link: Option<bool>,
    /// The table of the kernel's, if not the main one.
    pub table: Option<u32>,
    /// What becomes of packets.
    pub kind: RouteKind,
    /// The address that they come from.
    pub from: Option<IpAddr>,
    /// The largest packet, in bytes.
    pub mtu: Option<u32>,
}

/// What becomes of packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RouteKind {
    /// They are sent on.
    #[default]
    Unicast,
    /// They are dropped.
    Blackhole,
    /// The sender is told that nobody is there.
    Unreachable,
    /// The sender is told that it may not.
    Prohibit,
}

impl RouteKind {
    /// The word for it, of both renderers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unicast => "unicast",
            Self::Blackhole => "blackhole",
            Self::Unreachable => "unreachable",
            Self::Prohibit => "prohibit",
        }
    }
}

impl Addressing {
    /// Whether the link has no addresses, and asks nobody for one.
    pub fn is_bare(&self) -> bool {
        let asks = self.dhcp4 || self.dhcp6 || self.accept_ra == Some(true);
        let makes = self.link_local.is_some_and(|it| it.ipv4 || it.ipv6);
        !asks && !makes && self.addresses.is_empty()
    }

    /// Addresses of one family.
    pub fn of_family(&self, is_v4: bool) -> impl Iterator<Item = Prefix> {
        self.addresses.iter().map(|it| it.value).filter(move |it| it.address.is_ipv4() == is_v4)
    }
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

/// Whether a name stands for several.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}
