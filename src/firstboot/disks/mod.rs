//! A machine's disks: the facts that a plan is made by, and the steps of it carried out.
//!
//! Both by programs of the system (sfdisk, blkid, mkfs …), in its own world: the initrd has none
//! of them.

mod gather;
mod make;

use std::fmt;

pub use gather::gather;
pub use make::make;

/// A failure after which something that was made on disks stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made(pub(super) String);

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Made {}

/// Tells with an error what was made on disks by then, so that nobody takes them for untouched.
pub fn stays(error: anyhow::Error, made: &[String]) -> anyhow::Error {
    if made.is_empty() {
        return error;
    }
    let made = made.join("; ");
    Made(format!(
        "{error:#}. Done on disks, where it stays, and is found by the next first boot: {made}"
    ))
    .into()
}
