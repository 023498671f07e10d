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

/// A time span as systemd.time(7) writes it: `90s`, `1min 30s`, or a plain
/// number of seconds.
pub(super) fn span<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Span {
        Seconds(u64),
        Text(String),
    }
    match Option::<Span>::deserialize(from)? {
        None => Ok(None),
        Some(Span::Seconds(seconds)) => Ok(Some(Duration::from_secs(seconds))),
        Some(Span::Text(text)) if text.parse::<u32>().is_ok() => {
            Ok(text.parse().ok().map(Duration::from_secs))
        }
        Some(Span::Text(text)) => humantime::parse_duration(&text).map(Some).map_err(|e| {
            D::Error::custom(format!("{text:?} is no time span such as 90s or 1min 30s: {e}"))
        }),
    }
}
