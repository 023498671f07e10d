//! btrfs through its ioctls: subvolumes, snapshots, the default subvolume.
//!
//! The kernel's layouts and numbers are in [`abi`].

mod abi;
mod default;
mod devices;
mod subvolume;

use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use anyhow::{Context, Result};
use nix::sys::statfs::{BTRFS_SUPER_MAGIC, statfs};

pub use default::{default_id, set_default};
pub use devices::{DeviceErrors, device_errors, grow};
pub use subvolume::{
    QuotaGroup, Subvolume, delete, info, is_subvolume, set_read_only, snapshot, snapshot_in_group,
};

/// The id of the top-level subvolume.
pub const TOP_LEVEL: u64 = 5;

/// Whether `path` lies on btrfs.
///
/// # Errors
/// As statfs(2).
pub fn is_btrfs(path: &Path) -> Result<bool> {
    let stat = statfs(path).with_context(|| format!("cannot statfs {}", path.display()))?;
    Ok(stat.filesystem_type() == BTRFS_SUPER_MAGIC)
}

/// Commits the running transaction of the file system.
///
/// # Errors
/// As the ioctl.
pub fn sync(mount: &Path) -> Result<()> {
    let dir = open(mount)?;
    // SAFETY: takes no argument.
    unsafe { abi::sync(fd(&dir)) }.with_context(|| format!("cannot sync {}", mount.display()))?;
    Ok(())
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

fn fd(file: &File) -> RawFd {
    file.as_raw_fd()
}
