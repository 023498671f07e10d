//! The devices of a file system: their errors, and how much of each is used.

use std::fs::File;
use std::mem::zeroed;
use std::path::Path;

use anyhow::{Context, Result};

use super::abi::{self, FsInfo, RawDeviceStats, VolArgs};
use super::{fd, open};

/// What went wrong with a device since its counters were last reset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceErrors {
    /// Its number within the file system.
    pub device: u64,
    /// Failed writes.
    pub write: u64,
    /// Failed reads.
    pub read: u64,
    /// Failed flushes.
    pub flush: u64,
    /// Blocks whose checksum did not fit.
    pub corruption: u64,
    /// Blocks that are older than they should be.
    pub generation: u64,
}

/// The error counters of every device of the file system that `path` lies on.
///
/// # Errors
/// As the ioctls; ENOTTY where it is not btrfs.
pub fn device_errors(path: &Path) -> Result<Vec<DeviceErrors>> {
    let dir = open(path)?;
    let info = fs_info(&dir, path)?;
    let mut devices = Vec::new();
    for device in 1..=info.max_id {
        // SAFETY: all of its fields are plain numbers, for which zero is a value.
        let mut stats: RawDeviceStats = unsafe { zeroed() };
        stats.devid = device;
        stats.nr_items = 5;
        // SAFETY: the kernel reads and writes exactly one of them, whose size `abi` asserts.
        match unsafe { abi::get_dev_stats(fd(&dir), &raw mut stats) } {
            Ok(_) => {}
            Err(nix::Error::ENODEV) => continue, // a number that is free again
            Err(e) => {
                return Err(e).with_context(|| {
                    format!("cannot ask for the errors of device {device} of {}", path.display())
                });
            }
        }
        let [write, read, flush, corruption, generation] = stats.values;
        devices.push(DeviceErrors { device, write, read, flush, corruption, generation });
    }
    Ok(devices)
}

/// Makes the mounted file system use all of each of its devices; one that does already is no
/// error.
///
/// # Errors
/// As the ioctls; EROFS on a read-only mount, EPERM without `CAP_SYS_ADMIN`.
pub fn grow(mount: &Path) -> Result<()> {
    let dir = open(mount)?;
    let info = fs_info(&dir, mount)?;
    for device in 1..=info.max_id {
        // SAFETY: all of its fields are plain numbers, for which zero is a value.
        let mut args: VolArgs = unsafe { zeroed() };
        let what = format!("{device}:max");
        args.name[..what.len()].copy_from_slice(what.as_bytes());
        // SAFETY: the kernel reads one VolArgs; at most 24 bytes of its name are not NUL.
        match unsafe { abi::resize(fd(&dir), &raw const args) } {
            // A number that is free again.
            Ok(_) | Err(nix::Error::ENODEV) => {}
            Err(e) => {
                return Err(e).with_context(|| {
                    format!("cannot resize device {device} of {}", mount.display())
                });
            }
        }
    }
    Ok(())
}

fn fs_info(dir: &File, path: &Path) -> Result<FsInfo> {
    // SAFETY: all of its fields are plain numbers, for which zero is a value.
    let mut info: FsInfo = unsafe { zeroed() };
    // SAFETY: the kernel writes exactly one FsInfo, whose size `abi` asserts.
    unsafe { abi::fs_info(fd(dir), &raw mut info) }
        .with_context(|| format!("cannot ask for the devices of {}", path.display()))?;
    Ok(info)
}
