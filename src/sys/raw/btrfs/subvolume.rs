//! Subvolumes: what the kernel says of one, and snapshots of it.

use std::ffi::CStr;
use std::fs::File;
use std::mem::zeroed;
use std::path::Path;

use anyhow::{Context, Result, bail};
use uuid::Uuid;

use super::abi::{self, QgroupInherit, SubvolInfo, VolArgsV2};
use super::{fd, is_btrfs, open};

/// The inode number of every subvolume's root.
const SUBVOLUME_INODE: u64 = 256;
const SUBVOL_RDONLY: u64 = 1 << 1;
/// Of the arguments: there is a `QgroupInherit`.
const QGROUP_INHERIT: u64 = 1 << 2;
/// Where a quota group's level is in the kernel's number of it.
const LEVEL_SHIFT: u32 = 48;

/// A quota group above those of single subvolumes, as `btrfs qgroup` writes them: `1/0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaGroup {
    /// Not 0: that is a subvolume's own.
    pub level: u16,
    /// At most 48 bits.
    pub number: u64,
}

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
    // SAFETY: the kernel writes exactly one SubvolInfo, whose size `abi` asserts.
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

/// Creates `dest`, a writable snapshot of the subvolume `source`.
///
/// # Errors
/// As the ioctl; EEXIST if `dest` is there.
pub fn snapshot(source: &Path, dest: &Path) -> Result<()> {
    create(source, dest, None)
}

/// The same, whose space is counted with that of a quota group's other members
/// (btrfs-qgroup(8)).
///
/// # Errors
/// As the ioctl; ENOENT if there is no such group, by which older kernels are not troubled, nor
/// any while quotas are off.
pub fn snapshot_in_group(source: &Path, dest: &Path, group: QuotaGroup) -> Result<()> {
    create(source, dest, Some(group))
        .with_context(|| format!("in the quota group {}/{}", group.level, group.number))
}

fn create(source: &Path, dest: &Path, group: Option<QuotaGroup>) -> Result<()> {
    let (dir, mut args) = named(dest)?;
    let source_dir = open(source)?;
    args.fd = i64::from(fd(&source_dir));
    let inherit = group.map(|group| QgroupInherit {
        flags: 0,
        num_qgroups: 1,
        num_ref_copies: 0,
        num_excl_copies: 0,
        limits: [0; 5],
        qgroups: [u64::from(group.level) << LEVEL_SHIFT | group.number],
    });
    if let Some(inherit) = &inherit {
        args.flags |= QGROUP_INHERIT;
        args.inherit_size = size_of_val(inherit) as u64;
        args.inherit = (&raw const *inherit).addr() as u64;
    }
    // SAFETY: the kernel reads one VolArgsV2, whose name is NUL-terminated by `named`, and what
    // its `inherit` points to: one QgroupInherit, of the size given, which lives until the end.
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
