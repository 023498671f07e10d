//! Undoing a transaction, at once or at the next start.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::disk::Disk;
use super::etc::OVERLAYS;
use super::info::Info;
use super::outside;
use super::transaction::{IN_PROGRESS, in_var, info_path, numbered};
use crate::sys::{btrfs, files};

/// The snapshots that an interrupted transaction left behind: marked, and neither
/// the default nor the root; or not yet marked, and so with nothing in them.
///
/// # Errors
/// The snapshots cannot be listed, or the default not be asked for.
pub fn left_over(disk: &Disk) -> Result<Vec<u32>> {
    let default = disk.snapshots.default()?.map(|snapshot| snapshot.id.number);
    let interrupted = |number: &u32| {
        let found = Info::read(&info_path(disk, *number)).and_then(|info| match info {
            Some(info) => Ok(info.user(IN_PROGRESS).is_some()),
            None => only_begun(disk, *number),
        });
        found.unwrap_or_else(|e| {
            log::warn!("snapshot {number} is kept, whatever it is: {e:#}");
            false
        })
    };
    let is_in_use = |number: &u32| Some(*number) == default || *number == disk.booted.id.number;
    let numbers = disk.snapshots.numbers()?.into_iter();
    Ok(numbers.filter(|number| !is_in_use(number)).filter(interrupted).collect())
}

/// Whether a snapshot is a directory and nothing else: the mark's own writing
/// was cut, when at most its temporary file had become durable, or the end of a
/// deletion was.
fn only_begun(disk: &Disk, number: u32) -> Result<bool> {
    let temporary = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(files::TEMPORARY.as_bytes()))
    };
    let layers = in_var(disk, OVERLAYS).join(number.to_string());
    Ok(files::list(&numbered(disk, number))?.iter().all(temporary) && !layers.exists())
}

/// Deletes a snapshot with all that belongs to it; the mark goes last, so that
/// an interrupted deletion is taken up again.
///
/// # Errors
/// What could not be deleted.
pub fn discard(disk: &Disk, number: u32) -> Result<()> {
    let path = disk.snapshots.path(number);
    let default = disk.snapshots.default()?.map(|snapshot| snapshot.id.number);
    // The kernel would protect the snapshot, but neither its nested nor its layered /etc.
    ensure!(default != Some(number), "snapshot {number} is the default one: it stays");
    if path.exists() && btrfs::is_subvolume(&path)? {
        // What is nested in a read-only one cannot be deleted.
        btrfs::set_read_only(&path, false)?;
        let etc = path.join("etc");
        if etc.exists() && btrfs::is_subvolume(&etc)? {
            delete_subvolume(&etc)?; // the usual one: no need to search for it
        }
        delete_subvolume(&path)?;
    }
    outside::forget(disk, number)?;
    for dir in [in_var(disk, OVERLAYS).join(number.to_string()), numbered(disk, number)] {
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
        }
    }
    disk.sync()
}

/// Deletes a directory with the subvolumes that are in it.
pub(super) fn delete_tree(dir: &Path) -> Result<()> {
    for path in files::list(dir)? {
        if btrfs::is_subvolume(&path)? {
            delete_subvolume(&path)?;
        }
    }
    fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))
}

/// Deletes a subvolume; what is nested in it is searched for only if it has to be.
fn delete_subvolume(path: &Path) -> Result<()> {
    files::clear_immutable(path)?;
    if let Err(e) = btrfs::delete(path) {
        log::debug!("looking for what is nested in it: {e:#}");
        delete_nested(path)?;
        btrfs::delete(path)?;
    }
    Ok(())
}

/// Deletes the subvolumes inside `dir`: a nested `/etc`, and what the change
/// itself may have made. Other mounts are not entered.
fn delete_nested(dir: &Path) -> Result<()> {
    for path in files::list(dir)? {
        let metadata = path.symlink_metadata()?;
        if !metadata.is_dir() {
            continue;
        }
        delete_nested(&path)?;
        if btrfs::is_subvolume(&path)? {
            btrfs::set_read_only(&path, false)?;
            files::clear_immutable(&path)?;
            btrfs::delete(&path)?;
        }
    }
    Ok(())
}
