//! The timers that change snapshots behind an administrator's back, and when
//! they run next.

use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;

use crate::sys::systemd::{self, Properties};

/// Updates, clean-up, snapper's own.
const TIMERS: [&str; 6] = [
    "transactional-update.timer",
    "transactional-update-cleanup.timer",
    "snapper-cleanup.timer",
    "snapper-timeline.timer",
    "snapper-boot.timer",
    "health-checker-deadline.timer",
];

/// One timer that this system has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timer {
    /// Its unit's name.
    pub name: String,
    /// Whether it is enabled, or pulled in by something that is.
    pub enabled: bool,
    /// When it runs next; `None` if it does not.
    pub next: Option<Timestamp>,
    /// How its service ended the last time, `success` for example.
    pub last_result: Option<String>,
}

/// The timers of this system, in a fixed order.
///
/// # Errors
/// systemd does not answer.
pub fn all(limit: Duration) -> Result<Vec<Timer>> {
    let properties = "Id,LoadState,UnitFileState,ActiveState,NextElapseUSecRealtime";
    let shown = systemd::show(properties, &TIMERS, limit)?;
    let mut timers: Vec<_> = shown.iter().filter_map(timer).collect();
    let service = |timer: &Timer| timer.name.replace(".timer", ".service");
    let services: Vec<_> = timers.iter().map(service).collect();
    let services: Vec<_> = services.iter().map(String::as_str).collect();
    if !services.is_empty() {
        for (timer, shown) in timers.iter_mut().zip(systemd::show("Result", &services, limit)?) {
            timer.last_result = shown.get("Result").map(str::to_owned);
        }
    }
    Ok(timers)
}

fn timer(shown: &Properties) -> Option<Timer> {
    if shown.get("LoadState") != Some("loaded") {
        return None;
    }
    let seconds = |text: &str| text.strip_prefix('@')?.parse::<i64>().ok();
    let enabled = matches!(shown.get("UnitFileState"), Some("enabled" | "enabled-runtime"))
        || shown.get("ActiveState") == Some("active");
    Some(Timer {
        name: shown.get("Id")?.to_owned(),
        enabled,
        next: shown
            .get("NextElapseUSecRealtime")
            .and_then(seconds)
            .and_then(|seconds| Timestamp::from_second(seconds).ok()),
        last_result: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_read_and_one_that_is_not_there_is_left_out() {
        let block = "Id=snapper-cleanup.timer\nLoadState=loaded\nUnitFileState=enabled\n\
                     ActiveState=active\nNextElapseUSecRealtime=@1763800000";
        let timer = timer(&Properties::parse(block)).unwrap();
        assert!(timer.enabled);
        assert_eq!(timer.next.unwrap().to_string(), "2025-11-22T08:26:40Z");
        assert_eq!(super::timer(&Properties::parse("Id=x.timer\nLoadState=not-found")), None);
    }
}
