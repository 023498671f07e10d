//! What came of it, in first boot's result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::firstboot::configuration::Later;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stand {
    /// Under way.
    Running,
    /// All that has run so far ended well.
    Done,
    /// Something failed.
    Failed,
}

/// Something that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Its name: `bootcmd`, `runcmd`, `scripts/part-001`, `phone_home` …
    pub name: String,
    /// What became of it.
    pub reason: String,
}

/// What came of a configuration's work in the started system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In one word.
    pub state: Stand,
    /// The instance that it was done for.
    pub instance_id: String,
    /// What failed: of the work of every boot, at this one; of the rest, ever.
    pub failed: Vec<Failure>,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
}

impl Report {
    /// It begins now.
    pub(super) fn begun(later: &Later) -> Self {
        Self {
            state: Stand::Running,
            instance_id: later.instance_id.clone(),
            failed: Vec::new(),
            began: Timestamp::now(),
            ended: None,
        }
    }

    /// It ends now.
    pub(super) fn ended(self, failed: Vec<Failure>) -> Self {
        let state = if failed.is_empty() { Stand::Done } else { Stand::Failed };
        Self { state, failed, ended: Some(Timestamp::now()), ..self }
    }

    /// But for the times, which change with every boot.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let says = |it: &Self| (it.state, it.instance_id.clone(), it.failed.clone());
        says(self) == says(other)
    }
}
