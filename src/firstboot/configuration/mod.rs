//! What a configuration asks for, whatever format it was written in: every value typed, checked as
//! far as it can be without the machine, and with its place.
//!
//! A format's reader makes it (`cloud_config`), `plan` turns it into changes of a system.
//! What runs in the started system instead is in [`Later`].

mod accounts;
mod files;
mod host;
mod later;
mod network;
mod software;
mod storage;

pub use accounts::{Group, Hash, Lock, NewPassword, Secret, Ssh, User};
pub use files::{FileContent, Mode, Owner, WriteFile};
pub use host::{CaCerts, EtcHosts, Host, Keyboard, Ntp};
pub use later::{Command, Later, PhoneHome, PowerAction, PowerState, Script, When};
pub use network::{
    Addressing, BOND_OPTIONS, Bond, BondOption, BondSetting, BondType, Bridge, Link, LinkKind,
    LinkLocal, Mac, Match, Network, Overrides, Prefix, Route, RouteKind, UseDomains, Vlan,
    address_of, is_pattern, length_of_mask,
};
pub use software::{Package, Repository, SigningKey, Software};
pub use storage::{
    Disks, Grow, Layout, Mount, NewFileSystem, NewPartition, NewTable, PartitionType, ResizeRoot,
    SwapFile, SwapSize, TableKind, Target,
};

use super::problem::Place;

/// A value, and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub place: Place,
}

/// All that a machine is to be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configuration {
    /// Which configuration of which machine this is: scripts that run once an instance ask for it.
    pub instance_id: String,
    /// Names, time, language.
    pub host: Host,
    /// Groups to be there, before the users.
    pub groups: Vec<Group>,
    /// Users to be there, in order.
    pub users: Vec<User>,
    /// Passwords for users that are there by then.
    pub passwords: Vec<NewPassword>,
    /// The ssh server.
    pub ssh: Ssh,
    /// Files to write, in order.
    pub files: Vec<WriteFile>,
    /// What is made on disks.
    pub disks: Disks,
    /// Entries of fstab.
    pub mounts: Vec<Mount>,
    /// Repositories and packages.
    pub software: Software,
    /// Certificates to be trusted.
    pub ca_certs: CaCerts,
    /// The network; `None` leaves it to the system.
    pub network: Option<Network>,
    /// Bytes for the kernel's random numbers.
    pub random_seed: Vec<u8>,
    /// What runs the vendor's scripts, with arguments ([`Script::prefix`]).
    pub vendor_prefix: Vec<String>,
    /// What runs in the started system.
    pub later: Later,
}
