//! The deadline has passed: is there a reason to go on waiting, and until when.
//!
//! [`look`] reads, [`hold`] decides, and what is here waits, for events of the
//! kernel: questions that are answered, processes that end. So it needs neither
//! D-Bus nor logind, which an update may have broken.

pub mod hold;
mod look;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::poll::{PollTimeout, poll};

use super::alert;
use super::gather::{self, known};
use crate::record::handoff;
use crate::settings::{self, Policy};
use crate::sys::files::Root;
use crate::sys::systemd::questions;
use crate::sys::watch::{self, Process, Watch};
use hold::{Limits, Next, Seen, Span};
use look::Look;

/// A look at least so often. The end of what holds the deadline is an event; this
/// is for one that was lost, and for kernels without the file that has it.
const AGAIN: Duration = Duration::from_secs(60);

/// How the wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// The time is over, and there is no verdict.
    Over,
    /// A verdict was reached meanwhile.
    Verdict,
}

/// Waits as long as the deadline is held, and then as long as the boot still has.
/// Never fails: without an answer the time is over.
pub fn wait(root: &Root) -> Waited {
    if !root.is_live() {
        return Waited::Over;
    }
    let policy = settings::read(root).policy;
    match catch_unwind(AssertUnwindSafe(|| Waiting::begin(root, policy)?.until_it_ends())) {
        Ok(Ok(waited)) => waited,
        Ok(Err(e)) => {
            log::error!("cannot find out whether the deadline is held: {e:#}");
            Waited::Over
        }
        Err(_) => Waited::Over,
    }
}

struct Waiting<'a> {
    root: &'a Root,
    limits: Limits,
    /// From when the deadline counts.
    since: Duration,
    /// `None` where the kernel has none to give.
    watch: Option<Watch>,
    /// When it was held, as far as that was seen.
    held: Vec<Span>,
    /// What people were told already.
    told: Vec<String>,
}

impl<'a> Waiting<'a> {
    fn begin(root: &'a Root, policy: Policy) -> Result<Self> {
        let now = watch::monotonic()?;
        let armed = known("when the deadline began to count", look::armed()).flatten();
        Ok(Self {
            root,
            limits: Limits { deadline: policy.deadline, last_stage: policy.firstboot_deadline },
            since: armed.unwrap_or(now.saturating_sub(policy.deadline)),
            watch: known("what changes", Watch::new()),
            held: Vec::new(),
            told: Vec::new(),
        })
    }

    fn until_it_ends(mut self) -> Result<Waited> {
        let mut held_since = None;
        loop {
            if gather::before(self.root).judged.is_some() {
                return Ok(Waited::Verdict);
            }
            let now = watch::monotonic()?;
            let look = look::look(self.root, now);
            // What changed between the look and the watch would not be seen.
            if self.watch_all(&look) {
                continue;
            }
            let was_held = held_since.take();
            self.held.extend(was_held.map(|begin| Span { begin, end: now }));
            let (limit, askers) = match hold::next(&self.seen(now, &look), self.limits) {
                Next::Over => return Ok(Waited::Over),
                Next::Wait(left) => {
                    if was_held.is_some() {
                        let left = Duration::from_secs(left.as_secs());
                        let left = humantime::format_duration(left);
                        log::warn!("the deadline is no longer held: {left} left");
                    }
                    (left, &[][..])
                }
                Next::Held { why, since, until } => {
                    self.tell(&format!("no verdict on this boot yet: {why}"));
                    held_since = Some(since);
                    let limit = until.map_or(AGAIN, |end| end.saturating_sub(now).min(AGAIN));
                    (limit, &look.askers[..])
                }
            };
            self.pause(askers, limit)?;
        }
    }

    fn seen(&self, now: Duration, look: &Look) -> Seen {
        Seen {
            now,
            since: self.since,
            questions: look.questions.clone(),
            work: look.work.clone(),
            held: self.held.clone(),
        }
    }

    /// Watches where the end shows; whether that is more than before.
    fn watch_all(&mut self, look: &Look) -> bool {
        let Some(watch) = &mut self.watch else { return false };
        let mut paths = look.files.clone();
        paths.push(self.root.join(questions::DIR));
        // Where a verdict is published.
        paths.push(self.root.join(handoff::DIR));
        let mut more = false;
        for path in paths {
            more |= known("what changes", watch.add(&path)).unwrap_or(false);
        }
        more
    }

    fn pause(&self, askers: &[Process], limit: Duration) -> Result<()> {
        let Some(watch) = &self.watch else {
            let limit = PollTimeout::try_from(limit.min(AGAIN)).unwrap_or(PollTimeout::MAX);
            return poll(&mut [], limit).map(drop).context("poll");
        };
        let askers: Vec<_> = askers.iter().collect();
        watch.wait(&askers, limit)
    }

    /// Once each: to the journal, and to whoever wonders in front of the machine.
    fn tell(&mut self, text: &str) {
        if self.told.iter().any(|told| told == text) {
            return;
        }
        log::warn!("{text}");
        known("whether the console was told", alert::on_consoles(self.root, text));
        self.told.push(text.to_owned());
    }
}
