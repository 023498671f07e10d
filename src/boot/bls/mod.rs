//! Boot loader specification entries (UAPI.1) with boot counting (systemd's
//! "Automatic Boot Assessment"), as systemd-boot and grub2-bls start them: each
//! entry names its snapshot, so the loader chooses, and not the default subvolume.
//!
//! Read natively, from the boot partitions and the firmware's variables: bootctl and
//! sdbootutil may be part of what an update has broken.

pub mod copies;
pub mod entry;
pub mod partition;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::efivars::Variable;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use entry::Entry;
use partition::Partition;

/// Where entries are on a boot partition.
const ENTRIES: &str = "loader/entries";

/// The variable in which a loader says which entry it has started. It is gone with the
/// next reset.
pub const SELECTED: Variable = Variable::of_loader("LoaderEntrySelected");
/// Where the entry lies that was started, if its starts are counted.
const COUNTED: Variable = Variable::of_loader("LoaderBootCountPath");
/// The entry that the firmware was told to start by default.
const DEFAULT: Variable = Variable::of_loader("LoaderEntryDefault");

/// What the loader knows of this boot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booted {
    /// The id of the entry that was started; none where the loader does not say.
    pub selected: Option<String>,
    /// Whether the loader counts that entry's starts.
    pub counted: bool,
}

/// Asks the firmware's variables. Only for a boot that came through the loader:
/// after a kexec they describe the one before.
///
/// # Errors
/// One of them is there but cannot be read.
pub fn booted(root: &Root) -> Result<Booted> {
    Ok(Booted { selected: SELECTED.text(root)?, counted: COUNTED.is_set(root) })
}

/// The number of the snapshot that `rootflags=` names, if it does.
pub fn named_snapshot(cmdline: &Cmdline) -> Option<u32> {
    entry::snapshot_in(cmdline.value("rootflags")?)
}

/// The entries of this system on its boot partitions, which stay mounted as long as
/// this value lives.
#[derive(Debug)]
pub struct Entries {
    partitions: Vec<Partition>,
    own: Vec<(PathBuf, Entry)>,
    /// Those of other systems.
    others: Vec<(PathBuf, Entry)>,
}

impl Entries {
    /// Reads those whose root is this boot's: there may be other systems beside it.
    ///
    /// # Errors
    /// There is no boot partition that can be read, or the command line cannot be.
    pub fn read(root: &Root, writable: bool) -> Result<Self> {
        Self::read_of(root, writable, &own_root()?)
    }

    fn read_of(root: &Root, writable: bool, own: &str) -> Result<Self> {
        let partitions = partition::open(root, writable)?;
        let (mut own_entries, mut others) = (Vec::new(), Vec::new());
        for partition in &partitions {
            for path in files::list(&partition.dir().join(ENTRIES))? {
                match parsed(&path) {
                    Ok(Some(entry)) if entry.root.as_deref() == Some(own) => {
                        own_entries.push((partition.dir().to_owned(), entry));
                    }
                    Ok(Some(entry)) => others.push((partition.dir().to_owned(), entry)),
                    Ok(None) => {}
                    Err(e) => log::warn!("passed over: {e:#}"),
                }
            }
        }
        Ok(Self { partitions, own: own_entries, others })
    }

    /// Lets the boot partitions go that were mounted for this, written out.
    ///
    /// # Errors
    /// One of them could not be unmounted.
    pub fn close(self) -> Result<()> {
        self.partitions.into_iter().try_for_each(Partition::close)
    }

    fn of(&self, snapshot: u32) -> impl Iterator<Item = &(PathBuf, Entry)> {
        self.own.iter().filter(move |(_, entry)| entry.snapshot == Some(snapshot))
    }

    /// Whether the loader has given a snapshot up: it has entries, and none of them has
    /// a try left.
    pub fn gave_up(&self, snapshot: u32) -> bool {
        let mut entries = self.of(snapshot).peekable();
        entries.peek().is_some() && entries.all(|(_, entry)| entry.is_bad())
    }

