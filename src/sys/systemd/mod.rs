//! systemd through `systemctl`, which as root talks to PID 1 directly: it works
//! with no bus, with a broken one, and in the initrd. Only for reading many units
//! is the bus asked first, where there is one.

pub mod bus;
pub mod questions;
pub mod requests;
pub mod units;

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::command::{self, Output};

/// Where unit files are (systemd.unit(5)), the generators' own left out.
pub const UNIT_DIRS: [&str; 4] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// One unit's properties, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    pub(crate) fn parse(block: &str) -> Self {
        let pair = |line: &str| {
            line.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
        };
        Self(block.lines().filter_map(pair).collect())
    }

    /// A property's value; `None` where there is none, or an empty one.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// As [`Self::get`], with the empty text for none.
    pub fn text(&self, key: &str) -> String {
        self.get(key).unwrap_or_default().to_owned()
    }
}

/// The properties, separated by commas, of each loaded unit that fits one of
/// `patterns`; for names without `*` there is an answer each, in their order.
/// Times are seconds since 1970, with an `@` before them.
///
/// # Errors
/// systemctl does not run or does not answer in time.
pub fn show(properties: &str, patterns: &[&str], limit: Duration) -> Result<Vec<Properties>> {
    let property = format!("--property={properties}");
    let mut arguments = vec!["show", "--timestamp=unix", &property, "--"];
    arguments.extend(patterns);
    let output = systemctl(&arguments, limit)?;
    let blocks = output.stdout.split("\n\n").map(Properties::parse);
    Ok(blocks.filter(|properties| !properties.0.is_empty()).collect())
}

/// The units that have failed.
///
/// # Errors
/// systemctl does not run or does not answer in time.
pub fn failed(limit: Duration) -> Result<Vec<String>> {
    let arguments = ["list-units", "--state=failed", "--plain", "--no-legend", "--full"];
    let output = systemctl(&arguments, limit)?;
    let name = |line: &str| line.split_whitespace().next().map(str::to_owned);
    Ok(output.stdout.lines().filter_map(name).collect())
}

/// How often user space was started anew under this kernel: a boot id alone does
/// not tell one such boot from the next. systemd before 256 does not count them.
///
/// # Errors
/// systemctl does not run, or does not answer in time.
pub fn soft_reboots(limit: Duration) -> Result<u32> {
    let output = systemctl(&["show", "--property=SoftRebootsCount", "--value"], limit)?;
    Ok(output.stdout.trim().parse().unwrap_or(0))
}

/// Whether a shutdown is under way. If systemd does not answer, the question
/// cannot be the one that keeps a broken machine from being rebooted: no.
pub fn is_stopping(limit: Duration) -> bool {
    match command::run(Command::new("systemctl").arg("is-system-running"), limit) {
        Ok(output) => output.stdout.trim() == "stopping",
        Err(e) => {
            log::warn!("cannot ask systemd whether it is stopping: {e}");
            false
        }
    }
}

fn systemctl(arguments: &[&str], limit: Duration) -> Result<Output> {
    let output = command::run(Command::new("systemctl").args(arguments), limit)
        .context("cannot run systemctl")?;
    let what = arguments.first().unwrap_or(&"");
    ensure!(output.success(), "systemctl {what}: {}, {}", output.end, output.last_line());
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_property_is_none() {
        let unit = Properties::parse("Id=sshd.socket\nSlice=\nJunk\nExecStart={ path=/x ; }\n");
        assert_eq!((unit.get("Id"), unit.get("Slice")), (Some("sshd.socket"), None));
        assert_eq!(unit.text("ExecStart"), "{ path=/x ; }");
    }
}
