//! `status` for people.

use std::io::{self, Write};

use serde_json::Value;

use super::{Health, Status};
use crate::health::published::Decision;
use crate::report::check;
use crate::report::style::Style;

impl Status {
    /// For people.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let number = |number: Option<u32>| number.map_or("unknown".to_owned(), |it| it.to_string());
        let health = match self.health {
            Health::Healthy => style.good("healthy"),
            Health::Unhealthy if self.safe_mode => style.bad("UNHEALTHY, safe mode"),
            Health::Unhealthy => style.bad("UNHEALTHY"),
            Health::Unknown => style.warn("no verdict of this boot yet"),
        };
        let known_good: Vec<_> = self.snapshot.known_good.iter().map(ToString::to_string).collect();
        writeln!(out, "    Health: {health}")?;
        writeln!(
            out,
            "  Snapshot: {} booted, {} default, known good: {}",
            number(self.snapshot.booted),
            number(self.snapshot.default),
            if known_good.is_empty() { "none yet".to_owned() } else { known_good.join(", ") }
        )?;
        if let Some(decision) = &self.decision {
            writeln!(out, "  Decision: {}", sentence(decision))?;
        }
        writeln!(out, "If it fails: {}", sentence(&self.if_it_fails))?;
        self.more(out)?;
        if !self.checks.is_empty() {
            writeln!(out, "    Checks:")?;
        }
        check::text(out, &self.checks, style)
    }

    fn more(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(rollback) = &self.last_rollback {
            let failed = rollback.failed.join(", ");
            writeln!(
                out,
                "Rolled back: {}, from {} to {}, because {failed} failed",
                rollback.at, rollback.from, rollback.to
            )?;
        }
        if let Some(target) = &self.rollback_target
            && !target.ready
        {
            let problems = target.problems.join("; ");
            writeln!(
                out,
                "   Problem: cannot go back to snapshot {}: {problems}",
                target.snapshot
            )?;
        }
        if let Some(problem) = &self.record_problem {
            writeln!(out, "   Problem: the record cannot be used: {problem}")?;
        }
        for timer in self.timers.iter().filter(|timer| timer.enabled) {
            let next = timer.next.map_or("not planned".to_owned(), |next| next.to_string());
            let last = timer.last_result.as_deref().unwrap_or("unknown");
            writeln!(out, "     Timer: {}, next {next}, last result {last}", timer.name)?;
        }
        if let (Value::String(state), Value::String(source)) =
            (&self.firstboot.state, &self.firstboot.source)
        {
            writeln!(out, "First boot: {state}, from {source}")?;
        }
        for failure in self.firstboot.later["failed"].as_array().into_iter().flatten() {
            if let (Value::String(name), Value::String(reason)) =
                (&failure["name"], &failure["reason"])
            {
                writeln!(out, "First boot: {name} FAILED: {reason}")?;
            }
        }
        Ok(())
    }
}

fn sentence(decision: &Decision) -> String {
    match decision.target {
        Some(target) => format!("{} to snapshot {target}: {}", decision.action, decision.reason),
        None => format!("{}: {}", decision.action, decision.reason),
    }
}
