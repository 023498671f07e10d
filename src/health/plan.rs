//! What will be done: steps in order, with no choice left in them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::record::{Record, SnapshotId};

/// A decision and everything that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Whether all required checks passed.
    pub healthy: bool,
    /// What was decided.
    pub decision: Decision,
    /// What is done, in this order.
    pub steps: Vec<Step>,
    /// What comes after the last step.
    pub end: End,
    /// What is done instead, once a step failed that what follows builds upon.
    pub otherwise: Otherwise,
}

/// The decision in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is done.
    pub action: Action,
    /// Where to, for a rollback.
    pub target: Option<SnapshotId>,
    /// Why.
    pub reason: String,
}

/// The actions, by the names that `--json` promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Record the snapshot as known good.
    MarkGood,
    /// Make the last known good snapshot the default and reboot.
    Rollback,
    /// Reboot, once.
    Reboot,
    /// Shut services down and alert.
    SafeMode,
    /// Touch nothing.
    None,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MarkGood => "mark good",
            Self::Rollback => "roll back",
            Self::Reboot => "reboot",
            Self::SafeMode => "safe mode",
            Self::None => "nothing",
        })
    }
}

/// One effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Move an unusable record out of the way, keeping it.
    SetRecordAside,
    /// Keep this snapshot from being cleaned up.
    Protect(SnapshotId),
    /// Give it back to the clean-up.
    Release(SnapshotId),
    /// Keep what the loader needs to start these.
    KeepEntries(Vec<u32>),
    /// Mark it as restarted by us, outside the record: so a record that is lost
    /// is not taken for one that never was, and the machine restarted again.
    Tag(SnapshotId),
    /// Replace the record, durably.
    WriteRecord(Box<Record>),
    /// Count the automatic reboots in the firmware, durably.
    CountInFirmware {
        /// Since the last healthy verdict.
        reboots: u32,
        /// Whether nothing else counts them: the disk is out of reach.
        alone: bool,
    },
    /// Let the loader pass this snapshot's entries over, where it has such.
    CountOut(SnapshotId),
    /// Make this snapshot the default subvolume, durably.
    SetDefault(SnapshotId),
    /// Let the loader know the newest known good snapshot.
    TellLoader(SnapshotId),
    /// Let the loader know that this start has come to its end, so that it does not
    /// offer another snapshot at the next one.
    ClearFlag,
    /// Tell people.
    Alert(Alert),
    /// Run what greenboot's users have hung on a verdict, healthy or not.
    FollowUp(bool),
}

impl Step {
    /// Whether the rest of the plan builds upon this step. If the count of a
    /// reboot were not durable, or the default not changed, going on to the
    /// reboot could go on for ever.
    pub fn is_essential(&self) -> bool {
        match self {
            Self::SetRecordAside | Self::WriteRecord(_) | Self::SetDefault(_) => true,
            Self::CountInFirmware { alone, .. } => *alone,
            _ => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetRecordAside => f.write_str("keep the unusable record aside"),
            Self::Protect(snapshot) => write!(f, "protect {snapshot} from clean-up"),
            Self::Release(snapshot) => write!(f, "give {snapshot} back to clean-up"),
            Self::KeepEntries(kept) => write!(f, "keep the boot entries of {kept:?}"),
            Self::Tag(snapshot) => write!(f, "mark {snapshot} as restarted"),
            Self::WriteRecord(_) => f.write_str("write the record"),
            Self::CountInFirmware { reboots, .. } => {
                write!(f, "have the firmware count {reboots} automatic reboots")
            }
            Self::CountOut(snapshot) => write!(f, "have the loader pass {snapshot} over"),
            Self::SetDefault(snapshot) => write!(f, "make {snapshot} the default"),
            Self::TellLoader(snapshot) => {
                write!(f, "tell the loader that {snapshot} is known good")
            }
            Self::ClearFlag => f.write_str("clear the loader's flag"),
            Self::FollowUp(true) => f.write_str("run green.d"),
            Self::FollowUp(false) => f.write_str("run red.d"),
            Self::Alert(alert) => write!(f, "alert: {}", alert.headline()),
        }
    }
}

/// How a plan ends. Not a step: nothing can be planned after a reboot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The boot goes on.
    GoOn,
    /// The boot goes on into this snapshot, which is the default by now, instead
    /// of the one that it was about to enter. Only the initrd can.
    Enter(SnapshotId),
    /// The machine restarts.
    Reboot,
    /// Services go down; the machine stays reachable.
    SafeMode,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GoOn => f.write_str("go on"),
            Self::Enter(snapshot) => write!(f, "go on into {snapshot}"),
            Self::Reboot => f.write_str("reboot"),
            Self::SafeMode => f.write_str("enter safe mode"),
        }
    }
}

/// The way out when a step failed that the rest builds upon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otherwise {
    /// Told to people; which step failed is added.
    pub alert: Option<Alert>,
    /// What comes then: never a reboot.
    pub end: End,
}

/// The kinds of things that people are told of, by the names that programs see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// All required checks passed.
    Healthy,
    /// The last known good snapshot is the default again; the machine restarts.
    Rollback,
    /// The loader went back to the last known good snapshot, which is healthy.
    Fallback,
    /// The machine restarts.
    Reboot,
    /// Services go down.
    SafeMode,
    /// Checks failed, and nothing was touched.
    #[default]
    NotActed,
}

/// What people are told, everywhere in the same words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// What kind of thing happened.
    pub event: Event,
    /// What failed.
    pub failed: Vec<String>,
    /// What is done about it.
    pub done: String,
    /// What the administrator can do.
    pub advice: String,
}

impl Alert {
    /// In one line.
    pub fn headline(&self) -> String {
        format!("{}; {}", self.failed.join(", "), self.done)
    }
}
