//! A change to the system as a whole: made in a new snapshot beside the running
//! one, and either made the default at once or never heard of again.
//!
//! What a power cut leaves, by the step that was the last one on the disk:
//!
//! | cut after            | the next start finds                                    |
//! |----------------------|---------------------------------------------------------|
//! | begin, the change    | the old default, and a left-over that says so: deleted  |
//! | the write-ahead      | the same: the UUID in the record is not the default's   |
//! | set-default          | the new default, which the record names: done           |
//! | the mark's removal   | nothing to do                                           |
//!
//! The mark in info.xml goes last, after set-default: a snapshot without it is
//! never deleted, so it must not be lost while the snapshot may still be one. It is
//! also why none of this is left to snapper, which writes info.xml after the snapshot.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;

use super::describe;
use super::discard::discard;
use super::disk::Disk;
use super::etc::{self, Etc, OVERLAYS, Overlay};
use super::info::Info;
use super::quota;
use crate::record::SnapshotId;
use crate::sys::{btrfs, files};

/// The userdata key of a snapshot that is being made by this program.
pub const IN_PROGRESS: &str = "health-checker-in-progress";

/// What a new snapshot will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its number.
    pub number: u32,
    /// What it is made from.
    pub base: SnapshotId,
    /// Its read-only property, once it is finished.
    pub read_only: bool,
    /// Its `/etc`; an overlay has its own layers here already.
    pub etc: Etc,
    /// What snapper lists it as.
    pub description: String,
}

/// Plans a new snapshot of the one that is mounted as root.
///
/// # Errors
/// That one is not the default, so that the change would be made to something
/// else than what will be started; or its `/etc` is of no known kind.
pub fn plan(disk: &Disk, description: &str) -> Result<Plan> {
    let base = &disk.booted;
    let default = btrfs::default_id(disk.top())?;
    ensure!(
        default == base.subvolume,
        "{} (subvolume {}) is mounted as root, but the default subvolume is {default}: which \
         one shall be changed?",
        base.id,
        base.subvolume
    );
    let number = free_number(disk)?;
    let etc = match Etc::of(&disk.fstab)? {
        Etc::Overlay(parent) => Etc::Overlay(parent.next(number)),
        other => other,
    };
    let description = description.to_owned();
    Ok(Plan { number, base: base.id, read_only: base.read_only, etc, description })
}

/// One more than all that are taken, by snapshots or by layers of `/etc` that
/// somebody forgot: such a layer would become part of the new snapshot.
fn free_number(disk: &Disk) -> Result<u32> {
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let overlays = files::list(&in_var(disk, OVERLAYS))?;
    let taken = disk.snapshots.numbers()?.into_iter().chain(overlays.iter().filter_map(number));
    let highest = taken.max().unwrap_or(0);
    highest.checked_add(1).context("the snapshots' numbers are used up")
}

/// A path below `/var`, which may be anywhere.
pub(super) fn in_var(disk: &Disk, path: &str) -> PathBuf {
    disk.var.join(path.trim_start_matches("/var/"))
}

/// A snapshot in the making. Dropped without an end, it is undone.
#[derive(Debug)]
pub struct Transaction<'a> {
    disk: &'a Disk,
    plan: Plan,
    ended: bool,
}

impl<'a> Transaction<'a> {
    /// Makes the snapshot, writable, with an `/etc` of its own.
    ///
    /// # Errors
    /// Any step; what was done is undone.
    pub fn begin(disk: &'a Disk, plan: Plan) -> Result<Self> {
        let new = Self { disk, plan, ended: false };
        // The mark stands before there is anything to delete.
        new.info().write(&new.info_path())?;
        let base = disk.snapshots.path(new.plan.base.number);
        new.snapshot(&base)?;
        match &new.plan.etc {
            Etc::Plain => {}
            Etc::Nested => own_subvolume(&base, &new.path())?,
            Etc::Overlay(overlay) => new.own_layer(overlay)?,
        }
        Ok(new)
    }

