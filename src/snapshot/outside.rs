//! Subvolumes outside the snapshot (`/var`, `/root`, `/home` …) while something is tried
//! that may write to them: kept as they were, and put back if it fails.
//!
//! Each is snapshotted beside the new snapshot, in `.snapshots/N/before`. Putting back
//! exchanges the two by one rename, from the top level, while nothing of them is mounted.
//! What is about to be put back stands in the record before anything is tried, and every
//! step can be taken again: by the UUIDs it is seen which ones were exchanged already.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::discard::delete_tree;
use super::disk::Disk;
use super::transaction::numbered;
use crate::record::{Kept, Outside};
use crate::sys::mountinfo::FstabEntry;
use crate::sys::{btrfs, files};

/// Below the new snapshot's directory.
const BEFORE: &str = "before";
/// The loader keeps its own state there, the count of starts among it: never put back.
const LOADERS: &str = "/boot";

/// What of the system is outside the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// What can be put back.
    pub kept: Vec<Kept>,
    /// What cannot, by where it is mounted: on another file system, or without a
    /// subvolume of its own.
    pub elsewhere: Vec<PathBuf>,
}

/// Where a change may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere: it runs programs.
    Anywhere,
    /// To files of these file systems alone.
    Only {
        /// Where the whole system is mounted.
        root: PathBuf,
        /// By the number of the file system, or of the subvolume (`st_dev`, stat(2)).
        devices: BTreeSet<u64>,
    },
}

impl Reach {
    /// This file system as well.
    ///
    /// # Errors
    /// As stat(2).
    pub fn add(&mut self, directory: &Path) -> Result<()> {
        if let Self::Only { devices, .. } = self {
            devices.insert(device(directory)?);
        }
        Ok(())
    }
}

impl Surroundings {
    /// What of them such a change reaches.
    ///
    /// # Errors
    /// One of them cannot be looked at.
    pub fn within(mut self, disk: &Disk, reach: &Reach) -> Result<Self> {
        if let Reach::Only { root, devices } = reach {
            let here = |kept: &Kept| Ok(devices.contains(&device(&disk.top().join(&kept.path))?));
            let there = |at: &PathBuf| {
                let at = root.join(at.strip_prefix("/").unwrap_or(at));
                // Where it could not be mounted, it is the snapshot that is written to.
                let is_mounted =
                    at.exists() && device(&at)? != device(at.parent().unwrap_or(root))?;
                Ok(is_mounted && devices.contains(&device(&at)?))
            };
            self.kept = only(self.kept, here)?;
            self.elsewhere = only(self.elsewhere, there)?;
        }
        Ok(self)
    }
}

fn only<T>(all: Vec<T>, is_wanted: impl Fn(&T) -> Result<bool>) -> Result<Vec<T>> {
    let mut wanted = Vec::new();
    for one in all {
        if is_wanted(&one)? {
            wanted.push(one);
        }
    }
    Ok(wanted)
}

fn device(path: &Path) -> Result<u64> {
    let metadata = path.metadata();
    Ok(metadata.with_context(|| format!("cannot look at {}", path.display()))?.dev())
}

/// Looks at what fstab mounts.
///
/// # Errors
/// A subvolume cannot be asked.
pub fn look(disk: &Disk) -> Result<Surroundings> {
    let mut found = Surroundings { kept: Vec::new(), elsewhere: Vec::new() };
    for entry in disk.fstab.iter().filter(|entry| is_outside(entry)) {
        match subvolume(disk, entry)? {
            Some(kept) if !found.kept.contains(&kept) => found.kept.push(kept),
            Some(_) => {}
            None => found.elsewhere.push(entry.target.clone()),
        }
    }
    Ok(found)
}

fn is_outside(entry: &FstabEntry) -> bool {
    const VIRTUAL: [&str; 7] = ["proc", "sysfs", "tmpfs", "devpts", "swap", "overlay", "none"];
    entry.target.is_absolute()
        && entry.target != Path::new("/")
        && entry.target != Path::new("/etc")
        && !VIRTUAL.contains(&&*entry.fstype)
        && entry.target != Path::new("/.snapshots")
}

