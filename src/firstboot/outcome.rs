//! What first boot did: `/var/lib/health-checker/firstboot-result.json`, for
//! people and for tools that follow.

use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::datasource::Ignored;
use super::later::Report;
use super::stage::Found;
use crate::record::SnapshotId;
use crate::sys::files;

/// Its name, in the record's directory.
pub const FILE: &str = "firstboot-result.json";

/// How first boot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// There was no first boot, or no configuration for it.
    None,
    /// It is under way, or will be at the next start.
    Pending,
    /// A configuration was applied.
    Applied,
    /// A configuration was found, and failed.
    Failed,
}

/// The result of the last first boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// 1; keys are only ever added.
    pub schema: u32,
    /// How it ended.
    pub state: State,
    /// Where the configuration came from, in words.
    pub source: Option<String>,
    /// Which instance the platform says that this machine is; only cloud-init's formats have it.
    #[serde(default)]
    pub instance_id: Option<String>,
    /// SHA-256 of the configuration, in hexadecimal.
    pub sha256: Option<String>,
    /// The key that signed the configuration, where it had to be signed.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// What else was there, and why it was not used.
    #[serde(default)]
    pub ignored: Vec<Ignored>,
    /// It was applied in the system itself, which has no snapshots.
    #[serde(default)]
    pub in_place: bool,
    /// Why it ended so.
    pub reason: Option<String>,
    /// The configured snapshot.
    pub snapshot: Option<SnapshotId>,
    /// The snapshot before it, which was left as it was.
    pub pristine: Option<SnapshotId>,
    /// When it ended.
    pub at: Option<Timestamp>,
    /// What was done to disks, in words: no rollback takes it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<String>,
    /// What came of that part of it which runs in the started system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<Report>,
}

impl Outcome {
    /// An outcome with nothing to tell but its state.
    pub fn of(state: State) -> Self {
        Self {
            schema: 1,
            state,
            source: None,
            instance_id: None,
            sha256: None,
            signed_by: None,
            ignored: Vec::new(),
            in_place: false,
            reason: None,
            snapshot: None,
            pristine: None,
            at: None,
            disks: Vec::new(),
            later: None,
        }
    }

    /// The same, with what is known of the configuration.
    pub(super) fn with(self, found: &Found) -> Self {
        Self {
            source: Some(found.source.clone()),
            instance_id: found.instance.as_ref().map(|instance| instance.id.clone()),
            sha256: Some(found.sha256.clone()),
            signed_by: found.signed_by.clone(),
            ignored: found.ignored.clone(),
            ..self
        }
    }

    /// Reads the result in this directory; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        files::read_text(&path)?
            .map(|text| serde_json::from_str(&text).with_context(|| path.display().to_string()))
            .transpose()
    }

    /// Replaces the result in this directory.
    ///
    /// # Errors
    /// As [`files::replace`].
    pub fn write(&self, dir: &Path) -> Result<()> {
        files::replace(&dir.join(FILE), &self.to_json()?, 0o644)
    }

    /// The same, durable once the file system is synchronised.
    ///
    /// # Errors
    /// As [`files::replace`].
    pub(super) fn write_unsynced(&self, dir: &Path) -> Result<()> {
        files::replace_unsynced(&dir.join(FILE), &self.to_json()?, 0o644)
    }

    fn to_json(&self) -> Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        Ok(json)
    }
}
