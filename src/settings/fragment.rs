//! One settings file: every key optional, every unknown one an error, since a
//! misspelt check would otherwise be a check that never runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, de::Error};

use super::alerts::AlertsFragment;
use super::check::CheckFragment;
use super::watchdog::Watchdog;
use crate::health::facts::Mode;
use crate::sys::files;

/// What a file may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fragment {
    pub(super) checks: BTreeMap<String, Option<CheckFragment>>,
    pub(super) policy: PolicyFragment,
    pub(super) alerts: AlertsFragment,
}

/// `policy:`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PolicyFragment {
    pub(super) mode: Option<Mode>,
    pub(super) keep: Option<usize>,
    pub(super) unfinished_boots: Option<u32>,
    #[serde(deserialize_with = "span")]
    pub(super) deadline: Option<Duration>,
    #[serde(deserialize_with = "span")]
    pub(super) firstboot_deadline: Option<Duration>,
    #[serde(deserialize_with = "span")]
    pub(super) soak: Option<Duration>,
    pub(super) watchdog: Option<Watchdog>,
}

impl Fragment {
    /// Reads a file.
    ///
    /// # Errors
    /// With file, line, column and value.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = files::read_text(path)?.unwrap_or_default();
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads a text.
    ///
    /// # Errors
    /// With line, column and value.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let empty = text.lines().all(|line| line.trim().is_empty() || line.starts_with('#'));
        Ok(if empty { Self::default() } else { serde_yaml::from_str(text)? })
    }
}

/// A key whose value is a time span.
pub(super) fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    Option::<Span>::deserialize(from)?.map(|it| it.value().map_err(D::Error::custom)).transpose()
}

/// A time span as systemd.time(7) writes it: `90s`, `1min 30s`, or a plain
/// number of seconds.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Span {
    Seconds(u64),
    Text(String),
}

impl Span {
    /// # Errors
    /// It is none, in words for whoever wrote it.
    pub(super) fn value(&self) -> Result<Duration, String> {
        let text = match self {
            Self::Seconds(seconds) => return Ok(Duration::from_secs(*seconds)),
            Self::Text(text) => text,
        };
        match text.parse::<u32>() {
            Ok(seconds) => Ok(Duration::from_secs(seconds.into())),
            Err(_) => humantime::parse_duration(text)
                .map_err(|e| format!("{text:?} is no time span such as 90s or 1min 30s: {e}")),
        }
    }
}
