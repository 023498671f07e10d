//! btrfs through its ioctls: subvolumes, snapshots, the default subvolume.
//!
//! The kernel's layouts and numbers are in [`abi`].

mod abi;

use std::ffi::CStr;
use std::fs::File;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use anyhow::{Context, Result, bail};
use nix::sys::statfs::{BTRFS_SUPER_MAGIC, statfs};
use uuid::Uuid;

use abi::{FsInfo, RawDeviceStats, SubvolInfo, TreeSearch, VolArgs, VolArgsV2};

/// The inode number of every subvolume's root.
const SUBVOLUME_INODE: u64 = 256;
/// The id of the top-level subvolume.
pub const TOP_LEVEL: u64 = 5;
const SUBVOL_RDONLY: u64 = 1 << 1;

/// A subvolume, as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subvolume {
    /// Its id (tree id): what the default subvolume is named by.
    pub id: u64,
    /// Its own UUID, never used twice.
    pub uuid: Uuid,
    /// The UUID of the subvolume that it is a snapshot of.
    pub parent_uuid: Option<Uuid>,
    /// Its read-only property.
    pub read_only: bool,
}

/// Whether `path` lies on btrfs.
///
/// # Errors
/// As statfs(2).
pub fn is_btrfs(path: &Path) -> Result<bool> {
    let stat = statfs(path).with_context(|| format!("cannot statfs {}", path.display()))?;
    Ok(stat.filesystem_type() == BTRFS_SUPER_MAGIC)
}

/// Whether `path` is the root of a subvolume.
///
/// # Errors
/// As stat(2) and statfs(2).
pub fn is_subvolume(path: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let metadata =
        path.symlink_metadata().with_context(|| format!("cannot stat {}", path.display()))?;
    Ok(metadata.is_dir() && metadata.ino() == SUBVOLUME_INODE && is_btrfs(path)?)
}

