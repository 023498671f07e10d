//! Routes: where packets go, over whom, and what becomes of them.

use std::net::IpAddr;

use super::Prefix;
use crate::firstboot::problem::Place;

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
    /// [`super::Link::is_on_link`].
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