fn subvolume(disk: &Disk, entry: &FstabEntry) -> Result<Option<Kept>> {
    // One that is mounted by its number would no longer be found after an exchange.
    let can_be = entry.option("subvolid").is_none() && !entry.target.starts_with(LOADERS);
    let Some(path) = disk.subvolume(entry).filter(|_| can_be) else { return Ok(None) };
    if !path.exists() || !btrfs::is_subvolume(&path)? {
        return Ok(None);
    }
    let original = btrfs::info(&path)?.uuid;
    let path = path.strip_prefix(disk.top()).unwrap_or(&path).to_owned();
    Ok(Some(Kept { path, original }))
}

fn before(disk: &Disk, number: u32) -> PathBuf {
    numbered(disk, number).join(BEFORE)
}

/// Keeps them as they are now, durably.
///
/// # Errors
/// One could not be snapshotted, or it could not be made durable: nothing may be tried.
pub fn keep(disk: &Disk, outside: &Outside) -> Result<()> {
    let dir = before(disk, outside.number);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for (at, kept) in outside.subvolumes.iter().enumerate() {
        btrfs::snapshot(&disk.top().join(&kept.path), &dir.join(at.to_string()))?;
    }
    // What is tried may be durable sooner than these, one fsync after the other.
    disk.sync()
}

/// Puts them back as they were. What is in `state`, a directory in one of them, is carried
/// over, and so are subvolumes inside of them, which a snapshot leaves out. May be called
/// again after any interruption.
///
/// # Errors
/// Any step; the others wait for the next call.
pub fn put_back(disk: &Disk, outside: &Outside, state: &Path) -> Result<()> {
    let mut done = Vec::new();
    for (at, kept) in outside.subvolumes.iter().enumerate() {
        let now = disk.top().join(&kept.path);
        let copy = before(disk, outside.number).join(at.to_string());
        if btrfs::info(&now)?.uuid != kept.original {
            continue; // exchanged already
        }
        if !copy.exists() {
            continue; // cut before it was made, and so before anything was tried
        }
        ensure!(
            btrfs::info(&copy)?.parent_uuid == Some(kept.original),
            "{} is no snapshot of {}",
            copy.display(),
            kept.path.display()
        );
        if let Ok(inside) = state.strip_prefix(&now) {
            carry_over(state, &copy.join(inside))?;
        }
        move_nested(&now, &copy)?;
        disk.sync()?;
        // The script may have made it immutable. What that is true of from now on is deleted.
        files::clear_immutable(&now)?;
        renameat_with(CWD, &copy, CWD, &now, RenameFlags::EXCHANGE)
            .with_context(|| format!("cannot exchange {} for {}", now.display(), copy.display()))?;
        done.push(kept.path.to_string_lossy());
    }
    if !done.is_empty() {
        log::info!("as they were before: {}", done.join(", "));
    }
    disk.sync()
}

/// Deletes what was kept, or what it was exchanged for: durably once the disk is synchronised.
///
/// # Errors
/// It could not be deleted.
pub fn forget(disk: &Disk, number: u32) -> Result<()> {
    let dir = before(disk, number);
    if dir.exists() { delete_tree(&dir) } else { Ok(()) }
}

/// Copies a directory of plain files over another: what is there and not in the first stays.
fn carry_over(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for path in files::list(from)? {
        let Some(name) = path.file_name() else { continue };
        let dest = to.join(name);
        if path.is_dir() {
            carry_over(&path, &dest)?;
        } else {
            fs::copy(&path, &dest)
                .and_then(|_| File::open(&dest)?.sync_all())
                .with_context(|| format!("cannot carry over {}", path.display()))?;
        }
    }
    Ok(())
}

/// Moves subvolumes inside `from` to where `to`, its snapshot, has empty directories for
/// them. What has no such directory was made since, and goes with the rest.
fn move_nested(from: &Path, to: &Path) -> Result<()> {
    for path in files::list(from)? {
        let Some(name) = path.file_name() else { continue };
        let dest = to.join(name);
        let is_dir = |path: &Path| path.symlink_metadata().is_ok_and(|it| it.is_dir());
        if !is_dir(&path) || !is_dir(&dest) {
            continue;
        }
        if !btrfs::is_subvolume(&path)? {
            move_nested(&path, &dest)?;
        } else if !btrfs::is_subvolume(&dest)? {
            for held in [from, &path] {
                files::clear_immutable(held)?;
            }
            fs::remove_dir(&dest)
                .and_then(|()| fs::rename(&path, &dest))
                .with_context(|| format!("cannot move {} over", path.display()))?;
        }
    }
    Ok(())
}
