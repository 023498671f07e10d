//! Runs tasks side by side, each within its limits: a few threads at a time, and
//! one batch for all checks of units. Whatever a task does, hang or panic, there
//! is an outcome for it: a thread that does not come back is left behind and
//! does not count as one of the few any more.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::{Check, Context, Ending, Finding, Outcome, UnitCheck};
use crate::sys::systemd::units::{self, Unit};

/// Looks that are under way at the same time. Most wait for something else.
const AT_ONCE: usize = 16;

/// How long after a failed try the next one begins: nothing announces that a
/// program will answer differently now. Shorter at first, as what is late is
/// mostly a little late.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What a task may need beyond its time limit to kill its program and to say so.
const GRACE: Duration = Duration::from_secs(2);

/// Something to run.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) required: bool,
    pub(super) timeout: Duration,
    pub(super) retry_for: Duration,
    /// Whether only the program itself asks for this check: it is skipped where
    /// the system lacks what it is about.
    pub(super) built_in: bool,
    pub(super) check: Arc<dyn Check>,
}

impl Task {
    pub(super) fn outcome(&self, finding: Finding, took: Duration) -> Outcome {
        Outcome {
            name: self.name.clone(),
            kind: self.kind.to_owned(),
            required: self.required,
            outcome: finding.ending,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            message: finding.message,
            observed: finding.observed,
        }
    }
}

/// Tasks that are looked at in one go: units that have the same time limit, or
/// a single one of anything else.
struct Job {
    tasks: Vec<Task>,
    timeout: Duration,
    started: Instant,
    pause: Duration,
}

/// A job in the hands of a thread.
struct Running {
    id: usize,
    job: Job,
    until: Instant,
}

type Report = (usize, Vec<Finding>);

struct Scheduler {
    context: Context,
    ready: VecDeque<Job>,
    later: Vec<(Instant, Job)>,
    running: Vec<Running>,
    next_id: usize,
    sender: Sender<Report>,
    outcomes: Vec<Outcome>,
}

/// Runs all of them; the outcomes are in no order.
pub(super) fn side_by_side(tasks: Vec<Task>, context: &Context) -> Vec<Outcome> {
    let (sender, reports) = mpsc::channel();
    let mut scheduler = Scheduler {
        context: context.clone(),
        ready: jobs(tasks),
        later: Vec::new(),
        running: Vec::new(),
        next_id: 0,
        sender,
        outcomes: Vec::new(),
    };
    scheduler.run(&reports);
    scheduler.outcomes
}

/// Units come first: others may take long.
fn jobs(tasks: Vec<Task>) -> VecDeque<Job> {
    let job = |tasks, timeout| Job { tasks, timeout, started: Instant::now(), pause: FIRST_PAUSE };
    let (units, others): (Vec<_>, Vec<_>) =
        tasks.into_iter().partition(|task| task.check.unit().is_some());
    let mut jobs: VecDeque<Job> = VecDeque::new();
    for task in units {
        match jobs.iter_mut().find(|job| job.timeout == task.timeout) {
            Some(job) => job.tasks.push(task),
            None => jobs.push_back(job(vec![task.clone()], task.timeout)),
        }
    }
    jobs.extend(others.into_iter().map(|task| job(vec![task.clone()], task.timeout)));
    jobs
}

