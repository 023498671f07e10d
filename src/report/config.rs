//! `health-checker config show`: the settings in force, and where they are from.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::settings::{CheckSettings, Settings};

/// Prints the settings, as YAML with the file in a comment, or as JSON.
///
/// # Errors
/// Standard output does not take it.
pub fn show(out: &mut dyn Write, settings: &Settings, as_json: bool) -> io::Result<()> {
    if as_json {
        let checks: serde_json::Map<String, Value> = settings
            .checks
            .iter()
            .map(|check| {
                let mut value = body(check);
                value["file"] = origin(check).into();
                (check.name.clone(), value)
            })
            .collect();
        let all = json!({
            "schema": 1,
            "files": settings.files,
            "checks": checks,
            "policy": settings.policy,
            "alerts": settings.alerts,
            "origins": settings.origins,
            "problems": settings.problems,
            "doubts": settings.doubts,
        });
        serde_json::to_writer_pretty(&mut *out, &all)?;
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
    let mut value = check.shown.clone();
    value["required"] = check.required.into();
    value["timeout"] = humantime::format_duration(check.timeout).to_string().into();
    value["retry_for"] = humantime::format_duration(check.retry_for).to_string().into();
    if let Some(description) = &check.description {
        value["description"] = description.as_str().into();
    }
    value
}

/// Where a check comes from.
fn origin(check: &CheckSettings) -> Cow<'_, str> {
    check.file.as_ref().map_or("built in".into(), |file| file.to_string_lossy())
}
