//! The kernel did not fail since it started: the bits of
//! /proc/sys/kernel/tainted that stand for a defect (tainted-kernels.rst), not
//! those that stand for a module somebody chose.

use serde::{Deserialize, Serialize};

use super::value::On;
use super::{Check, Context, Finding, Keyed};

/// Bit, letter, and what happened.
const DEFECTS: [(u32, char, &str); 4] = [
    (4, 'M', "a machine check"),
    (5, 'B', "a bad page"),
    (7, 'D', "an oops"),
    (14, 'L', "a soft lockup"),
];
/// A warning: many kernels print one without any harm.
const WARNING: (u32, char, &str) = (9, 'W', "a warning");

/// `{kernel: true, warnings: true}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kernel {
    kernel: On,
    /// Whether a warning is a failure as well.
    #[serde(default)]
    warnings: bool,
}

impl Keyed for Kernel {
    const KEY: &'static str = "kernel";
}

impl Check for Kernel {
    fn look(&self, context: &Context) -> Finding {
        if context.root.join("/run/systemd/container").exists() {
            return Finding::skip("in a container the kernel is another system's");
        }
        match context.text("/proc/sys/kernel/tainted") {
            Ok(text) => judge(text.trim(), self.warnings),
            Err(e) => e.into(),
        }
    }
}

fn judge(text: &str, warnings: bool) -> Finding {
    let Ok(tainted) = text.parse::<u64>() else {
        return Finding::fail(format!("/proc/sys/kernel/tainted is {text:?}"));
    };
    let happened: Vec<_> = DEFECTS
        .into_iter()
        .chain(warnings.then_some(WARNING))
        .filter(|(bit, ..)| tainted & (1 << bit) != 0)
        .map(|(_, letter, what)| format!("{what} ({letter})"))
        .collect();
    match (happened.as_slice(), tainted) {
        ([], 0) => Finding::pass("not tainted"),
        ([], _) => Finding::pass(format!("tainted {tainted}, by no defect")),
        (happened, _) => {
            Finding::fail(format!("since its start: {}; see `dmesg`", happened.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defects_are_told_from_choices() {
        for (tainted, warnings, message) in [
            ("0", false, "not tainted"),
            ("4097", false, "tainted 4097, by no defect"),
            ("512", false, "tainted 512, by no defect"),
            ("512", true, "since its start: a warning (W); see `dmesg`"),
            ("144", false, "since its start: a machine check (M), an oops (D); see `dmesg`"),
            ("x", false, "/proc/sys/kernel/tainted is \"x\""),
        ] {
            assert_eq!(judge(tainted, warnings).message, message);
        }
    }
}