    /// What keeps the loader from starting a snapshot; nothing if one of its entries is
    /// whole.
    pub fn problems(&self, snapshot: u32) -> Vec<String> {
        let found: Vec<_> = self.of(snapshot).map(|(dir, entry)| missing(dir, entry)).collect();
        if found.is_empty() {
            return vec!["it has no boot entry".to_owned()];
        }
        if found.iter().any(Vec::is_empty) { Vec::new() } else { found.concat() }
    }

    /// What would be of no use any more if an entry were deleted: files that no other names.
    fn files_of_this_alone(&self, partition: &Path, entry: &Entry) -> Result<Vec<PathBuf>> {
        let all = self.own.iter().chain(&self.others);
        let others = all.filter(|(dir, it)| !(dir == partition && it.file == entry.file));
        let mut own = copies::paths(entry)?;
        for (_, other) in others {
            let named = copies::paths(other)?;
            own.retain(|path| !named.contains(path));
        }
        Ok(own.into_iter().map(|path| partition.join(path)).collect())
    }

    /// Marks all entries of a snapshot as bad, durably, as `systemd-bless-boot bad` does
    /// with the booted one, and takes back that the firmware was told to start one of
    /// them by default: such an entry is started however bad it is.
    ///
    /// # Errors
    /// Some entry may still be started.
    pub fn count_out(&self, root: &Root, snapshot: u32) -> Result<()> {
        let pinned = DEFAULT.text(root)?;
        let started = COUNTED.text(root)?.unwrap_or_default();
        // It is a path as the firmware writes them.
        let started = started.rsplit('\\').next().unwrap_or_default();
        for (partition, entry) in self.of(snapshot) {
            if pinned.as_ref().is_some_and(|id| entry.is_named(id)) {
                log::warn!("{} was the firmware's default entry, and is no more", entry.id);
                DEFAULT.remove(root)?;
            }
            // At its last try it is called so already, and could be blessed all the same.
            if !entry.is_bad() || entry.file.eq_ignore_ascii_case(started) {
                mark_bad(&partition.join(ENTRIES), entry)?;
            }
        }
        Ok(())
    }
}

/// What this system's entries have as `root=`.
fn own_root() -> Result<String> {
    let cmdline = Cmdline::of_this_boot()?;
    Ok(cmdline.value("root").context("no root= on the command line")?.to_owned())
}

fn parsed(path: &Path) -> Result<Option<Entry>> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if path.extension().is_none_or(|it| it != "conf") {
        return Ok(None);
    }
    let text = files::read_text(path)?.with_context(|| format!("{} is gone", path.display()))?;
    entry::parse(name, &text).map(Some).with_context(|| path.display().to_string())
}

/// A file that an entry names must be there, with something in it: a boot partition
/// that was full leaves empty ones.
fn missing(partition: &Path, entry: &Entry) -> Vec<String> {
    let is_there = |path: &str| {
        let path = partition.join(path.trim_start_matches('/'));
        fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() > 0)
    };
    let files = std::iter::once(&entry.linux).chain(&entry.initrd);
    let gone = files.filter(|path| !is_there(path));
    gone.map(|path| format!("its boot entry {} needs {path}, missing or empty", entry.id)).collect()
}

fn is_whole(partition: &Path, entry: &Entry) -> bool {
    missing(partition, entry).is_empty()
}

/// One rename, then everything of that file system written out: vfat keeps no journal,
/// and the reboot may come at once. Cut between, both names or the old one are there,
/// and the next call does it again; one that would be there already is replaced.
fn mark_bad(dir: &Path, entry: &Entry) -> Result<()> {
    let (from, to) = (dir.join(&entry.file), dir.join(entry.bad_name()));
    fs::rename(&from, &to).with_context(|| format!("cannot rename {}", from.display()))?;
    let opened = fs::File::open(dir).with_context(|| dir.display().to_string())?;
    rustix::fs::syncfs(&opened).with_context(|| format!("cannot sync {}", dir.display()))?;
    ensure!(!from.exists() && to.exists(), "{} is still there", from.display());
    log::warn!("the loader passes {} over from now on", entry.id);
    Ok(())
}

#[cfg(test)]
mod tests;
