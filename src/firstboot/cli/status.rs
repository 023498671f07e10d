//! `status`: what first boot did.

use std::io::{self, Write};

use anyhow::Result;

use super::Format;
use crate::firstboot::later::{Report, Stand};
use crate::firstboot::outcome::{Outcome, State};
use crate::firstboot::stage;
use crate::record::handoff;
use crate::record::store;
use crate::sys::files::Root;

/// Where there are no snapshots.
const IN_PLACE: &str = "the system has no snapshots: what the script did cannot be undone";

pub(super) fn run(root: &Root, format: &Format) -> Result<u8> {
    let mut outcome =
        Outcome::read(&root.join(store::DIR))?.unwrap_or_else(|| Outcome::of(State::None));
    if let Some(pending) = handoff::read::<stage::Pending>(root, stage::PENDING)? {
        outcome = Outcome { reason: Some(pending.reason), ..Outcome::of(State::Pending) };
    }
    let mut out = io::stdout().lock();
    if format.json {
        serde_json::to_writer_pretty(&mut out, &outcome)?;
        writeln!(out)?;
        return Ok(0);
    }
    let state = match outcome.state {
        State::None => "no configuration was applied",
        State::Pending => "under way",
        State::Applied => "configuration applied",
        State::Failed => "the configuration FAILED",
    };
    writeln!(out, "First boot: {state}")?;
    let lines = [
        ("source", outcome.source),
        ("instance", outcome.instance_id),
        ("signed by", outcome.signed_by),
        ("reason", outcome.reason),
        ("in place", outcome.in_place.then(|| IN_PLACE.to_owned())),
        ("snapshot", outcome.snapshot.map(|id| id.number.to_string())),
        ("made from", outcome.pristine.map(|id| format!("snapshot {}", id.number))),
        ("SHA-256", outcome.sha256),
        ("at", outcome.at.map(|at| at.to_string())),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            writeln!(out, "{name:>12}: {value}")?;
        }
    }
    for made in outcome.disks {
        writeln!(out, "{:>12}: {made}", "on disks")?;
    }
    for other in outcome.ignored {
        writeln!(out, "{:>12}: {}: {}", "not used", other.source, other.reason)?;
    }
    if let Some(report) = outcome.later {
        write_later(&mut out, &report)?;
    }
    Ok(0)
}

/// What came of it in the started system.
fn write_later(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let state = match report.state {
        Stand::Running => "under way".to_owned(),
        Stand::Done => "done".to_owned(),
        Stand::Failed => format!("{} FAILED", report.failed.len()),
    };
    writeln!(out, "{:>12}: {state}, of instance {}", "scripts", report.instance_id)?;
    for failure in &report.failed {
        writeln!(out, "{:>12}: {}: {}", "failed", failure.name, failure.reason)?;
    }
    Ok(())
}
