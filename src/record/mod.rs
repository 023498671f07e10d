//! What must survive a reboot: which snapshots are known good, how often the
//! machine was restarted automatically, what was about to be done.
//!
//! [`Record`] is plain data; the rules about it live in `health::decide`. How it
//! is kept is in [`store`], what the initrd tells the system in [`handoff`].

mod baseline;
pub mod handoff;
mod sealed;
pub mod store;

use std::fmt;
use std::path::PathBuf;

pub use baseline::Baseline;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A snapshot: snapper's number for people, the subvolume's UUID for certainty.
/// Two snapshots are the same only if their UUIDs are: a number may have been
/// given away again by somebody who deleted directories by hand.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct SnapshotId {
    /// snapper's number.
    pub number: u32,
    /// The UUID of its subvolume.
    pub uuid: Uuid,
}

impl PartialEq for SnapshotId {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}

impl Eq for SnapshotId {}

impl std::hash::Hash for SnapshotId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "snapshot {}", self.number)
    }
}

/// The record. A default one says that nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Grows by one with each write; of two copies the higher one is newer.
    pub sequence: u64,
    /// Snapshots that passed, in the order in which they last passed.
    pub known_good: Vec<KnownGood>,
    /// Automatic reboots since the last healthy verdict. What bounds them.
    pub automatic_reboots: u32,
    /// The snapshot that was restarted once because it failed.
    pub retried: Option<SnapshotId>,
    /// Starts since the last verdict, by snapshot; none is no entry.
    pub starts: Vec<Starts>,
    /// The default whose start was counted last, until some start comes to a verdict or
    /// ends in order: what GRUB's flag, as long as it is set, is about.
    pub pending: Option<SnapshotId>,
    /// A rollback that was intended, until a verdict on its target.
    pub rollback: Option<Rollback>,
    /// Checks that failed on the known good snapshot as well, after a rollback
    /// because of them: not the update's fault.
    pub not_the_update: Vec<String>,
    /// The last rollback that ended in a healthy system: what `status` tells.
    pub last_rollback: Option<Rollback>,
    /// The last verdict.
    pub verdict: Option<Verdict>,
    /// What first boot did, or was about to do.
    pub firstboot: Option<FirstBoot>,
    /// What is put back if the first boot that is under way fails.
    pub outside: Option<Outside>,
    /// What the checks saw when the system was last healthy.
    pub baseline: Baseline,
}

/// A snapshot that passed its checks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KnownGood {
    /// Which one.
    pub snapshot: SnapshotId,
    /// Whether it was the default when it passed. Only then is it what a
    /// rollback goes back to.
    pub as_default: bool,
    /// When it last passed.
    pub at: Timestamp,
}

/// How often a snapshot was started without coming to a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Starts {
    /// Which one.
    pub snapshot: SnapshotId,
    /// How often, the running start included once it is counted.
    pub count: u32,
}

/// The name of the look at a snapshot's files among failed checks.
pub const PRE_FLIGHT: &str = "pre-flight";
/// What stands there for an initrd that could not go on.
pub const INITRD: &str = "initrd";
/// What stands there for starts that came to no verdict.
pub const UNFINISHED: &str = "starts without a verdict";

/// A rollback and its reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rollback {
    /// The snapshot that failed.
    pub from: SnapshotId,
    /// The known good one that takes its place.
    pub to: SnapshotId,
    /// The names of the required checks that failed.
    pub failed: Vec<String>,
    /// When it was decided.
    pub at: Timestamp,
}

/// What was found and done at a boot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Verdict {
    /// The kernel's boot id.
    pub boot: Uuid,
    /// The booted snapshot, where that is known.
    pub snapshot: Option<SnapshotId>,
    /// Whether all required checks passed.
    pub healthy: bool,
    /// When it was reached.
    pub at: Timestamp,
}

/// A configuration that was applied at first boot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FirstBoot {
    /// Written before the snapshot becomes the default: by its UUID the next
    /// boot recognises whether that still happened.
    pub configured: SnapshotId,
    /// The untouched snapshot that it was made from.
    pub pristine: SnapshotId,
    /// Where the configuration came from, in words.
    pub source: String,
    /// SHA-256 of the configuration, in hexadecimal.
    pub sha256: String,
    /// When it was applied.
    pub at: Timestamp,
    /// How often this configuration was applied to that snapshot, this time included.
    #[serde(default = "once")]
    pub applications: u32,
    /// Which machine this was then; only cloud-init's formats say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,
}

/// A machine, as its platform tells it from others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Instance {
    /// What it is called.
    pub id: String,
    /// It was the machine's system UUID in SMBIOS, so that another one there is another machine.
    #[serde(default)]
    pub is_system_uuid: bool,
}

fn once() -> u32 {
    1
}

/// Subvolumes outside the snapshots, while something is tried that may write to them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outside {
    /// The snapshot in the making, in whose directory they are kept.
    pub number: u32,
    /// Which ones, in the order of their numbers there.
    pub subvolumes: Vec<Kept>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kept {
    /// Where it is, from the file system's top level.
    pub path: PathBuf,
    /// Its UUID before: by it is seen whether it was exchanged already.
    pub original: Uuid,
}

impl Record {
    /// How often a snapshot was started without coming to a verdict.
    pub fn starts_of(&self, snapshot: &SnapshotId) -> u32 {
        self.starts.iter().find(|it| it.snapshot == *snapshot).map_or(0, |it| it.count)
    }

    /// Counts one more start, or with `None` forgets those that were.
    pub fn set_starts(&mut self, snapshot: SnapshotId, count: Option<u32>) {
        self.starts.retain(|it| it.snapshot != snapshot);
        self.starts.extend(count.map(|count| Starts { snapshot, count }));
    }

    /// The snapshot that first boot started from.
    pub fn pristine(&self) -> Option<SnapshotId> {
        self.firstboot.as_ref().map(|done| done.pristine)
    }

    /// The entry of a snapshot that is known good.
    pub fn good(&self, snapshot: &SnapshotId) -> Option<&KnownGood> {
        self.known_good.iter().find(|good| good.snapshot == *snapshot)
    }
}

/// What reading the record gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// There is one, whole.
    Readable(Record),
    /// There is none and there never was one, as far as can be seen.
    Absent,
    /// There is something, or there was: why it cannot be used. No rollback is
    /// based on it, and it is never overwritten unseen.
    Unknown(String),
}

impl State {
    /// The record, if it could be read.
    pub fn readable(&self) -> Option<&Record> {
        match self {
            Self::Readable(record) => Some(record),
            Self::Absent | Self::Unknown(_) => None,
        }
    }
}
