//! Snapshots as snapper keeps them: `/.snapshots/N/snapshot`, described by
//! `/.snapshots/N/info.xml`, one of them the file system's default subvolume.

pub mod discard;
pub mod disk;
pub mod etc;
pub mod info;
pub mod mounted;
pub mod outside;
pub mod preflight;
mod quota;
pub mod snapper;
pub mod transaction;
pub mod usr;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use uuid::Uuid;

use crate::record::SnapshotId;
use crate::sys::btrfs;
use crate::sys::files;

/// One snapshot that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its number and UUID.
    pub id: SnapshotId,
    /// Its subvolume id.
    pub subvolume: u64,
    /// The UUID of the snapshot it was made from.
    pub parent: Option<Uuid>,
    /// Its read-only property.
    pub read_only: bool,
}

/// The directory `.snapshots`, wherever it is mounted.
#[derive(Clone, Debug)]
pub struct Snapshots {
    dir: PathBuf,
}

impl Snapshots {
    /// The snapshots below this directory, `/.snapshots` in the booted system.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where snapshot `number` is.
    pub fn path(&self, number: u32) -> PathBuf {
        self.dir.join(number.to_string()).join("snapshot")
    }

    /// All snapshots, by number. A numbered directory without a subvolume is
    /// what an interrupted deletion leaves, and is passed over.
    ///
    /// # Errors
    /// The directory cannot be read, or a subvolume not be asked.
    pub fn list(&self) -> Result<Vec<Snapshot>> {
        let mut found = Vec::new();
        for number in self.numbers()? {
            let path = self.path(number);
            if path.is_dir() && btrfs::is_subvolume(&path)? {
                found.push(describe(number, &path)?);
            }
        }
        found.sort_by_key(|snapshot| snapshot.id.number);
        Ok(found)
    }

    /// The numbers that are taken, also by directories without a snapshot.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn numbers(&self) -> Result<Vec<u32>> {
        let number = |path: &PathBuf| path.file_name()?.to_str()?.parse().ok();
        Ok(files::list(&self.dir)?.iter().filter_map(number).collect())
    }

    /// The snapshot that is the default subvolume; `None` if the default is
    /// none of them (the top level, for example).
    ///
    /// # Errors
    /// The file system cannot be asked.
    pub fn default(&self) -> Result<Option<Snapshot>> {
        let id = btrfs::default_id(&self.dir)?;
        Ok(self.list()?.into_iter().find(|snapshot| snapshot.subvolume == id))
    }

    /// The snapshot that is mounted at `root`; `None` if it is none of them.
    ///
    /// # Errors
    /// `root` is not on btrfs, or cannot be asked.
    pub fn mounted_at(&self, root: &Path) -> Result<Option<Snapshot>> {
        let id = btrfs::info(root)?.uuid;
        Ok(self.list()?.into_iter().find(|snapshot| snapshot.id.uuid == id))
    }

    /// Makes a snapshot the default, through the kernel alone, and makes sure.
    ///
    /// # Errors
    /// It is not there any more, is not the one that was meant, or the kernel
    /// refuses.
    pub fn set_default(&self, target: &SnapshotId) -> Result<()> {
        let found = describe(target.number, &self.path(target.number))?;
        if found.id != *target {
            bail!("{target} is not the one that was recorded: its UUID is {}", found.id.uuid);
        }
        btrfs::set_default(&self.dir, found.subvolume)?;
        let now = btrfs::default_id(&self.dir)?;
        if now != found.subvolume {
            bail!("the default subvolume is {now}, although {} was set", found.subvolume);
        }
        Ok(())
    }
}

fn describe(number: u32, path: &Path) -> Result<Snapshot> {
    let info = btrfs::info(path).with_context(|| format!("snapshot {number}"))?;
    Ok(Snapshot {
        id: SnapshotId { number, uuid: info.uuid },
        subvolume: info.id,
        parent: info.parent_uuid,
        read_only: info.read_only,
    })
}