impl Scheduler {
    fn run(&mut self, reports: &Receiver<Report>) {
        loop {
            self.start_ready();
            let next = self.running.iter().map(|it| it.until);
            let Some(next) = next.chain(self.later.iter().map(|(at, _)| *at)).min() else {
                return; // nothing runs, nothing waits
            };
            match reports.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok((id, findings)) => self.finished(id, findings),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.overdue(),
            }
        }
    }

    fn start_ready(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        self.ready.extend(due.into_iter().map(|(_, job)| job));
        while self.running.len() < AT_ONCE {
            let Some(job) = self.ready.pop_front() else { return };
            self.start(job);
        }
    }

    fn start(&mut self, mut job: Job) {
        let id = self.next_id;
        self.next_id += 1;
        if job.pause == FIRST_PAUSE {
            job.started = Instant::now(); // its time in the queue is not its own
        }
        let (tasks, sender) = (job.tasks.clone(), self.sender.clone());
        let context = self.context.within(job.timeout);
        let work = move || {
            let looked = catch_unwind(AssertUnwindSafe(|| look(&tasks, &context)));
            let findings = looked.unwrap_or_else(|_| {
                let crashed = Finding::fail("the check itself crashed; please report it");
                vec![crashed; tasks.len()]
            });
            // Nobody listens any more if it took too long.
            let _too_late = sender.send((id, findings));
        };
        match thread::Builder::new().spawn(work) {
            Ok(_) => {
                let until = Instant::now() + job.timeout + GRACE;
                self.running.push(Running { id, job, until });
            }
            Err(e) => {
                let failed = Finding::fail(format!("cannot start a thread: {e}"));
                for task in &job.tasks {
                    self.outcomes.push(task.outcome(failed.clone(), Duration::ZERO));
                }
            }
        }
    }

    /// What passed, or may not be tried again, has its outcome.
    fn finished(&mut self, id: usize, findings: Vec<Finding>) {
        let Some(at) = self.running.iter().position(|it| it.id == id) else { return };
        let mut job = self.running.swap_remove(at).job;
        let took = job.started.elapsed();
        let mut again = Vec::new();
        for (task, finding) in job.tasks.drain(..).zip(findings) {
            let finding = settle(&task, finding, &self.context);
            let passed = matches!(finding.ending, Ending::Pass | Ending::Skip);
            if passed || took + job.pause > task.retry_for {
                self.outcomes.push(task.outcome(finding, took));
            } else {
                again.push(task);
            }
        }
        if !again.is_empty() {
            let at = Instant::now() + job.pause;
            let pause = (job.pause * 2).min(LONGEST_PAUSE);
            self.later.push((at, Job { tasks: again, pause, ..job }));
        }
    }

    fn overdue(&mut self) {
        let now = Instant::now();
        let (overdue, running): (Vec<_>, Vec<_>) =
            self.running.drain(..).partition(|it| it.until <= now);
        self.running = running;
        for Running { job, .. } in overdue {
            let limit = job.timeout.as_secs_f32();
            for task in &job.tasks {
                let late = Finding::timeout(format!("no answer within {limit} s"));
                self.outcomes.push(task.outcome(late, job.started.elapsed()));
            }
        }
    }
}

/// One finding a task.
fn look(tasks: &[Task], context: &Context) -> Vec<Finding> {
    let units: Vec<_> = tasks.iter().filter_map(|task| task.check.unit()).collect();
    if units.is_empty() {
        return tasks.iter().map(|task| task.check.look(context)).collect();
    }
    let names: BTreeSet<_> = units.iter().map(|unit| unit.name()).collect();
    let names: Vec<_> = names.into_iter().collect();
    let said = match units::units(&names, context.timeout) {
        Ok(said) => said,
        Err(e) => return vec![Finding::from(e); tasks.len()],
    };
    let said: BTreeMap<_, _> = names.into_iter().zip(&said).collect();
    let nothing = Unit::default();
    let judge = |unit: &&dyn UnitCheck| unit.judge(said.get(unit.name()).unwrap_or(&&nothing));
    units.iter().map(judge).collect()
}

/// What a built-in check is about, and the system never had, is nothing to fail
/// for. What was there when the system was last healthy is.
fn settle(task: &Task, finding: Finding, context: &Context) -> Finding {
    if !task.built_in {
        return finding;
    }
    let what = format!("built-in.{}", task.name);
    match (finding.absent, context.baseline().last(&what)) {
        (true, None) => Finding::skip(finding.message),
        (true, Some(_)) => {
            Finding::fail(format!("{}; it was there at the last healthy boot", finding.message))
        }
        (false, _) if finding.ending == Ending::Pass => finding.noting(what, "there"),
        (false, _) => finding,
    }
}
