//! snapper's plugins (snapper(8)): what others hang on its events, sdbootutil its boot
//! entries. They are the new snapshot's own, and run in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::chroot::World;
use crate::snapshot::disk::Disk;
use crate::sys::files;

const DIR: &str = "/usr/lib/snapper/plugins";
/// One may have to make an initrd.
const LIMIT: Duration = Duration::from_secs(300);

/// An event, as plugins are told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A snapshot was made.
    Created,
    /// It is about to become the default.
    BecomesDefault,
}

impl Event {
    const fn name(self) -> &'static str {
        match self {
            Self::Created => "create-snapshot-post",
            Self::BecomesDefault => "set-default-snapshot-post",
        }
    }
}

/// Tells all plugins of the new snapshot. One that fails is told of: what it was to
/// do may not matter here, and where it does, that is seen.
///
/// # Errors
/// They cannot be listed, or their world not be made.
pub(super) fn tell(world: &World, disk: &Disk, event: Event, number: u32) -> Result<()> {
    let names = all(disk, number)?;
    if names.is_empty() {
        return Ok(());
    }
    let number = number.to_string();
    world.call(&names, &[event.name(), "/", "btrfs", &number], LIMIT)
}

/// Whether somebody is told.
///
/// # Errors
/// They cannot be listed.
pub(super) fn are_there(disk: &Disk, number: u32) -> Result<bool> {
    Ok(!all(disk, number)?.is_empty())
}

/// The plugins of a snapshot, by their paths in it.
fn all(disk: &Disk, number: u32) -> Result<Vec<PathBuf>> {
    let Some(dir) = disk.place(number, Path::new(DIR)) else {
        log::info!("/usr is on another file system: snapper's plugins in it are not called");
        return Ok(Vec::new());
    };
    let plugins = files::list(&dir)?;
    let runnable = |path: &&PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let name = |path: &PathBuf| Some(Path::new(DIR).join(path.file_name()?));
    Ok(plugins.iter().filter(runnable).filter_map(name).collect())
}
