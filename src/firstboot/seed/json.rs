//! JSON, and what it has in common with YAML: text, whose faults have a place.

use anyhow::{Result, anyhow, ensure};
use serde_json::Value;

use super::Named;
use crate::firstboot::problem::{Place, Problem};

/// Any JSON; what is wrong has line and column.
pub(super) fn read(named: &Named) -> Result<Value> {
    let text = text_of(named)?;
    serde_json::from_str(text).map_err(|e| {
        let number = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let place = Place {
            source: named.source.clone(),
            line: number(e.line()),
            column: number(e.column()),
        };
        let what = e.to_string();
        let what = what.rsplit_once(" at line ").map_or(&*what, |(what, _)| what);
        said(&Problem::error(&place, format!("this is not JSON: {what}")))
    })
}

/// What it is, for messages.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// What is wrong, with its place.
pub(super) fn said(problem: &Problem) -> anyhow::Error {
    anyhow!("{}: {}", problem.place, problem.what)
}

/// The bytes as text in UTF-8.
pub(super) fn text_of(named: &Named) -> Result<&str> {
    let text = std::str::from_utf8(&named.bytes);
    let text = text.map_err(|e| {
        let before = String::from_utf8_lossy(&named.bytes[..e.valid_up_to()]);
        let line = before.matches('\n').count() + 1;
        anyhow!("{}:{line}: this is no text in UTF-8", named.source)
    })?;
    ensure!(!text.contains('\0'), "{}: there are NUL bytes in it: is it damaged?", named.source);
    Ok(text)
}

/// Whether the text is an object in JSON.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
