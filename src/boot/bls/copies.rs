//! Copies of what the loader needs to start the known good snapshots: entry, kernel,
//! initrd, beside the snapshots.
//!
//! A boot partition is small. Where its room runs short, sdbootutil deletes the entries of
//! all snapshots but the default and the booted one, with their kernels (its
//! `ESP_FREE_SPACE`), and so what there is to go back to. Nothing can keep it from that, so
//! what it deletes is brought back: where there is room at once, else once the failed
//! snapshot is given up, in its place.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::statvfs;

use super::entry::{self, Entry};
use super::{ENTRIES, Entries, is_whole, own_root};
use crate::sys::files::{self, Root};

/// Below the directory of the snapshots.
const DIR: &str = ".health-checker/boot";
/// For the entry itself, and for directories that grow, in bytes.
const SPARE: u64 = 1 << 18;

/// What a copy leaves free for the system, in bytes.
const LEFT: u64 = 512 << 20;

/// The directory of all copies.
#[derive(Clone, Debug)]
pub struct Copies {
    dir: PathBuf,
}

/// What is to be done for one snapshot.
#[derive(Debug)]
struct Return {
    /// From where to where, all but the entry.
    files: Vec<(PathBuf, PathBuf)>,
    /// The entry's text and its place.
    entry: (String, PathBuf),
    /// What makes room for that: entries before the files that they name.
    deleted: Vec<PathBuf>,
}

impl Copies {
    /// Those beside the snapshots in this directory.
    pub fn beside(snapshots: &Path) -> Self {
        Self { dir: snapshots.join(DIR) }
    }

    fn of(&self, snapshot: u32) -> PathBuf {
        self.dir.join(snapshot.to_string())
    }

    /// Copies what the loader has of these snapshots, brings back what it has not any more,
    /// and lets the copies of all others go.
    ///
    /// # Errors
    /// The first one with which that failed; the others are done all the same.
    pub fn keep(&self, root: &Root, kept: &[u32]) -> Result<()> {
        self.keep_of(&own_root()?, root, kept)
    }

    pub(super) fn keep_of(&self, own: &str, root: &Root, kept: &[u32]) -> Result<()> {
        let mut done = Ok(());
        let mut lost = Vec::new();
        let entries = Entries::read_of(root, false, own)?;
        for snapshot in kept {
            match entries.of(*snapshot).find(|(dir, entry)| is_whole(dir, entry)) {
                Some((partition, entry)) => {
                    let copied = self.copy(*snapshot, partition, entry);
                    done = done.and(copied.with_context(|| format!("snapshot {snapshot}")));
                }
                None => lost.push(*snapshot),
            }
        }
        entries.close()?;
        for snapshot in lost {
            log::warn!("the loader has lost what it needs for snapshot {snapshot}");
            done = done.and(self.bring_back_of(own, root, snapshot));
        }
        let is_kept = |path: &Path| kept.iter().any(|it| path == self.of(*it));
        for path in files::list(&self.dir)?.into_iter().filter(|path| !is_kept(path)) {
            let removed = fs::remove_dir_all(&path);
            done = done.and(removed.with_context(|| path.display().to_string()));
        }
        done
    }

    /// Replaced whole: a copy of which a part is missing would be none.
    fn copy(&self, snapshot: u32, partition: &Path, entry: &Entry) -> Result<()> {
        let (old, new) = (self.of(snapshot), self.dir.join(format!("{snapshot}.new")));
        let from = partition.join(ENTRIES).join(&entry.file);
        let text = files::read_text(&from)?.context("its entry is gone")?;
        let paths = paths(entry)?;
        let same = |path: &PathBuf| is_same(&partition.join(path), &old.join(path));
        if files::read_text(&old.join(&entry.id))?.as_ref() == Some(&text) && paths.iter().all(same)
        {
            return Ok(());
        }
        remove_dir(&new)?;
        // Readable by nobody else, as the partition is: an initrd may hold secrets.
        DirBuilder::new().recursive(true).mode(0o700).create(&new)?;
        let size: u64 = paths.iter().filter_map(|path| length(&partition.join(path))).sum();
        ensure!(free(&new)? >= size + LEFT, "not copied, for want of room on the disk");
        for path in &paths {
            copy_file(&partition.join(path), &new.join(path))?;
        }
        files::replace(&new.join(&entry.id), text.as_bytes(), 0o600)?;
        write_out(&new)?;
        remove_dir(&old)?;
        fs::rename(&new, &old)?;
        Ok(files::sync_dir(&self.dir)?)
    }

    /// Whether a snapshot for which the loader has nothing could be started all the same.
    /// `failed` is about to be given up.
    ///
    /// # Errors
    /// Why not.
    pub fn can_bring_back(
        &self,
        entries: &Entries,
        snapshot: u32,
        failed: Option<u32>,
    ) -> Result<()> {
        self.plan(entries, snapshot, failed).map(drop)
    }

