//! The only room that touches the machine. Everything here does one thing to
//! it, within a time limit, and says what went wrong with the thing's name.

pub mod block;
pub mod cmdline;
pub mod command;
pub mod fetch;
pub mod files;
pub mod keys;
pub mod log;
pub mod mount;
pub mod mountinfo;
pub mod random;
mod raw;
pub mod systemd;
#[cfg(test)]
pub(crate) mod test_server;
pub mod tls;
pub mod tree;
pub mod virt;
pub mod watch;
pub mod within;

pub use raw::{btrfs, clock};
