//! The whole file system beside the root that is mounted read-only: its top
//! level, from where every snapshot and every other subvolume can be reached and
//! written, whatever is mounted where.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::mount::MsFlags;

use super::etc::in_system;
use super::mounted::{mount_at, snapshot_of};
use super::{Snapshot, Snapshots, describe};
use crate::record::SnapshotId;
use crate::sys::btrfs::{self, TOP_LEVEL};
use crate::sys::mount::{self, Mounted};
use crate::sys::mountinfo::{self, FstabEntry};
use crate::sys::{command, files};

/// Where it is mounted: below /run, so that an interrupted start leaves nothing.
const TOP: &str = "/run/health-checker/disk";
const VAR: &str = "/run/health-checker/var";
/// What stands for a /var that cannot be had. No record is kept in memory.
const NO_VAR: &str = "/run/health-checker/no-var";
/// Where distributions have their snapshots, below the top level.
const DIRECTORIES: [&str; 2] = ["@/.snapshots", ".snapshots"];
/// A mount that takes longer waits for a device that does not answer.
const LIMIT: Duration = Duration::from_secs(60);

/// The root file system as a whole.
#[derive(Debug)]
pub struct Disk {
    // Fields are dropped in this order: the inner mount first.
    var_mount: Option<Mounted>,
    top: Mounted,
    source: PathBuf,
    /// The snapshots in it.
    pub snapshots: Snapshots,
    /// The snapshot that is mounted as root.
    pub booted: Snapshot,
    /// That snapshot's fstab.
    pub fstab: Vec<FstabEntry>,
    /// The directory that stands for `/var`.
    pub var: PathBuf,
}

impl Disk {
    /// Opens the file system whose snapshot is mounted at `sysroot`; `None` if
    /// that is not btrfs, or not a snapshot of snapper's.
    ///
    /// # Errors
    /// It cannot be mounted a second time, its fstab cannot be read, or `/var`
    /// is elsewhere and cannot be mounted.
    pub fn open(sysroot: &Path, writable: bool) -> Result<Option<Self>> {
        let Some(mut disk) = Self::mounted_at(sysroot, writable)? else { return Ok(None) };
        disk.fstab = fstab_of(&disk.snapshots.path(disk.booted.id.number))?;
        disk.find_var(writable)?;
        Ok(Some(disk))
    }

    /// The same where a start has failed. If nothing is mounted at `sysroot`, the
    /// snapshot is what would be, the one that is `named`, or else the default of the
    /// file system on `root`, a device as fstab writes it; `None` if it has no such. What cannot be read of
    /// its fstab is passed over, and where `/var` cannot be had, its place keeps
    /// nothing.
    ///
    /// # Errors
    /// The file system cannot be mounted.
    pub fn rescue(sysroot: &Path, root: &str, named: Option<u32>) -> Result<Option<Self>> {
        let found = if mount_at(sysroot)?.is_some() {
            Self::mounted_at(sysroot, true)?
        } else {
            let device = mountinfo::device_path(root);
            Self::on(&device.with_context(|| format!("what device is {root:?}?"))?, named)?
        };
        let Some(mut disk) = found else { return Ok(None) };
        match fstab_of(&disk.snapshots.path(disk.booted.id.number)) {
            Ok(fstab) => disk.fstab = fstab,
            Err(e) => log::warn!("{e:#}"),
        }
        if let Err(e) = disk.find_var(true) {
            log::warn!("there is no /var: {e:#}");
            disk.var = NO_VAR.into();
        }
        Ok(Some(disk))
    }

    fn mounted_at(sysroot: &Path, writable: bool) -> Result<Option<Self>> {
        let root = mount_at(sysroot)?
            .with_context(|| format!("nothing is mounted at {}", sysroot.display()))?;
        let Some((directory, number)) = snapshot_of(&root) else { return Ok(None) };
        let top = mount_top(&root.source, writable)?;
        let snapshots = Snapshots::at(below(top.path(), &directory));
        let booted = describe(number, &snapshots.path(number))?;
        ensure!(
            booted.id.uuid == btrfs::info(sysroot)?.uuid,
            "{} is not snapshot {number}, although its mount says so",
            sysroot.display()
        );
        Ok(Some(Self::new(top, root.source, snapshots, booted)))
    }

    fn on(source: &Path, named: Option<u32>) -> Result<Option<Self>> {
        let top = mount_top(source, true)?;
        for directory in DIRECTORIES {
            let snapshots = Snapshots::at(top.path().join(directory));
            if !snapshots.dir().is_dir() {
                continue;
            }
            let meant = match named {
                Some(number) => Some(describe(number, &snapshots.path(number))?),
                None => snapshots.default()?,
            };
            if let Some(meant) = meant {
                return Ok(Some(Self::new(top, source.to_owned(), snapshots, meant)));
            }
        }
        Ok(None)
    }

    fn new(top: Mounted, source: PathBuf, snapshots: Snapshots, booted: Snapshot) -> Self {
        let var = snapshots.path(booted.id.number).join("var");
        Self { var_mount: None, top, source, snapshots, booted, fstab: Vec::new(), var }
    }

    /// Where a path of the booted system is, as seen through the top level:
    /// within another subvolume of this file system, or within the snapshot.
    /// `None` if it is on another file system.
    pub fn place(&self, snapshot: u32, path: &Path) -> Option<PathBuf> {
        let path = in_system(path);
        if let Ok(rest) = path.strip_prefix("/var") {
            return Some(self.var.join(rest));
        }
        let root = self.snapshots.path(snapshot);
        let covers = |entry: &&FstabEntry| {
            entry.target != Path::new("/")
                && entry.target != Path::new("/etc")
                && path.starts_with(&entry.target)
        };
        match self.fstab.iter().filter(covers).max_by_key(|entry| entry.target.as_os_str().len()) {
            None => Some(below(&root, &path)),
            Some(entry) => {
                let rest = path.strip_prefix(&entry.target).ok()?;
                Some(self.subvolume(entry)?.join(rest))
            }
        }
    }

