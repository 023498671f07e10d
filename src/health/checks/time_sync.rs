//! The clock is set by a time service.

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::clock;

/// Where systemd-timesyncd says so; the kernel's word comes later there.
const TIMESYNCD: &str = "/run/systemd/timesync/synchronized";

/// `{time_sync: true}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimeSync {
    time_sync: On,
}

impl Keyed for TimeSync {
    const KEY: &'static str = "time_sync";
}

impl Check for TimeSync {
    fn required(&self) -> bool {
        false
    }

    fn look(&self, context: &Context) -> Finding {
        if context.root.join(TIMESYNCD).exists() {
            return Finding::pass("systemd-timesyncd has set the clock");
        }
        match clock::is_synchronised() {
            Ok(true) => Finding::pass("the clock is synchronised"),
            Ok(false) => Finding::fail("no time service has set the clock"),
            Err(e) => e.into(),
        }
    }
}
