//! Directories of the system that is to be configured. In the initrd nothing but its root is
//! mounted yet: what is below `/var`, or another file system of its own, is found through the
//! disk, and copied, since the disk is let go before anything is done with it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Offer;
use crate::firstboot::machine::Machine;
use crate::snapshot::disk::{Disk, mount_entry};
use crate::sys::mount::Mounted;
use crate::sys::mountinfo::FstabEntry;

/// Where another file system is mounted meanwhile.
const OTHER: &str = "/run/health-checker/image";

/// The system's directories, for as long as it is open.
pub(super) struct Image {
    sysroot: PathBuf,
    /// What is not to be seen below the root yet.
    hidden: Vec<FstabEntry>,
    disk: Option<Disk>,
    other: Option<(PathBuf, Mounted)>,
}

impl Image {
    /// Opens it; where everything is mounted, in the running system and in a tree, that is
    /// nothing.
    ///
    /// # Errors
    /// As [`Machine::disk`], or its fstab cannot be read.
    pub(super) fn open(machine: &Machine) -> Result<Self> {
        let sysroot = machine.sysroot.clone();
        let is_mounted = machine.is_described() || machine.root.dir() == sysroot;
        if is_mounted {
            return Ok(Self { sysroot, hidden: Vec::new(), disk: None, other: None });
        }
        let disk = machine.disk(false)?;
        let fstab = disk.as_ref().map_or_else(|| machine.fstab(), |disk| Ok(disk.fstab.clone()))?;
        let is_hidden = |entry: &FstabEntry| {
            let target = &entry.target;
            target.is_absolute() && *target != Path::new("/") && *target != Path::new("/etc")
        };
        let hidden = fstab.into_iter().filter(is_hidden).collect();
        Ok(Self { sysroot, hidden, disk, other: None })
    }

    /// Where a directory of the system's is now.
    ///
    /// # Errors
    /// It is on another file system, which cannot be mounted.
    pub(super) fn path(&mut self, dir: &Path) -> Result<PathBuf> {
        let covers = |entry: &&FstabEntry| dir.starts_with(&entry.target);
        let covering = self.hidden.iter().filter(covers);
        let Some(entry) = covering.max_by_key(|entry| entry.target.as_os_str().len()) else {
            return Ok(self.sysroot.join(dir.strip_prefix("/").unwrap_or(dir)));
        };
        if let Some(disk) = &self.disk
            && let Some(path) = disk.place(disk.booted.id.number, dir)
        {
            return Ok(path);
        }
        let rest = dir.strip_prefix(&entry.target).unwrap_or(dir).to_owned();
        if let Some((target, mounted)) = &self.other
            && *target == entry.target
        {
            return Ok(mounted.path().join(rest));
        }
        if let Some((_, mounted)) = self.other.take() {
            mounted.unmount()?;
        }
        let mounted = mount_entry(entry, Path::new(OTHER), false)?;
        Ok(self.other.insert((entry.target.clone(), mounted)).1.path().join(rest))
    }

    /// What is at this path, which [`Self::path`] has said, as an offer.
    ///
    /// # Errors
    /// It cannot be copied.
    pub(super) fn offer(&self, source: impl Into<String>, path: PathBuf) -> Result<Offer> {
        if path.starts_with(&self.sysroot) {
            Ok(Offer::at(source, path))
        } else {
            Offer::copied(source.into(), &path)
        }
    }

    /// Lets the disk go.
    ///
    /// # Errors
    /// It cannot be unmounted.
    pub(super) fn close(self) -> Result<()> {
        self.other.map_or(Ok(()), |(_, mounted)| mounted.unmount())?;
        self.disk.map_or(Ok(()), Disk::close).context("the system's disk")
    }
}
