//! The host itself: its names, its time, its language, its software.

use super::Placed;
use crate::firstboot::problem::Place;

/// What becomes of `/etc/hosts`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EtcHosts {
    /// Nothing.
    #[default]
    Kept,
    /// A line for 127.0.1.1 with the host's names.
    OwnLine,
    /// All of it is written anew.
    Template,
}

/// Names, time, language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// What goes into `/etc/hostname`; `None` leaves it.
    pub hostname: Option<Placed<String>>,
    /// With its domain.
    pub fqdn: Option<Placed<String>>,
    /// `/etc/hosts`.
    pub etc_hosts: EtcHosts,
    /// A name below `/usr/share/zoneinfo`.
    pub timezone: Option<Placed<String>>,
    /// `LANG`.
    pub locale: Option<Placed<String>>,
    /// The console's and X11's.
    pub keyboard: Option<Keyboard>,
    /// Whom to ask for the time.
    pub ntp: Option<Ntp>,
}

/// A keyboard (vconsole.conf(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyboard {
    /// `de`.
    pub layout: Placed<String>,
    /// `pc105`.
    pub model: Option<String>,
    /// `nodeadkeys`.
    pub variant: Option<String>,
    /// `compose:ralt`.
    pub options: Option<String>,
}

/// Whom to ask for the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ntp {
    /// Where it was asked for.
    pub place: Place,
    /// `chrony`, `systemd-timesyncd`, or what is there.
    pub client: Option<Placed<String>>,
    /// Names that stand for many servers.
    pub pools: Vec<Placed<String>>,
    /// Servers.
    pub servers: Vec<Placed<String>>,
}

/// Certificates of authorities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CaCerts {
    /// Where it is asked for that the system's own are no longer trusted.
    pub remove_defaults: Option<Place>,
    /// PEM, each.
    pub trusted: Vec<Placed<String>>,
}
