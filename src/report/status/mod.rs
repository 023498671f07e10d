//! `health-checker status`: what is, what happened at this boot, and what a
//! failure of the next one would lead to. The last comes from the same decision
//! function that would then decide.

mod text;

use std::io::{self, Write};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::timers::{self, Timer};
use crate::boot;
use crate::health::assess::{look, policy};
use crate::health::checks::{Ending, Outcome};
use crate::health::decide::decide;
use crate::health::facts::Facts;
use crate::health::gather;
use crate::health::published::{Decision, Published};
use crate::record::{Record, Rollback, SnapshotId, State};
use crate::settings::{self, Settings};
use crate::sys::files::{self, Root};

/// Where first boot says what it did.
const FIRSTBOOT: &str = "/var/lib/health-checker/firstboot-result.json";

/// The verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// All required checks passed.
    Healthy,
    /// Some did not.
    Unhealthy,
    /// There is no verdict of this boot yet.
    Unknown,
}

/// Everything that `status` shows.
#[derive(Debug, Serialize)]
pub struct Status {
    schema: u32,
    /// The verdict.
    pub health: Health,
    safe_mode: bool,
    boot: Boot,
    snapshot: Snapshot,
    checks: Vec<Outcome>,
    decision: Option<Decision>,
    if_it_fails: Decision,
    rollback_target: Option<Target>,
    last_rollback: Option<Rollback>,
    firstboot: Firstboot,
    timers: Vec<Timer>,
    record_problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Boot {
    id: uuid::Uuid,
    /// When its kernel was started; `None` where that is not known.
    started: Option<Timestamp>,
    loader: boot::Loader,
    kind: boot::Start,
}

#[derive(Debug, Serialize)]
struct Snapshot {
    booted: Option<u32>,
    default: Option<u32>,
    known_good: Vec<u32>,
    starts_without_verdict: u32,
}

#[derive(Debug, Serialize)]
struct Target {
    snapshot: u32,
    ready: bool,
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Firstboot {
    state: Value,
    source: Value,
    instance_id: Value,
    /// What came of it in the started system.
    later: Value,
}

/// Finds out what is, for the system below `root`.
pub fn read(root: &Root) -> Status {
    let settings = settings::read(root);
    let control = gather::control(&settings, false);
    let mut facts = gather::facts(root, control, Vec::new(), gather::Before::default());
    // Nothing that is past matters for the next failure.
    facts.given_up = None;
    look_at_target(root, &mut facts);
    let published = Published::read(root)
        .unwrap_or_else(|e| {
            log::warn!("{e:#}");
            None
        })
        .filter(|published| published.boot == facts.boot);
    let known_good =
        |record: &Record| record.known_good.iter().map(|good| good.snapshot.number).collect();
    Status {
        schema: 1,
        health: match &published {
            Some(published) if published.healthy => Health::Healthy,
            Some(_) => Health::Unhealthy,
            None => Health::Unknown,
        },
        safe_mode: published.as_ref().is_some_and(|published| published.safe_mode),
        boot: Boot {
            id: facts.boot,
            started: boot::started()
                .inspect_err(|e| log::warn!("when this boot was started is not known: {e:#}"))
                .ok(),
            loader: boot::loader(root),
            kind: boot::start(Duration::from_secs(5)),
        },
        snapshot: Snapshot {
            booted: facts.booted.map(|it| it.number),
            default: facts.default_now.map(|it| it.number),
            known_good: facts.record.readable().map(known_good).unwrap_or_default(),
            starts_without_verdict: match (facts.record.readable(), &facts.booted) {
                (Some(record), Some(booted)) => record.starts_of(booted),
                _ => 0,
            },
        },
        checks: published.as_ref().map(|it| it.checks.clone()).unwrap_or_default(),
        decision: published.map(|published| published.decision),
        if_it_fails: if_it_fails(&facts, &settings),
        rollback_target: rollback_target(&facts),
        last_rollback: facts.record.readable().and_then(|record| record.last_rollback.clone()),
        firstboot: firstboot(root),
        timers: timers(root),
        record_problem: match &facts.record {
            State::Unknown(why) => Some(why.clone()),
            State::Absent | State::Readable(_) => None,
        },
    }
}

/// The next start enters what is the default now; suppose a required check then
/// failed that never failed before.
fn if_it_fails(facts: &Facts, settings: &Settings) -> Decision {
    let next = Facts {
        booted: facts.default_now,
        default_at_start: facts.default_now,
        default_descends: false,
        judged: None,
        checks: vec![Outcome {
            name: "a required check".to_owned(),
            kind: String::new(),
            required: true,
            outcome: Ending::Fail,
            duration_ms: 0,
            message: String::new(),
            observed: std::collections::BTreeMap::new(),
        }],
        ..facts.clone()
    };
    (&decide(&next, policy(settings)).decision).into()
}

/// As it is done before a rollback, whatever the next failure may be.
fn look_at_target(root: &Root, facts: &mut Facts) {
    let newest = facts.record.readable().and_then(newest_target);
    for candidate in facts.present.iter_mut().flatten() {
        if Some(candidate.snapshot) == newest {
            *candidate = look(root, &candidate.snapshot);
        }
    }
}

fn newest_target(record: &Record) -> Option<SnapshotId> {
    record.known_good.iter().rev().find(|good| good.as_default).map(|good| good.snapshot)
}

/// Where a snapshot that is not known good would be rolled back to.
fn rollback_target(facts: &Facts) -> Option<Target> {
    let record = facts.record.readable()?;
    let newest = newest_target(record)?;
    let there = facts.present.iter().flatten().find(|it| it.snapshot == newest);
    let problems = match there {
        Some(candidate) => candidate.problems.clone(),
        None => vec!["it is not there any more".to_owned()],
    };
    Some(Target { snapshot: newest.number, ready: problems.is_empty(), problems })
}

fn timers(root: &Root) -> Vec<Timer> {
    if !root.is_live() {
        return Vec::new();
    }
    timers::all(Duration::from_secs(5)).unwrap_or_else(|e| {
        log::warn!("nothing is known of the timers: {e:#}");
        Vec::new()
    })
}

fn firstboot(root: &Root) -> Firstboot {
    let read = || -> anyhow::Result<Value> {
        let Some(text) = files::read_text(&root.join(FIRSTBOOT))? else { return Ok(Value::Null) };
        Ok(serde_json::from_str(&text)?)
    };
    let result = read().unwrap_or_else(|e| {
        log::warn!("{FIRSTBOOT}: {e:#}");
        Value::Null
    });
    let state = result.get("state").cloned().unwrap_or_else(|| "none".into());
    let take = |key: &str| result.get(key).cloned().unwrap_or(Value::Null);
    Firstboot {
        state,
        source: take("source"),
        instance_id: take("instance_id"),
        later: take("later"),
    }
}

impl Status {
    /// As one JSON object.
    ///
    /// # Errors
    /// Standard output does not take it.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }
}