    /// Gives the loader back what it needs for a snapshot, durably, if it has lost it.
    ///
    /// # Errors
    /// There is no copy, or no room.
    pub fn bring_back(&self, root: &Root, snapshot: u32) -> Result<()> {
        self.bring_back_of(&own_root()?, root, snapshot)
    }

    fn bring_back_of(&self, own: &str, root: &Root, snapshot: u32) -> Result<()> {
        let entries = Entries::read_of(root, true, own)?;
        if !entries.problems(snapshot).is_empty() {
            let planned = self.plan(&entries, snapshot, None)?;
            planned.carry_out().with_context(|| format!("snapshot {snapshot}, for the loader"))?;
            log::warn!("the loader has again what it needs for snapshot {snapshot}");
        }
        entries.close()
    }

    fn plan(&self, entries: &Entries, snapshot: u32, failed: Option<u32>) -> Result<Return> {
        let (id, text) = self.entry(snapshot)?;
        let entry = entry::parse(&id, &text)?;
        let dir = self.of(snapshot);
        let partition = entries.partitions.first().context("there is no boot partition")?.dir();
        let mut files = Vec::new();
        let mut needed = SPARE;
        for path in paths(&entry)? {
            let (from, to) = (dir.join(&path), partition.join(path));
            let size = length(&from).with_context(|| format!("{} is gone", from.display()))?;
            if length(&to) != Some(size) {
                needed += size;
                files.push((from, to));
            }
        }
        let mut free = free(partition)?;
        let mut deleted = Vec::new();
        for (_, given_up) in entries.own.iter().filter(|(dir, _)| dir == partition) {
            let number = given_up.snapshot.filter(|it| !self.of(*it).exists());
            let is_given_up = given_up.is_bad() || number == failed;
            if free >= needed || number.is_none() || !is_given_up {
                continue;
            }
            let own = entries.files_of_this_alone(partition, given_up)?;
            free += own.iter().filter_map(|path| length(path)).sum::<u64>();
            deleted.push(partition.join(ENTRIES).join(&given_up.file));
            deleted.extend(own);
        }
        ensure!(
            free >= needed,
            "{} has {free} bytes of room for the copy of its boot entry, which needs {needed}",
            partition.display()
        );
        Ok(Return { files, entry: (text, partition.join(ENTRIES).join(id)), deleted })
    }

    /// The name and the text of the entry that was copied.
    fn entry(&self, snapshot: u32) -> Result<(String, String)> {
        for path in files::list(&self.of(snapshot))? {
            let name = path.file_name().and_then(|it| it.to_str()).unwrap_or_default();
            if path.extension().is_some_and(|it| it == "conf") {
                let text = files::read_text(&path)?.context("it is gone")?;
                return Ok((name.to_owned(), text));
            }
        }
        bail!("there is no copy of its boot entry")
    }
}

impl Return {
    /// The entry last: what it names is there then.
    fn carry_out(&self) -> Result<()> {
        for path in &self.deleted {
            log::warn!("{} is deleted, to make room", path.display());
            files::remove(path)?;
        }
        for (from, to) in &self.files {
            let temporary = to.with_extension("new");
            let copied = copy_file(from, &temporary).and_then(|()| Ok(fs::rename(&temporary, to)?));
            if copied.is_err() {
                files::remove(&temporary)?;
            }
            copied.with_context(|| to.display().to_string())?;
        }
        let (text, place) = &self.entry;
        let dir = place.parent().context("it has no directory")?;
        write_out(dir)?;
        files::replace(place, text.as_bytes(), 0o644)?;
        write_out(dir)
    }
}

/// The files that an entry names, from the partition's root.
pub(super) fn paths(entry: &Entry) -> Result<Vec<PathBuf>> {
    let named = std::iter::once(&entry.linux).chain(&entry.initrd);
    let path = |path: &String| {
        let path = PathBuf::from(path.trim_start_matches('/'));
        let is_plain = path.components().all(|it| matches!(it, Component::Normal(_)));
        ensure!(is_plain, "{} names {}", entry.file, path.display());
        Ok(path)
    };
    named.map(path).collect()
}

fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|it| it.len())
}

/// Read again, tens of megabytes would take as long as copying them.
fn is_same(from: &Path, copy: &Path) -> bool {
    let (Ok(from), Ok(copy)) = (fs::metadata(from), fs::metadata(copy)) else { return false };
    from.len() == copy.len() && from.modified().ok() == copy.modified().ok()
}

fn copy_file(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to.parent().context("it has no directory")?)?;
    let (mut source, mut copy) = (File::open(from)?, File::create(to)?);
    io::copy(&mut source, &mut copy)?;
    copy.set_modified(source.metadata()?.modified()?)?;
    Ok(copy.sync_all()?)
}

fn write_out(dir: &Path) -> Result<()> {
    rustix::fs::syncfs(File::open(dir)?).with_context(|| format!("cannot sync {}", dir.display()))
}

fn remove_dir(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

/// The bytes that can still be written below a directory.
fn free(dir: &Path) -> Result<u64> {
    let of = statvfs(dir).with_context(|| dir.display().to_string())?;
    Ok(of.f_bavail * of.f_frsize)
}
