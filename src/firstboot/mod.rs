//! First boot: a configuration from outside, applied once, before the system
//! that it configures is entered.
//!
//! Three stages in the initrd, each a unit of its own:
//!
//! ```text
//!  detect   is this a first boot?            every start; a few milliseconds
//!  fetch    find the configuration, copy it  first boots only
//!  apply    run it in a new snapshot         only where one was found
//! ```
//!
//! They know of each other only by the hand-offs in `/run/health-checker`, which
//! are also the units' conditions: what was not handed on does not start.
//! A failure at any stage leaves the disk as it was. What only a started system can do is
//! written down in it, and done there ([`later`]).

pub mod apply;
pub mod chroot;
pub mod cli;
pub mod cloud_config;
pub mod configuration;
pub mod configure;
pub mod copy;
pub mod datasource;
pub mod detect;
pub mod disks;
mod finish;
mod instance;
pub mod interpret;
pub mod later;
pub mod machine;
mod network;
pub mod network_config;
pub mod network_files;
mod network_word;
mod notes;
mod os_release;
pub mod outcome;
pub mod plan;
mod plugins;
mod probation;
pub mod problem;
mod resolv;
pub mod script;
pub mod seed;
pub mod stage;
pub mod trust;
pub mod untrusted;
pub mod userdata;
mod wait;
pub mod yaml;
pub mod zypper;
