//! No unit has failed, but for those that may.

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};
use crate::sys::systemd;

/// `{failed_units: true, allow: [a.service]}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailedUnits {
    failed_units: On,
    #[serde(default)]
    allow: Vec<String>,
}

/// They fail when a script of first boot does: that is told, but says nothing of the snapshot,
/// and going back to another one would not help the script.
const NOT_THE_SNAPSHOTS: [&str; 2] =
    ["health-checker-boot.service", "health-checker-final.service"];

impl Keyed for FailedUnits {
    const KEY: &'static str = "failed_units";
}

impl Check for FailedUnits {
    fn look(&self, context: &Context) -> Finding {
        match systemd::failed(context.timeout) {
            Ok(failed) => judge(&failed, &self.allow),
            Err(e) => e.into(),
        }
    }
}

fn judge(failed: &[String], allow: &[String]) -> Finding {
    let may = |unit: &String| {
        NOT_THE_SNAPSHOTS.contains(&unit.as_str())
            || allow
                .iter()
                .any(|name| name == unit || Some(name.as_str()) == unit.strip_suffix(".service"))
    };
    let (allowed, failed): (Vec<_>, Vec<_>) = failed.iter().cloned().partition(may);
    match (failed.as_slice(), allowed.as_slice()) {
        ([], []) => Finding::pass("no unit has failed"),
        ([], allowed) => Finding::pass(format!("only what may: {}", allowed.join(", "))),
        (failed, _) => Finding::fail(format!("failed: {}", failed.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_ones_may_fail() {
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        for (failed, message) in [
            (names(&[]), "no unit has failed"),
            (names(&["a.service", "b.mount"]), "only what may: a.service, b.mount"),
            (names(&["a.service", "c.service"]), "failed: c.service"),
            (
                names(&["health-checker-final.service"]),
                "only what may: health-checker-final.service",
            ),
        ] {
            assert_eq!(judge(&failed, &names(&["a", "b.mount"])).message, message);
        }
    }
}
