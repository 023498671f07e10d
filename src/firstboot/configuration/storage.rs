//! Disks.

use super::Placed;

/// A line of fstab(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its six fields; a mount point of `None` removes the device's line.
    pub device: Placed<String>,
    /// Where.
    pub target: Option<String>,
    /// Type, options, dump, pass.
    pub rest: [String; 4],
}
