//! The boot assessment from end to end: gather, decide, publish, act.

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::checks::{Ending, Outcome, run};
use super::decide;
use super::execute::{Effects, execute, fulfil as fulfil_steps};
use super::facts::{Candidate, Facts, Mode};
use super::gather::Before;
use super::machine::Machine;
use super::manual::{self, Wish};
use super::plan::{Alert, End, Event, Plan};
use super::preflight::{Preflight, decide_looking};
use super::published::Published;
use super::start::told::Told;
use super::{alert, gather, soak};
use crate::record::{SnapshotId, handoff};
use crate::settings::{self, Settings};
use crate::snapshot::Snapshots;
use crate::sys::files::Root;

/// What to do with the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Carry it out, if this boot has no verdict yet.
    OnceABoot,
    /// Carry it out in any case.
    Again,
    /// Only show it.
    DryRun,
    /// Run no checks: the time for a verdict is over.
    Overdue,
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Assessed {
    /// The command line or the settings say `off`.
    Off,
    /// The facts, and the plan that was made, and, but for a dry run, carried out.
    Done(Box<(Facts, Plan)>),
    /// A defect of ours: services were shut down and people alerted.
    Crashed,
}

/// Assesses the running system.
pub fn assess(root: &Root, how: How) -> Assessed {
    let settings = settings::read(root);
    let made = catch_unwind(AssertUnwindSafe(|| plan(root, &settings, how)));
    let (facts, plan) = match made {
        Ok(Some(made)) => made,
        Ok(None) => return Assessed::Off,
        Err(_) if how == How::DryRun => return Assessed::Crashed,
        Err(_) => {
            crashed(root, &settings);
            return Assessed::Crashed;
        }
    };
    if how != How::DryRun {
        act(root, &settings, &facts, &plan);
    }
    Assessed::Done(Box::new((facts, plan)))
}

fn plan(root: &Root, settings: &Settings, how: How) -> Option<(Facts, Plan)> {
    let control = gather::control(settings, how == How::Again);
    if control.mode == Mode::Off {
        return None;
    }
    let before = gather::before(root);
    let checks = match how {
        // The initrd has given this start up: it goes to safe mode as it is.
        _ if before.judged.is_none() && gather::given_up(root).is_some() => Vec::new(),
        How::Overdue => vec![overdue(settings.policy.verdict_due())],
        How::DryRun => run::all(settings, root, &[]),
        // Who asks again is told what is so now.
        How::OnceABoot | How::Again if before.judged.is_some() => run::all(settings, root, &[]),
        How::OnceABoot | How::Again => soak::checks(settings, root),
    };
    let mut facts = gather::facts(root, control, checks, before);
    let plan = decide_looking(&mut facts, policy(settings), |it| look(root, it));
    Some((facts, plan))
}

/// Looks at a snapshot that may be gone back to.
pub fn look(root: &Root, snapshot: &SnapshotId) -> Candidate {
    let snapshots = Snapshots::at(root.join(gather::SNAPSHOTS));
    match Preflight::of_system(root, snapshots) {
        Ok(preflight) => preflight.of_target(snapshot),
        Err(e) => Candidate {
            snapshot: *snapshot,
            problems: vec![format!("it cannot be looked at: {e:#}")],
            fits_kernel: false,
        },
    }
}

/// Makes the plan for what an administrator asks for.
///
/// # Errors
/// Why it is refused.
pub fn for_wish(root: &Root, wish: Wish) -> Result<Plan, String> {
    let settings = settings::read(root);
    let control = gather::control(&settings, true);
    let mut facts = gather::facts(root, control, Vec::new(), Before::default());
    if matches!(wish, Wish::Rollback { .. }) {
        for candidate in facts.present.iter_mut().flatten() {
            *candidate = look(root, &candidate.snapshot);
        }
    }
    manual::plan(&facts, policy(&settings), wish)
}

/// Takes back that this start was counted, if it comes to no verdict.
///
/// # Errors
/// The record cannot be written: the start stays counted.
pub fn ended(root: &Root) -> Result<()> {
    let settings = settings::read(root);
    let control = gather::control(&settings, false);
    let facts = gather::facts(root, control, Vec::new(), Before::default());
    fulfil(root, &decide::ended(&facts))
}