/// What the kernel says of the subvolume that `path` lies in.
///
/// # Errors
/// Not btrfs, or as open(2).
pub fn info(path: &Path) -> Result<Subvolume> {
    let dir = open(path)?;
    // SAFETY: all of its fields are plain numbers, for which zero is a value.
    let mut raw: SubvolInfo = unsafe { zeroed() };
    // SAFETY: the kernel writes exactly one SubvolInfo, whose size is asserted above.
    unsafe { abi::get_subvol_info(fd(&dir), &raw mut raw) }
        .with_context(|| format!("cannot ask for the subvolume of {}", path.display()))?;
    let parent = Uuid::from_bytes(raw.parent_uuid);
    Ok(Subvolume {
        id: raw.treeid,
        uuid: Uuid::from_bytes(raw.uuid),
        parent_uuid: (!parent.is_nil()).then_some(parent),
        // The root item's flag is bit 0, the ioctl's is bit 1 (btrfs_tree.h).
        read_only: raw.flags & 1 != 0,
    })
}

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
    // SAFETY: all of its fields are plain numbers, for which zero is a value.
    let mut info: FsInfo = unsafe { zeroed() };
    // SAFETY: the kernel writes exactly one FsInfo, whose size is asserted above.
    unsafe { abi::fs_info(fd(&dir), &raw mut info) }
        .with_context(|| format!("cannot ask for the devices of {}", path.display()))?;
    let mut devices = Vec::new();
    for device in 1..=info.max_id {
        // SAFETY: all of its fields are plain numbers, for which zero is a value.
        let mut stats: RawDeviceStats = unsafe { zeroed() };
        stats.devid = device;
        stats.nr_items = 5;
        // SAFETY: the kernel reads and writes exactly one of them, whose size is asserted above.
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
    // SAFETY: all of its fields are plain numbers, for which zero is a value.
    let mut info: FsInfo = unsafe { zeroed() };
    // SAFETY: the kernel writes exactly one FsInfo, whose size is asserted above.
    unsafe { abi::fs_info(fd(&dir), &raw mut info) }
        .with_context(|| format!("cannot ask for the devices of {}", mount.display()))?;
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

/// Creates `dest`, a writable snapshot of the subvolume `source`.
///
/// # Errors
/// As the ioctl; EEXIST if `dest` is there.
pub fn snapshot(source: &Path, dest: &Path) -> Result<()> {
    let (dir, mut args) = named(dest)?;
    let source_dir = open(source)?;
    args.fd = i64::from(fd(&source_dir));
    // SAFETY: the kernel reads one VolArgsV2; its name is NUL-terminated by `named`.
    unsafe { abi::snap_create_v2(fd(&dir), &raw const args) }
        .with_context(|| format!("cannot snapshot {} to {}", source.display(), dest.display()))?;
    Ok(())
}

/// Deletes a subvolume; subvolumes nested in it must be gone before.
///
/// # Errors
/// As the ioctl; ENOTEMPTY where one is nested, EPERM for the default one.
pub fn delete(path: &Path) -> Result<()> {
    let (dir, args) = named(path)?;
    // SAFETY: the kernel reads one VolArgsV2; its name is NUL-terminated by `named`.
    unsafe { abi::snap_destroy_v2(fd(&dir), &raw const args) }
        .with_context(|| format!("cannot delete subvolume {}", path.display()))?;
    Ok(())
}

/// Sets or clears a subvolume's read-only property.
///
/// # Errors
/// As the ioctls.
pub fn set_read_only(path: &Path, read_only: bool) -> Result<()> {
    let dir = open(path)?;
    let mut flags = 0;
    // SAFETY: the kernel writes one u64.
    unsafe { abi::subvol_getflags(fd(&dir), &raw mut flags) }
        .with_context(|| format!("cannot read the flags of {}", path.display()))?;
    let wanted = if read_only { flags | SUBVOL_RDONLY } else { flags & !SUBVOL_RDONLY };
    // SAFETY: the kernel reads one u64.
    unsafe { abi::subvol_setflags(fd(&dir), &raw const wanted) }
        .with_context(|| format!("cannot set the flags of {}", path.display()))?;
    Ok(())
}

/// Makes the subvolume with this id the default one, durably: the transaction
/// is committed before the return.
///
/// # Errors
/// As the ioctls; EPERM without `CAP_SYS_ADMIN`, EROFS on a read-only mount.
pub fn set_default(mount: &Path, id: u64) -> Result<()> {
    let dir = open(mount)?;
    // SAFETY: the kernel reads one u64.
    unsafe { abi::default_subvol(fd(&dir), &raw const id) }.with_context(|| {
        format!("cannot make subvolume {id} the default of {}", mount.display())
    })?;
    sync(mount)
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

/// The id of the default subvolume: the item "default" of the root tree's
/// directory, as `btrfs subvolume get-default` finds it.
///
/// # Errors
/// As the ioctl; EPERM without `CAP_SYS_ADMIN`.
pub fn default_id(mount: &Path) -> Result<u64> {
    const ROOT_TREE: u64 = 1;
    const ROOT_TREE_DIR: u64 = 6;
    const DIR_ITEM: u32 = 84;
    let dir = open(mount)?;
    // SAFETY: all of its fields are plain numbers, for which zero is a value.
    let mut search: TreeSearch = unsafe { zeroed() };
    search.tree_id = ROOT_TREE;
    search.min_objectid = ROOT_TREE_DIR;
    search.max_objectid = ROOT_TREE_DIR;
    search.max_offset = u64::MAX;
    search.max_transid = u64::MAX;
    search.min_type = DIR_ITEM;
    search.max_type = DIR_ITEM;
    search.nr_items = 16;
    // SAFETY: the kernel reads and writes exactly one TreeSearch, whose size is asserted above.
    unsafe { abi::tree_search(fd(&dir), &raw mut search) }
        .with_context(|| format!("cannot ask for the default subvolume of {}", mount.display()))?;
    match default_in(&search.buf, search.nr_items) {
        Some(id) => Ok(id),
        None => bail!("no default subvolume in the root tree of {}", mount.display()),
    }
}

/// Finds "default" in a search's result: items, each a header of 32 bytes whose
/// last four are the length, then `btrfs_dir_item` of 30 bytes and a name.
fn default_in(buf: &[u8], items: u32) -> Option<u64> {
    let mut rest = buf;
    for _ in 0..items {
        let (header, after) = rest.split_at_checked(32)?;
        let len = u32::from_le_bytes(header[28..32].try_into().ok()?) as usize;
        let (item, after) = after.split_at_checked(len)?;
        if item.get(30..) == Some(b"default") {
            return Some(u64::from_le_bytes(item[..8].try_into().ok()?));
        }
        rest = after;
    }
    None
}

fn open(path: &Path) -> Result<File> {
    File::open(path).with_context(|| format!("cannot open {}", path.display()))
}

fn fd(file: &File) -> RawFd {
    file.as_raw_fd()
}

/// The opened parent directory, and arguments that name the last component.
fn named(path: &Path) -> Result<(File, VolArgsV2)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        bail!("{} cannot name a subvolume", path.display());
    };
    let name = name.as_encoded_bytes();
    // SAFETY: all of its fields are plain numbers, for which zero is a value.
    let mut args: VolArgsV2 = unsafe { zeroed() };
    if name.len() >= args.name.len() {
        bail!("the last part of {} is too long to name a subvolume", path.display());
    }
    args.name[..name.len()].copy_from_slice(name);
    debug_assert!(CStr::from_bytes_until_nul(&args.name).is_ok());
    Ok((open(parent)?, args))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_found_among_other_items_and_a_short_buffer_is_no_panic() {
        let item = |name: &[u8], id: u64| {
            let mut bytes = vec![0; 28];
            bytes.extend(u32::try_from(30 + name.len()).unwrap().to_le_bytes());
            bytes.extend(id.to_le_bytes());
            bytes.extend([0; 22]);
            bytes.extend(name);
            bytes
        };
        let buf = [item(b"other", 7), item(b"default", 268)].concat();
        assert_eq!(default_in(&buf, 2), Some(268));
        assert_eq!(default_in(&buf, 1), None);
        for cut in 0..buf.len() {
            assert_eq!(default_in(&buf[..cut], 2), None);
        }
    }
}
