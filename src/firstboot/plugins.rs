//! snapper's plugins (snapper(8)): what others hang on its events, sdbootutil its boot
//! entries, GRUB its menu of snapshots. They are the new snapshot's own, and run in it, as
//! snapper would call them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::chroot::World;
use crate::snapshot::disk::Disk;
use crate::sys::files;

const DIR: &str = "/usr/lib/snapper/plugins";
/// The one that snapper calls in a way of its own, and before the others.
const GRUB: &str = "grub";
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
    let number = number.to_string();
    let call = |name: &String| {
        let arguments = match (name.as_str(), event) {
            (GRUB, Event::Created) => vec!["--refresh"],
            (GRUB, Event::BecomesDefault) => return None,
            _ => vec![event.name(), "/", "btrfs", &number],
        };
        Some((format!("{DIR}/{name}"), arguments))
    };
    let calls: Vec<_> = names.iter().filter_map(call).collect();
    if calls.is_empty() { Ok(()) } else { world.call(&calls, LIMIT) }
}

/// Whether somebody is told.
///
/// # Errors
/// They cannot be listed.
pub(super) fn are_there(disk: &Disk, number: u32) -> Result<bool> {
    Ok(!all(disk, number)?.is_empty())
}

/// The names of a snapshot's plugins, in the order in which they are called: GRUB's, then those
/// that begin with a digit. snapper calls no others.
fn all(disk: &Disk, number: u32) -> Result<Vec<String>> {
    let Some(dir) = disk.place(number, Path::new(DIR)) else {
        log::info!("/usr is on another file system: snapper's plugins in it are not called");
        return Ok(Vec::new());
    };
    let runnable = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt;
        path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let called = |name: &String| name == GRUB || name.starts_with(|c: char| c.is_ascii_digit());
    let found = files::list(&dir)?.into_iter().filter(runnable);
    let name = |path: PathBuf| Some(path.file_name()?.to_str()?.to_owned());
    let mut names: Vec<_> = found.filter_map(name).filter(called).collect();
    names.sort_by_key(|name| name != GRUB);
    Ok(names)
}
