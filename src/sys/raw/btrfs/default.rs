//! The default subvolume: what is mounted as the root unless another one is named.

use std::mem::zeroed;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::abi::{self, TreeSearch};
use super::{fd, open, sync};

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
    // SAFETY: the kernel reads and writes exactly one TreeSearch, whose size `abi` asserts.
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
