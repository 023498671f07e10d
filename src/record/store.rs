//! How the record is kept: in two places, each file sealed and replaced whole.
//!
//! The places are subvolumes of their own, `/.snapshots` and `/var`: an update
//! that keeps `/var` from being mounted must still be rolled back, and where the
//! record cannot be written at all no reboot is counted. One place that takes it
//! is enough, and the higher sequence wins: what was durable when
//! [`Store::write`] returned is never forgotten, and damage to one file costs
//! nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, anyhow, ensure};
use nix::sys::statfs::{FsType, OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, statfs};

use super::sealed::{decode, encode};
use super::{Record, State};
use crate::sys::files::{self, Root};

/// Where the record lives.
pub const DIR: &str = "/var/lib/health-checker";
/// Where its copy lives, in the directory of snapshots.
const COPY_DIR: &str = ".health-checker";
/// ramfs, which nix does not name (`include/uapi/linux/magic.h`).
const RAMFS_MAGIC: FsType = FsType(0x8584_58f6);

/// The record's places.
#[derive(Clone, Debug)]
pub struct Store {
    /// Read, all of them.
    files: Vec<PathBuf>,
    /// Written, both.
    written: [PathBuf; 2],
}

impl Store {
    /// The store of the system below `root`.
    pub fn new(root: &Root) -> Self {
        Self::in_places(root.join(DIR), &root.join("/.snapshots"))
    }

    /// The store with these two places, for an initrd that has them elsewhere.
    pub fn in_places(dir: impl Into<PathBuf>, snapshots: &Path) -> Self {
        let mut store = Self::at(dir);
        if snapshots.is_dir() {
            store.written[0] = snapshots.join(COPY_DIR).join("record");
            store.files.push(store.written[0].clone());
        }
        store
    }

    /// The store in this directory alone.
    pub fn at(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        let files = [dir.join("record.copy"), dir.join("record")];
        Self { files: files.to_vec(), written: files }
    }

    /// Reads the record. Never fails: what cannot be read is a state.
    pub fn read(&self) -> State {
        let mut newest: Option<Record> = None;
        let mut problems = Vec::new();
        for path in &self.files {
            match read_one(path) {
                Ok(Some(record)) => {
                    if newest.as_ref().is_none_or(|known| known.sequence < record.sequence) {
                        newest = Some(record);
                    }
                }
                Ok(None) => {}
                Err(e) => problems.push(format!("{e:#}")),
            }
        }
        match newest {
            Some(record) => {
                for problem in problems {
                    log::warn!("one copy of the record is unusable, another is whole: {problem}");
                }
                State::Readable(record)
            }
            None if problems.is_empty() => State::Absent,
            None => State::Unknown(problems.join("; ")),
        }
    }

    /// Replaces the record. When this returns, it is on the disk.
    ///
    /// # Errors
    /// No place took it. The new record may then be there or not; it is never
    /// half there.
    pub fn write(&self, record: &Record) -> Result<()> {
        let bytes = encode(record)?;
        in_some_place(&self.written, |path| files::replace(path, &bytes, 0o600))
    }

    /// Moves what cannot be used as a record out of the way, to a name that says
    /// so, for somebody to look at. Earlier ones are not overwritten.
    ///
    /// # Errors
    /// As rename(2).
    pub fn set_aside(&self) -> Result<()> {
        for path in &self.files {
            if read_one(path).is_err() {
                set_one_aside(path)?;
            }
        }
        Ok(())
    }

    /// Whether a record written now would still be there after a reboot: tried
    /// with a file, as only that finds a full disk, a read-only mount or a quota.
    ///
    /// # Errors
    /// Why not, for every place.
    pub fn probe(&self) -> Result<()> {
        in_some_place(&self.written, |path| {
            let dir = path.parent().unwrap_or(Path::new("/"));
            let probe = dir.join("probe");
            files::replace(&probe, &[0; 4096], 0o600)?;
            files::remove(&probe)?;
            let kind = statfs(dir)?.filesystem_type();
            ensure!(
                ![TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, RAMFS_MAGIC].contains(&kind),
                "{} does not outlive a reboot: it is not on a disk",
                dir.display()
            );
            Ok(())
        })
    }
}

