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

/// Swap in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swap {
    /// The file.
    pub filename: Placed<String>,
    /// In bytes; `None`: as much as memory suggests.
    pub size: Option<u64>,
    /// At most, in bytes.
    pub maximum: Option<u64>,
}

/// A file system to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filesystem {
    /// The device.
    pub device: Placed<String>,
    /// Its type: `ext4`.
    pub fstype: String,
    /// Its label.
    pub label: Option<String>,
    /// What is there is lost.
    pub overwrite: bool,
}