    /// The directory of a subvolume of this file system that fstab mounts;
    /// `None` if the entry is for something else.
    pub fn subvolume(&self, entry: &FstabEntry) -> Option<PathBuf> {
        let subvolume = entry.option("subvol")?;
        let root = self.fstab.iter().find(|entry| entry.target == Path::new("/"));
        let as_root = root.is_some_and(|root| root.spec == entry.spec);
        let is_btrfs = ["btrfs", "auto"].contains(&&*entry.fstype);
        let here = is_btrfs && (as_root || self.is_source(&entry.spec));
        here.then(|| below(self.top.path(), Path::new(subvolume)))
    }

    /// The top level's directory.
    pub fn top(&self) -> &Path {
        self.top.path()
    }

    /// Whether a first field of fstab names the device that the root is on.
    fn is_source(&self, spec: &str) -> bool {
        let Some(device) = mountinfo::device_path(spec) else { return false };
        matches!((device.canonicalize(), self.source.canonicalize()), (Ok(a), Ok(b)) if a == b)
    }

    fn find_var(&mut self, writable: bool) -> Result<()> {
        let entry = self.fstab.iter().find(|entry| entry.target == Path::new("/var"));
        self.var = match entry.map(|entry| (entry, self.subvolume(entry))) {
            None => self.snapshots.path(self.booted.id.number).join("var"),
            Some((_, Some(path))) => path,
            Some((entry, None)) => {
                let mount = mount_entry(entry, Path::new(VAR), writable)?;
                self.var_mount.insert(mount).path().to_owned()
            }
        };
        ensure!(self.var.is_dir(), "{}, which is to be /var, is not there", self.var.display());
        Ok(())
    }

    /// Makes all that was written to it durable, and to `/var` where that is another one.
    ///
    /// # Errors
    /// As the ioctl and syncfs(2).
    pub fn sync(&self) -> Result<()> {
        if let Some(var) = &self.var_mount {
            let synced = File::open(var.path()).and_then(|dir| Ok(rustix::fs::syncfs(dir)?));
            synced.with_context(|| format!("cannot sync {}", var.path().display()))?;
        }
        btrfs::sync(self.top())
    }

    /// Takes it away again, and says whether that worked.
    ///
    /// # Errors
    /// As [`Mounted::unmount`].
    pub fn close(self) -> Result<()> {
        if let Some(var) = self.var_mount {
            var.unmount()?;
        }
        self.top.unmount()
    }
}

/// Mounts what an fstab entry names at another place, through mount(8), which
/// knows labels, options and helpers.
///
/// # Errors
/// What mount(8) says.
pub fn mount_entry(entry: &FstabEntry, at: &Path, writable: bool) -> Result<Mounted> {
    std::fs::create_dir_all(at).with_context(|| format!("cannot make {}", at.display()))?;
    let options = if writable { entry.options.clone() } else { format!("{},ro", entry.options) };
    let output = command::run(
        Command::new("mount").args(["-t", &entry.fstype, "-o", &options, &entry.spec]).arg(at),
        LIMIT,
    )
    .context("cannot run mount")?;
    if !output.success() {
        bail!(
            "cannot mount {} (fstab's {}): {}: {}",
            entry.spec,
            entry.target.display(),
            output.end,
            output.last_line()
        );
    }
    // With `nofail` among its options, mount(8) is content with a device that is not there.
    let is_there = mount_at(at)?.is_some();
    ensure!(
        is_there,
        "cannot mount {} (fstab's {}): it is not there",
        entry.spec,
        entry.target.display()
    );
    Ok(Mounted::adopt(at))
}

/// Mounts the default subvolume at `sysroot`, which has the one before: the boot
/// goes on into it. Not through systemctl: stopping sysroot.mount would cancel the
/// rest of the start.
///
/// # Errors
/// It could not be mounted, or is not this one.
pub fn enter(sysroot: &Path, snapshot: &SnapshotId) -> Result<()> {
    if btrfs::info(sysroot)?.uuid == snapshot.uuid {
        return Ok(()); // the loader itself went back to it
    }
    mount::renew(sysroot)?;
    let entered = btrfs::info(sysroot)?.uuid;
    ensure!(
        entered == snapshot.uuid,
        "{snapshot} is the default, but another one was mounted at {}",
        sysroot.display()
    );
    Ok(())
}

/// The entries of a snapshot's fstab; none where there is no such file.
///
/// # Errors
/// It cannot be read.
pub fn fstab_of(snapshot: &Path) -> Result<Vec<FstabEntry>> {
    let path = snapshot.join("etc/fstab");
    let text = files::read_text(&path)?.unwrap_or_default();
    mountinfo::parse_fstab(&text).with_context(|| path.display().to_string())
}

fn mount_top(source: &Path, writable: bool) -> Result<Mounted> {
    let flags = if writable { MsFlags::empty() } else { MsFlags::MS_RDONLY };
    Mounted::new(source, Path::new(TOP), "btrfs", flags, &format!("subvolid={TOP_LEVEL}"))
}

fn below(dir: &Path, path: &Path) -> PathBuf {
    dir.join(path.strip_prefix("/").unwrap_or(path))
}
