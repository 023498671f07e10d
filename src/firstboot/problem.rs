//! What is wrong with a configuration, where, and what to write instead.

use std::fmt;
use std::sync::Arc;

/// Where a value stands: for messages, and for whoever asks where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, or the part of it, in words.
    pub source: Arc<str>,
    /// From 1; 0 where there are no lines, as in what a server says of the machine.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl Place {
    /// All of a source.
    pub fn whole(source: impl Into<Arc<str>>) -> Self {
        Self { source: source.into(), line: 0, column: 0 }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.source),
            _ => write!(f, "{}:{}:{}", self.source, self.line, self.column),
        }
    }
}

/// Where a text begins in the file that it stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Lines before it.
    pub lines: u32,
    /// Characters before each of its lines: the indentation in an archive.
    pub columns: u32,
}

impl Origin {
    /// A place in the file, by a line and a column of the text, both from 1.
    pub fn place(self, source: &Arc<str>, line: u32, column: u32) -> Place {
        Place {
            source: source.clone(),
            line: self.lines.saturating_add(line),
            column: self.columns.saturating_add(column),
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is applied: what was meant cannot be known, or cannot be done.
    Error,
    /// It is applied, and perhaps not what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, what it means, and what to write instead. No secrets.
    pub what: String,
}

impl Problem {
    /// An error.
    pub fn error(place: &Place, what: impl Into<String>) -> Self {
        Self { place: place.clone(), severity: Severity::Error, what: what.into() }
    }

    /// A warning.
    pub fn warning(place: &Place, what: impl Into<String>) -> Self {
        Self { place: place.clone(), severity: Severity::Warning, what: what.into() }
    }

    /// Whether nothing can be applied because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}: {severity}: {}", self.place, self.what)
    }
}
