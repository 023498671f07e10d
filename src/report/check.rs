//! `health-checker check`: what the checks find, now.

use std::io::{self, Write};

use serde::Serialize;

use super::style::Style;
use crate::health::checks::{Ending, Outcome};

#[derive(Serialize)]
struct Json<'a> {
    schema: u32,
    healthy: bool,
    checks: &'a [Outcome],
}

/// Prints the outcomes as one JSON object.
///
/// # Errors
/// Standard output does not take it.
pub fn json(out: &mut dyn Write, checks: &[Outcome]) -> io::Result<()> {
    let healthy = !checks.iter().any(Outcome::condemns);
    serde_json::to_writer_pretty(&mut *out, &Json { schema: 1, healthy, checks })?;
    writeln!(out)
}

/// Prints one line a check.
///
/// # Errors
/// Standard output does not take it.
pub fn text(out: &mut dyn Write, checks: &[Outcome], style: Style) -> io::Result<()> {
    let width = checks.iter().map(|check| check.name.chars().count()).max().unwrap_or(0);
    for check in checks {
        let word = match check.outcome {
            Ending::Pass => style.good("pass   "),
            Ending::Skip => style.plain("skip   "),
            Ending::Fail if check.required => style.bad("FAIL   "),
            Ending::Timeout if check.required => style.bad("TIMEOUT"),
            Ending::Fail => style.warn("warn   "),
            Ending::Timeout => style.warn("timeout"),
        };
        writeln!(out, "  {word} {:width$}  {}", check.name, check.message)?;
    }
    Ok(())
}
