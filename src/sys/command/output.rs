//! How a program ended, and what it said.

use std::fmt;
use std::time::Duration;

use nix::sys::signal::Signal;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With this exit status.
    Exit(i32),
    /// By this signal.
    Signal(i32),
    /// Not within its time limit; it and its process group were killed.
    Timeout(Duration),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit status {code}"),
            Self::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "killed by {signal}"),
                Err(_) => write!(f, "killed by signal {number}"),
            },
            Self::Timeout(limit) => write!(f, "no end within {} s, killed", limit.as_secs_f32()),
        }
    }
}

/// What a program left behind.
#[derive(Clone, Debug)]
pub struct Output {
    /// How it ended.
    pub end: End,
    /// The end of its standard output.
    pub stdout: String,
    /// The end of its standard error.
    pub stderr: String,
}

impl Output {
    /// Whether it ended with exit status 0.
    pub fn success(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// The last line that says something, standard error first.
    pub fn last_line(&self) -> &str {
        [&self.stderr, &self.stdout]
            .into_iter()
            .find_map(|text| text.lines().rev().find(|line| !line.trim().is_empty()))
            .unwrap_or("")
            .trim()
    }

    /// The last lines that say something, at most so many: of standard error, or of standard
    /// output if there are none there.
    pub fn last_lines(&self, most: usize) -> Vec<&str> {
        let lines = |text| {
            let lines = str::lines(text).map(str::trim_end).filter(|line| !line.is_empty());
            lines.collect::<Vec<_>>()
        };
        let found = [&self.stderr, &self.stdout].map(|text| lines(text));
        let mut lines = found.into_iter().find(|it| !it.is_empty()).unwrap_or_default();
        lines.split_off(lines.len().saturating_sub(most))
    }
}
