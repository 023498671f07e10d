//! A seed applied to a tree: interpreted, planned, and its changes made.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::cloud_config::Defaults;
use super::interpret::{Fetch, interpret};
use super::plan::{Plan, Run, plan};
use super::problem::Problem;
use super::seed::Seed;
use crate::sys::command;
use crate::sys::fetch::Fetcher;
use crate::sys::files::{MAX_FILE, Root};
use crate::sys::tree::Tree;

/// For what a configuration names elsewhere.
const LIMIT: Duration = Duration::from_secs(120);

/// All that there is to know before anything is changed.
#[derive(Debug)]
pub struct Ready {
    /// What would be changed.
    pub plan: Plan,
    /// What is wrong, by place.
    pub problems: Vec<Problem>,
}

impl Ready {
    /// Whether it may be applied.
    pub fn is_applicable(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }

    /// The errors, a line each.
    pub fn errors(&self) -> String {
        let errors = self.problems.iter().filter(|it| it.is_error()).map(ToString::to_string);
        errors.collect::<Vec<_>>().join("\n")
    }
}

/// Interprets a seed, and plans it for a tree.
pub fn ready(seed: &Seed, defaults: &Defaults, tree: &Tree, fetch: Fetch<'_>) -> Ready {
    let interpreted = interpret(seed, defaults, fetch);
    let (plan, more) = plan(&interpreted.configuration, tree);
    let mut problems = interpreted.problems;
    problems.extend(more);
    problems.sort_by(|a, b| a.place.cmp(&b.place));
    Ready { plan, problems }
}

/// Gets the `source` of a file.
///
/// # Errors
/// As [`Fetcher::fetch`].
pub fn get(url: &str, headers: &[(String, String)]) -> Result<Option<Vec<u8>>> {
    if !headers.is_empty() {
        bail!("headers of a source are not sent yet");
    }
    Fetcher { trusted: vec![Root::new("/")], limit: LIMIT, most: MAX_FILE }.fetch(url)
}

/// Runs a program with another root.
///
/// # Errors
/// It could not be started, or did not end well.
pub fn run_in(root: &Path, run: &Run) -> Result<()> {
    let mut command = Command::new("unshare");
    command.arg(format!("--root={}", root.display())).arg("--").args(&run.command);
    let output = command::run_with_echo(&mut command, run.limit, Some(command::to_stderr))
        .with_context(|| format!("cannot start {}", run.command.join(" ")))?;
    if output.success() {
        return Ok(());
    }
    bail!("{} failed: {}: {}", run.command.join(" "), output.end, output.last_line())
}
