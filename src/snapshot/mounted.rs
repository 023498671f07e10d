//! Which snapshot is mounted somewhere, by the kernel's table of mounts.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::sys::files;
use crate::sys::mountinfo::{self, Mount};

/// What is mounted at a directory.
///
/// # Errors
/// The kernel's table cannot be read.
pub fn mount_at(path: &Path) -> Result<Option<Mount>> {
    let table = files::read_text(Path::new("/proc/thread-self/mountinfo"))?.unwrap_or_default();
    Ok(mountinfo::at(&mountinfo::parse(&table), path).cloned())
}

/// The number of the snapshot that a mount is of, if it is one.
pub fn number_of(mount: &Mount) -> Option<u32> {
    snapshot_of(mount).map(|(_, number)| number)
}

/// The directory of snapshots and the number that a btrfs mount is of.
pub(super) fn snapshot_of(mount: &Mount) -> Option<(PathBuf, u32)> {
    if mount.fstype != "btrfs" || mount.root.file_name()? != "snapshot" {
        return None;
    }
    let numbered = mount.root.parent()?;
    Some((numbered.parent()?.to_owned(), numbered.file_name()?.to_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_snappers_snapshots_are_recognised() {
        let of = |root: &str, fstype: &str| {
            let line = format!("26 1 0:24 {root} /sysroot ro - {fstype} /dev/vda rw\n");
            snapshot_of(&mountinfo::parse(&line)[0])
        };
        assert_eq!(of("/@/.snapshots/12/snapshot", "btrfs"), Some(("/@/.snapshots".into(), 12)));
        assert_eq!(of("/.snapshots/1/snapshot", "btrfs"), Some(("/.snapshots".into(), 1)));
        assert_eq!(of("/@/.snapshots/x/snapshot", "btrfs"), None);
        assert_eq!(of("/", "btrfs"), None);
        assert_eq!(of("/@/.snapshots/12/snapshot", "ext4"), None);
    }
}
