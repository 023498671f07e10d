//! Programs that are run in the system, and what is said of how they end.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};

use super::Content;
use crate::firstboot::zypper::{self, Ended};
use crate::sys::command::{End, Output};

/// Of what a program said at last, so many lines are told.
const MOST_LINES: usize = 12;
/// And so much of each, in characters.
const MOST_CHARS: usize = 200;

/// A program to run in the system.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The program and its arguments. No secrets.
    pub command: Vec<String>,
    /// Its standard input; `None` is an empty one.
    pub input: Option<Content>,
    /// After which it is killed.
    pub limit: Duration,
    /// How its end is to be understood.
    pub statuses: Statuses,
    /// What for, for people. No secrets.
    pub reason: String,
}

/// Which exit statuses are good ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// 0 alone.
    Zero,
    /// zypper's: [`zypper::ended`].
    Zypper,
}

impl Run {
    /// Whether it did what it was to do.
    ///
    /// # Errors
    /// It did not: how it ended, and the last lines that it printed.
    pub fn judge(&self, output: &Output) -> Result<()> {
        let why = match (self.statuses, output.end) {
            (Statuses::Zero, End::Exit(0)) => return Ok(()),
            (Statuses::Zypper, End::Exit(status)) => match zypper::ended(status) {
                Ended::Done => return Ok(()),
                Ended::Failed(why) => format!("{}, {why}", output.end),
            },
            (_, end) => end.to_string(),
        };
        let command = self.command.join(" ");
        match said(output) {
            lines if lines.is_empty() => bail!("{command} failed: {why}; it printed nothing"),
            lines => bail!("{command} failed: {why}; the last it said was:{lines}"),
        }
    }
}

/// The last lines, indented, each after a line end. The last stop is whoever's who goes on.
fn said(output: &Output) -> String {
    let mut text = String::new();
    for line in output.last_lines(MOST_LINES) {
        let line: String =
            line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_CHARS).collect();
        let _infallible = write!(text, "\n  {line}");
    }
    text.truncate(text.trim_end_matches('.').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(statuses: Statuses, end: End, stdout: &str, stderr: &str) -> String {
        let command = vec!["/bin/x".to_owned(), "y".to_owned()];
        let limit = Duration::from_secs(1);
        let run = Run { command, input: None, limit, statuses, reason: "try".to_owned() };
        let output = Output { end, stdout: stdout.to_owned(), stderr: stderr.to_owned() };
        run.judge(&output).map_or_else(|e| format!("{e:#}"), |()| "done".to_owned())
    }

    #[test]
    fn ends_are_understood_as_the_program_means_them() {
        let (zero, zypper) = (Statuses::Zero, Statuses::Zypper);
        let timeout = End::Timeout(Duration::from_secs(9));
        for (statuses, end, stdout, stderr, says) in [
            (zero, End::Exit(0), "", "warning", "done"),
            (zypper, End::Exit(102), "", "", "done"),
            (zero, End::Exit(102), "", "", "/bin/x y failed: exit status 102; it printed nothing"),
            (
                zypper,
                End::Exit(104),
                "Loading…",
                "\nfirst\n\n\x1b[1mNo provider\n",
                "/bin/x y failed: exit status 104, there is no such package, or not in this \
                 version; the last it said was:\n  first\n   [1mNo provider",
            ),
            (
                zypper,
                timeout,
                "Retrieving.\n",
                "",
                "/bin/x y failed: no end within 9 s, killed; the last it said was:\n  Retrieving",
            ),
        ] {
            assert_eq!(judged(statuses, end, stdout, stderr), says);
        }
    }

    #[test]
    fn of_endless_output_little_is_told() {
        let long = format!("{}\n", "x".repeat(10_000)).repeat(100);
        let told = judged(Statuses::Zero, End::Exit(1), "", &long);
        assert!(told.len() < 3000 && told.lines().count() == 13, "{}", told.len());
    }
}