/// Carries such a plan out, unlike a verdict only to its first failure.
///
/// # Errors
/// The step that failed; those before it are done.
pub fn fulfil(root: &Root, plan: &Plan) -> Result<()> {
    let _lock = lock(root)?.context("a verdict is being carried out; try again when it is")?;
    fulfil_steps(plan, &mut Machine::new(root, &settings::read(root).alerts))
}

/// A deadline that passed counts as a check that failed.
fn overdue(deadline: Duration) -> Outcome {
    Outcome {
        name: "deadline".to_owned(),
        kind: "deadline".to_owned(),
        required: true,
        outcome: Ending::Timeout,
        duration_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
        message: format!("no verdict within {}", humantime::format_duration(deadline)),
        observed: BTreeMap::new(),
    }
}

/// What the rules need of the settings.
pub fn policy(settings: &Settings) -> decide::Policy {
    decide::Policy {
        keep: settings.policy.keep,
        unfinished_boots: settings.policy.unfinished_boots,
    }
}

/// Publishes first: once the plan ends, nobody may be left to do it. A boot that
/// has its verdict keeps it.
fn act(root: &Root, settings: &Settings, facts: &Facts, plan: &Plan) {
    // The deadline may pass while the checks still run: only one of them decides.
    let _lock = match lock(root) {
        Ok(Some(lock)) => Some(lock),
        Ok(None) => {
            log::warn!("another verdict on this boot is being carried out already");
            return;
        }
        Err(e) => {
            log::error!("going on without a lock: {e:#}");
            None
        }
    };
    let judged = facts.judged.or_else(|| gather::before(root).judged);
    if judged.is_some() && !facts.control.act_again {
        return;
    }
    tell_of_start(root, settings);
    let mut published = Published::new(facts, plan);
    published.safe_mode = plan.end == End::SafeMode;
    publish(root, &published);
    if plan.healthy
        && let Err(e) = alert::withdraw(root)
    {
        log::warn!("an alert of before is still shown: {e:#}");
    }
    for check in facts.checks.iter().filter(|check| check.condemns()) {
        log::error!("{} failed: {}", check.name, check.message);
    }
    if plan.healthy {
        alert::healthy(root, &plan.decision.reason);
    } else {
        log::info!("{}: {}", plan.decision.action, plan.decision.reason);
    }
    let end = execute(plan, &mut Machine::new(root, &settings.alerts));
    if (end == End::SafeMode) != published.safe_mode {
        published.safe_mode = end == End::SafeMode;
        publish(root, &published);
    }
}

/// What the initrd did could not be told from there.
fn tell_of_start(root: &Root, settings: &Settings) {
    let told = gather::known("what the initrd did", Told::read(root)).unwrap_or_default();
    if let Some(alert) = told.alert
        && let Err(e) = alert::alert(root, &settings.alerts, &alert)
    {
        log::error!("not everybody knows what the initrd did: {e:#}");
    }
}

/// The right to act, until it is dropped; `None` if another process has it.
fn lock(root: &Root) -> Result<Option<Flock<File>>> {
    let path = root.join(handoff::DIR).join("lock");
    let open = || {
        std::fs::create_dir_all(root.join(handoff::DIR))?;
        File::options().create(true).append(true).open(&path)
    };
    let file = open().with_context(|| format!("cannot open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, e)) => Err(e).with_context(|| format!("cannot lock {}", path.display())),
    }
}

fn publish(root: &Root, published: &Published) {
    if let Err(e) = published.write(root) {
        log::error!("`health-checker status` will not know of this verdict: {e:#}");
    }
}

/// The decision where none could be made. No reboot: nothing was counted.
fn crashed(root: &Root, settings: &Settings) {
    let mut machine = Machine::new(root, &settings.alerts);
    let alert = Alert {
        event: Event::SafeMode,
        failed: vec!["health-checker itself: it crashed before it could decide".to_owned()],
        done: End::SafeMode.to_string(),
        advice: "see the journal of health-checker.service, and please report it".to_owned(),
    };
    for result in [machine.alert(&alert), machine.safe_mode()] {
        if let Err(e) = result {
            log::error!("{e:#}");
        }
    }
}
