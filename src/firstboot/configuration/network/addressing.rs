//! How a link gets its addresses, and what is taken of a DHCP server's answer.

use std::net::IpAddr;

use super::{Prefix, Route};
use crate::firstboot::configuration::Placed;

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
    pub use_ntp: Option<Placed<bool>>,
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