/// Does the same in both places; one that it works in is enough. At the same
/// time: most of it is waiting for the disk, and the boot waits for it.
fn in_some_place(
    [one, other]: &[PathBuf; 2],
    act: impl Fn(&Path) -> Result<()> + Sync,
) -> Result<()> {
    let results = thread::scope(|scope| {
        let beside = thread::Builder::new().spawn_scoped(scope, || act(one));
        let here = act(other);
        let there = match beside {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(anyhow!("a fault: it panicked"))),
            Err(_) => act(one), // no more threads to be had
        };
        [there, here]
    });
    let lost = results.iter().all(Result::is_err);
    let problems: Vec<_> = results.iter().filter_map(|it| it.as_ref().err()).collect();
    let problems = problems.iter().map(|e| format!("{e:#}")).collect::<Vec<_>>().join("; ");
    ensure!(!lost, problems);
    if !problems.is_empty() {
        log::warn!("the record is in one place only: {problems}");
    }
    Ok(())
}

fn set_one_aside(path: &Path) -> Result<()> {
    let aside = (0..1000)
        .map(|n| PathBuf::from(format!("{}.unusable.{n}", path.display())))
        .find(|aside| !aside.exists())
        .with_context(|| format!("{} has a thousand of them", path.display()))?;
    fs::rename(path, &aside)
        .with_context(|| format!("cannot keep {} aside as {}", path.display(), aside.display()))?;
    log::warn!("kept aside as {}", aside.display());
    let dir = path.parent().unwrap_or(Path::new("/"));
    files::sync_dir(dir).with_context(|| format!("cannot sync {}", dir.display()))
}

fn read_one(path: &Path) -> Result<Option<Record>> {
    files::read_text(path)?
        .map(|text| decode(&text).with_context(|| path.display().to_string()))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system with `/var` and `/.snapshots`, on a disk as the probe sees it.
    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::create_dir(dir.path().join(".snapshots")).unwrap();
        let store = Store::new(&Root::new(dir.path()));
        (dir, store)
    }

    fn numbered(sequence: u64) -> Record {
        Record { sequence, ..Record::default() }
    }

    fn write_all(store: &Store, bytes: &[u8]) {
        for path in &store.written {
            fs::write(path, bytes).unwrap();
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let (_dir, store) = store();
        assert_eq!(store.read(), State::Absent);
        store.probe().unwrap();
        store.write(&numbered(3)).unwrap();
        assert_eq!(store.read(), State::Readable(numbered(3)));
    }

    #[test]
    fn every_cut_and_every_flipped_bit_of_both_copies_is_noticed() {
        let (_dir, store) = store();
        store.write(&numbered(3)).unwrap();
        let whole = fs::read(&store.written[1]).unwrap();
        for len in 0..whole.len() - 1 {
            write_all(&store, &whole[..len]);
            assert!(matches!(store.read(), State::Unknown(_)), "cut at {len}");
        }
        for place in 0..whole.len() - 1 {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            write_all(&store, &flipped);
            assert!(matches!(store.read(), State::Unknown(_)), "flipped at {place}");
        }
    }

    #[test]
    fn one_whole_copy_is_enough_and_the_newer_one_counts() {
        let (_dir, store) = store();
        store.write(&numbered(3)).unwrap();
        let [copy, record] = &store.written;
        fs::write(record, "rubbish").unwrap();
        assert_eq!(store.read(), State::Readable(numbered(3)));
        store.set_aside().unwrap();
        assert_eq!(store.read(), State::Readable(numbered(3)));
        assert!(record.with_extension("unusable.0").exists());
        // Cut between the two writes: the copy is newer.
        fs::write(record, encode(&numbered(3)).unwrap()).unwrap();
        fs::write(copy, encode(&numbered(4)).unwrap()).unwrap();
        assert_eq!(store.read(), State::Readable(numbered(4)));
    }

    #[test]
    fn one_place_that_takes_it_is_enough_and_none_is_an_error() {
        let (dir, store) = store();
        // A file where the directory should be: as unwritable for root as for anybody.
        fs::write(dir.path().join("var"), "").unwrap();
        store.probe().unwrap();
        store.write(&numbered(3)).unwrap();
        assert_eq!(store.read(), State::Readable(numbered(3)));
        fs::remove_dir_all(dir.path().join(".snapshots")).unwrap();
        fs::write(dir.path().join(".snapshots"), "").unwrap();
        assert!(store.probe().is_err());
        assert!(store.write(&numbered(4)).is_err());
    }

    #[test]
    fn a_newer_version_is_not_damage_and_is_named() {
        let (_dir, store) = store();
        store.write(&numbered(3)).unwrap();
        write_all(&store, b"health-checker-record 9 whatever\n{}\n");
        let State::Unknown(why) = store.read() else { panic!() };
        assert!(why.contains("newer health-checker (version 9"), "{why}");
    }

    #[test]
    fn a_record_in_memory_is_not_durable() {
        let dir = tempfile::tempdir_in("/dev/shm").unwrap();
        let error = Store::new(&Root::new(dir.path())).probe().unwrap_err();
        assert!(error.to_string().contains("not on a disk"), "{error}");
    }
}