    /// What is being made.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.disk.snapshots.path(self.plan.number)
    }

    /// Finishes the snapshot, has `write_ahead` note durably what it will be,
    /// and makes it the default: from then on it is what every start enters.
    ///
    /// # Errors
    /// Any step. As long as the default is the old one, all is undone when this value goes;
    /// what was changed elsewhere is the caller's to undo before that.
    pub fn commit(
        &mut self,
        write_ahead: impl FnOnce(SnapshotId) -> Result<()>,
    ) -> Result<SnapshotId> {
        btrfs::set_read_only(&self.path(), self.plan.read_only)?;
        let id = describe(self.plan.number, &self.path())?.id;
        self.disk.sync()?;
        write_ahead(id).context("cannot note what is about to become the default")?;
        self.disk.snapshots.set_default(&id)?;
        self.ended = true;
        // From here on it is done, whatever else fails: the next start completes it.
        if let Err(e) = finish(self.disk, id.number) {
            log::warn!("{id} is the default, but still marked as unfinished: {e:#}");
        }
        Ok(id)
    }

    /// Undoes everything.
    ///
    /// # Errors
    /// What could not be undone; it is then deleted at the next first boot.
    pub fn abort(mut self) -> Result<()> {
        self.ended = true;
        discard(self.disk, self.plan.number)
    }

    /// Leaves it as an interrupted one: what belongs to it is still needed to undo the rest.
    pub fn leave(mut self) {
        self.ended = true;
    }

    /// Where snapper's clean-up counts it, if that can be.
    fn snapshot(&self, base: &Path) -> Result<()> {
        let in_group = || -> Result<bool> {
            let Some(group) = quota::group(&etc::layers_in(base, &self.disk.var)?)? else {
                return Ok(false);
            };
            btrfs::snapshot_in_group(base, &self.path(), group).map(|()| true)
        };
        match in_group() {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(e) => {
                log::warn!("snapper will not count snapshot {}'s space: {e:#}", self.plan.number);
            }
        }
        btrfs::snapshot(base, &self.path())
    }

    fn info_path(&self) -> PathBuf {
        info_path(self.disk, self.plan.number)
    }

    fn info(&self) -> Info {
        let date = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        let mut info = Info::default();
        info.set_field("type", Some("single"));
        info.set_field("num", Some(&self.plan.number.to_string()));
        info.set_field("date", Some(&date));
        info.set_field("description", Some(&self.plan.description));
        info.set_field("cleanup", Some("number"));
        info.set_user(IN_PROGRESS, Some("yes"));
        info
    }

    /// An empty upper layer, and an fstab that names it: in the snapshot, where
    /// the initrd reads it, and in the new layer if an older one shadows it.
    fn own_layer(&self, overlay: &Overlay) -> Result<()> {
        let place = |path: &Path| {
            self.disk
                .place(self.plan.number, path)
                .with_context(|| format!("the layer {} is on another file system", path.display()))
        };
        let (upper, work) = (place(&overlay.upper)?, place(&overlay.work)?);
        for dir in [&upper, &work] {
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let lower = overlay.lower.iter().map(|path| place(path)).collect::<Result<Vec<_>>>()?;
        if let Some(parent) = lower.first() {
            copy_attributes(parent, &upper)
                .with_context(|| format!("cannot make {} like its parent", upper.display()))?;
        }
        let own = self.path().join("etc");
        rewrite_fstab(overlay, &own, &own)?;
        let shadowing = lower.iter().find(|dir| **dir != own && dir.join("fstab").is_file());
        shadowing.map_or(Ok(()), |dir| rewrite_fstab(overlay, dir, &upper))
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.ended
            && let Err(e) = discard(self.disk, self.plan.number)
        {
            log::error!("snapshot {} is left over: {e:#}", self.plan.number);
        }
    }
}

/// btrfs snapshots do not descend: where the nested subvolume was, the new
/// snapshot has an empty directory.
fn own_subvolume(base: &Path, new: &Path) -> Result<()> {
    let stub = new.join("etc");
    fs::remove_dir(&stub).with_context(|| {
        format!("{} is not empty, so /etc is no nested subvolume", stub.display())
    })?;
    btrfs::snapshot(&base.join("etc"), &stub)
}

fn rewrite_fstab(overlay: &Overlay, from: &Path, to: &Path) -> Result<()> {
    let path = from.join("fstab");
    let text =
        files::read_text(&path)?.with_context(|| format!("{} is not there", path.display()))?;
    let mode = path.metadata()?.permissions().mode() & 0o7777;
    // Until the commit nobody starts what it is part of.
    files::replace_unsynced(&to.join("fstab"), overlay.write_into(&text).as_bytes(), mode)
}

fn copy_attributes(from: &Path, to: &Path) -> Result<()> {
    let metadata = from.metadata()?;
    fs::set_permissions(to, metadata.permissions())?;
    chown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    Ok(())
}

/// Whether a snapshot has the mark: its transaction has come to no end yet.
///
/// # Errors
/// Its info.xml cannot be read.
pub fn is_in_progress(disk: &Disk, number: u32) -> Result<bool> {
    let info = Info::read(&info_path(disk, number))?;
    Ok(info.is_some_and(|info| info.user(IN_PROGRESS).is_some()))
}

/// Takes the mark away from a snapshot that has become the default: durably once the disk is
/// synchronised.
///
/// # Errors
/// Its info.xml cannot be read or replaced.
pub fn finish(disk: &Disk, number: u32) -> Result<()> {
    let path = info_path(disk, number);
    let Some(mut info) = Info::read(&path)? else { return Ok(()) };
    if info.user(IN_PROGRESS).is_some() {
        info.set_user(IN_PROGRESS, None);
        info.write_unsynced(&path)?;
    }
    Ok(())
}

pub(super) fn numbered(disk: &Disk, number: u32) -> PathBuf {
    disk.snapshots.dir().join(number.to_string())
}

pub(super) fn info_path(disk: &Disk, number: u32) -> PathBuf {
    numbered(disk, number).join("info.xml")
}
