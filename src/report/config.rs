//! `health-checker config show`: the settings in force, and where they are from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::settings::{Alerts, CheckSettings, Policy, Settings, Watchdog};
use crate::sys::fetch::without_secrets;

/// The settings as JSON; the order of the fields is the order of the keys.
#[derive(Serialize)]
struct Shown<'a> {
    schema: u32,
    files: &'a [PathBuf],
    checks: Map<String, Value>,
    policy: ShownPolicy<'a>,
    alerts: &'a Alerts,
    origins: &'a BTreeMap<&'static str, PathBuf>,
    problems: &'a [String],
    doubts: &'a [String],
}

/// As a file has it, and its durations as programs want them.
#[derive(Serialize)]
struct ShownPolicy<'a> {
    #[serde(flatten)]
    policy: &'a Policy,
    deadline_ms: u64,
    firstboot_deadline_ms: u64,
    soak_ms: u64,
    watchdog_ms: Option<u64>,
}

impl<'a> From<&'a Policy> for ShownPolicy<'a> {
    fn from(policy: &'a Policy) -> Self {
        Self {
            policy,
            deadline_ms: milliseconds(policy.deadline),
            firstboot_deadline_ms: milliseconds(policy.firstboot_deadline),
            soak_ms: milliseconds(policy.soak),
            watchdog_ms: match policy.watchdog {
                Watchdog::Off => None,
                Watchdog::After(span) => Some(milliseconds(span)),
            },
        }
    }
}

fn milliseconds(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Prints the settings, as YAML with the file in a comment, or as JSON.
///
/// # Errors
/// Standard output does not take it.
pub fn show(out: &mut dyn Write, settings: &Settings, as_json: bool) -> io::Result<()> {
    if as_json {
        let check = |check: &CheckSettings| {
            let mut value = body(check);
            value["timeout_ms"] = milliseconds(check.timeout).into();
            value["retry_for_ms"] = milliseconds(check.retry_for).into();
            value["file"] = origin(check).into();
            (check.name.clone(), value)
        };
        let shown = Shown {
            schema: 1,
            files: &settings.files,
            checks: settings.checks.iter().map(check).collect(),
            policy: (&settings.policy).into(),
            alerts: &settings.alerts,
            origins: &settings.origins,
            problems: &settings.problems,
            doubts: &settings.doubts,
        };
        serde_json::to_writer_pretty(&mut *out, &shown)?;
        return writeln!(out);
    }
    writeln!(out, "checks:")?;
    for check in &settings.checks {
        writeln!(out, "  {}: {}  # {}", check.name, body(check), origin(check))?;
    }
    section(out, "policy", &json!(settings.policy), settings)?;
    section(out, "alerts", &json!(settings.alerts), settings)
}

/// A section's values, each with its file.
fn section(out: &mut dyn Write, name: &str, values: &Value, settings: &Settings) -> io::Result<()> {
    writeln!(out, "{name}:")?;
    for (key, value) in values.as_object().into_iter().flatten() {
        let origin = settings.origins.get(&*format!("{name}.{key}"));
        let origin = origin.map_or("built in".into(), |file| file.to_string_lossy());
        writeln!(out, "  {key}: {value}  # {origin}")?;
    }
    Ok(())
}

fn body(check: &CheckSettings) -> Value {
    let mut value = without_addresses(&check.shown);
    value["required"] = check.required.into();
    value["timeout"] = humantime::format_duration(check.timeout).to_string().into();
    value["retry_for"] = humantime::format_duration(check.retry_for).to_string().into();
    if let Some(description) = &check.description {
        value["description"] = description.as_str().into();
    }
    value
}

/// The same, of each address in it only what is no secret: whoever may see the settings need not
/// know the password of what they look at.
fn without_addresses(value: &Value) -> Value {
    match value {
        // Word by word: what a shell is given may hold several.
        Value::String(text) => {
            let shown = |word: &str| {
                if word.contains("://") { without_secrets(word) } else { word.to_owned() }
            };
            text.split(' ').map(shown).collect::<Vec<_>>().join(" ").into()
        }
        Value::Array(items) => items.iter().map(without_addresses).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, it)| (key.clone(), without_addresses(it))).collect()
        }
        other => other.clone(),
    }
}

/// Where a check comes from.
fn origin(check: &CheckSettings) -> Cow<'_, str> {
    check.file.as_ref().map_or("built in".into(), |file| file.to_string_lossy())
}
