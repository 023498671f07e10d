//! The start did not take much longer than those of the last healthy boots.
//!
//! Measured from the start of PID 1 to that of this program, where systemd itself
//! started it; by hand, later, there is nothing to measure any more.

use anyhow::{Context as _, Result};
use nix::unistd::{Pid, SysconfVar, getppid, sysconf};
use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};

/// Under which the durations are in the record, in milliseconds.
const SEEN: &str = "boot_time_ms";
/// With fewer boots to compare with, nothing can be said.
const ENOUGH: usize = 3;
/// A start of two seconds that takes five is no news.
const SLACK_MS: u64 = 5000;

/// `{boot_time: true, factor: 2}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BootTime {
    boot_time: On,
    #[serde(default = "twice")]
    factor: u32,
}

fn twice() -> u32 {
    2
}

impl Keyed for BootTime {
    const KEY: &'static str = "boot_time";
}

impl Check for BootTime {
    fn required(&self) -> bool {
        false
    }

    fn look(&self, context: &Context) -> Finding {
        if getppid() != Pid::from_raw(1) {
            return Finding::skip("measured when systemd starts the assessment");
        }
        match measured(context) {
            Ok(ms) => judge(ms, &before(context), self.factor).noting(SEEN, ms.to_string()),
            Err(e) => e.into(),
        }
    }
}

fn before(context: &Context) -> Vec<u64> {
    context.baseline().all(SEEN).iter().filter_map(|ms| ms.parse().ok()).collect()
}

fn measured(context: &Context) -> Result<u64> {
    let ticks = sysconf(SysconfVar::CLK_TCK)?.and_then(|it| u64::try_from(it).ok()).unwrap_or(100);
    let start = |process: &str| started(&context.text(&format!("/proc/{process}/stat"))?);
    Ok(start("self")?.saturating_sub(start("1")?) * 1000 / ticks)
}

/// The start time of a process, in ticks: the 22nd field (`proc_pid_stat(5)`). The
/// second one, the program's name, may hold anything.
fn started(stat: &str) -> Result<u64> {
    let after_name = stat.rsplit_once(") ").map(|(_, after)| after);
    let field = after_name.and_then(|after| after.split(' ').nth(19)?.parse().ok());
    field.with_context(|| format!("no start time in {stat:?}"))
}

fn judge(ms: u64, before: &[u64], factor: u32) -> Finding {
    let seconds = |ms: u64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    let seen = seconds(ms);
    if before.len() < ENOUGH {
        return Finding::pass(format!("{seen}; too few healthy boots to compare with"));
    }
    let mut sorted = before.to_vec();
    sorted.sort_unstable();
    let median = sorted[sorted.len() / 2];
    let most = (median * u64::from(factor)).max(median + SLACK_MS);
    let seen = format!("{seen}, the last healthy boots took {}", seconds(median));
    Finding::when(ms <= most, seen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::Ending;

    #[test]
    fn slower_by_the_factor_fails_and_a_few_seconds_do_not() {
        let ending = |ms, before: &[u64]| judge(ms, before, 2).ending;
        assert_eq!(ending(90_000, &[]), Ending::Pass);
        assert_eq!(ending(90_000, &[20_000, 21_000]), Ending::Pass);
        assert_eq!(ending(41_000, &[20_000, 300_000, 21_000]), Ending::Pass);
        assert_eq!(ending(43_000, &[20_000, 300_000, 21_000]), Ending::Fail);
        assert_eq!(ending(6000, &[1000, 1000, 1000]), Ending::Pass);
        assert_eq!(
            judge(43_000, &[20_000, 22_000, 21_500], 2).message,
            "43.0 s, the last healthy boots took 21.5 s"
        );
    }

    #[test]
    fn a_program_name_may_hold_anything() {
        let fields: Vec<_> = (3..=30).map(|n| n.to_string()).collect();
        let stat = format!("1 (a ) b) {}", fields.join(" "));
        assert_eq!(started(&stat).unwrap(), 22);
        assert!(started("1 (short) S").is_err());
    }
}
