//! Runs the tasks, one after the other: what has run is not run again, what fails keeps nothing
//! else from being tried, and what hangs leaves the others their time.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::marks::Marks;
use super::order::Task;
use super::report::Failure;

/// Who does the work.
pub(super) trait Worker {
    /// Does it, within this time.
    fn work(&mut self, task: &Task, limit: Duration) -> Result<()>;
    /// Whether the system is being shut down.
    fn is_stopping(&mut self) -> bool;
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Ran {
    /// What failed now.
    pub(super) failed: Vec<Failure>,
    /// A shutdown came in between.
    pub(super) stopped: bool,
}

/// Runs what is due.
pub(super) fn run_all(
    tasks: &[Task],
    marks: &Marks,
    limit: Duration,
    worker: &mut dyn Worker,
) -> Ran {
    let deadline = Instant::now() + limit;
    let due: Vec<&Task> = tasks.iter().filter(|task| marks.is_due(task)).collect();
    let mut ran = Ran::default();
    for (at, task) in due.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = share(left, limit, due.len(), due.len() - at - 1);
        if let Err(e) = run(task, marks, share, worker) {
            let reason = format!("{e:#}");
            log::error!("{} failed: {reason}", task.name);
            ran.failed.push(Failure { name: task.name.clone(), reason });
        }
        // A script may end the machine's run: what comes next belongs to the next boot.
        if at + 1 < due.len() && worker.is_stopping() {
            ran.stopped = true;
            break;
        }
    }
    ran
}

fn run(task: &Task, marks: &Marks, limit: Duration, worker: &mut dyn Worker) -> Result<()> {
    // Without a mark it might run again at the next boot: then rather not at all.
    marks.begin(task)?;
    log::info!("running {}", task.name);
    let result = worker.work(task, limit);
    let noted = marks.end(task, result.as_ref().err().map(|e| format!("{e:#}")));
    result.and(noted)
}

/// How long one of `count` tasks may take when `after` more are to come. Half of the whole time is
/// kept for all of them in equal parts, so that one that hangs takes nobody's part; the rest is
/// for whoever needs it.
fn share(left: Duration, whole: Duration, count: usize, after: usize) -> Duration {
    let (count, after) =
        (u32::try_from(count).unwrap_or(u32::MAX), u32::try_from(after).unwrap_or(u32::MAX));
    let part = whole / 2 / count.max(1);
    left.saturating_sub(part.saturating_mul(after)).max(part.min(left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hangs_takes_nobody_elses_time() {
        let s = Duration::from_secs;
        for (left, after, expected) in [
            (3600, 0, 3600),
            // All of it but the parts of the other two.
            (3600, 2, 2400),
            (1200, 1, 600),
            (600, 0, 600),
            (0, 1, 0),
        ] {
            assert_eq!(share(s(left), s(3600), 3, after), s(expected), "{left} {after}");
        }
    }
}
