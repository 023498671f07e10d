//! What one stage of a boot found, for the stages after it: files in
//! `/run/health-checker`, which live through switch-root and end with the boot.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::sys::files::{self, Root};

/// Their directory.
pub const DIR: &str = "/run/health-checker";

/// What was found when user space was entered, before an update could finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The id of the default subvolume.
    pub default_subvolume: u64,
}

impl Start {
    /// Its file.
    pub const FILE: &str = "start.json";
}

/// Reads a hand-off; `None` if that stage did not run in this boot.
///
/// # Errors
/// It is there but cannot be read.
pub fn read<T: DeserializeOwned>(root: &Root, file: &str) -> Result<Option<T>> {
    let path = root.join(DIR).join(file);
    files::read_text(&path)?
        .map(|text| serde_json::from_str(&text).with_context(|| path.display().to_string()))
        .transpose()
}

/// Leaves a hand-off for the next stage.
///
/// # Errors
/// As [`files::replace`].
pub fn write<T: Serialize>(root: &Root, file: &str, value: &T) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(value)?;
    json.push(b'\n');
    files::replace(&root.join(DIR).join(file), &json, 0o644)
}
