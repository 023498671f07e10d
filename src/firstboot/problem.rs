//! What is wrong with a configuration, where, and what to write instead.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// How many problems are kept of all that are found: a small file can have a quarter of a
/// million, of which each would take more memory than its value does.
const MOST: usize = 1000;
/// How long a message is at most, in bytes: it may show a value of any length, and more than once.
const LONGEST: usize = 1000;
/// How much of a name or a value is shown in one, in characters.
const SHOWN: usize = 64;

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
        Self { place: place.clone(), severity: Severity::Error, what: shortened(what.into()) }
    }

    /// A warning.
    pub fn warning(place: &Place, what: impl Into<String>) -> Self {
        Self { place: place.clone(), severity: Severity::Warning, what: shortened(what.into()) }
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

/// A name or a value as far as it is shown in a message.
pub fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Without its middle, if it is long: a message ends with what to write instead.
fn shortened(what: String) -> String {
    if what.len() <= LONGEST {
        return what;
    }
    let boundary = |mut at: usize| {
        while !what.is_char_boundary(at) {
            at += 1;
        }
        at
    };
    let (begin, end) = (boundary(LONGEST / 2), boundary(what.len() - LONGEST / 2));
    format!("{}…{}", &what[..begin], &what[end..])
}

/// What is wrong, and how much more there is than is kept. No warning takes the place of an
/// error: whether something can be applied hangs on those.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    errors: usize,
    warnings: usize,
}

impl Problems {
    /// One more.
    pub fn push(&mut self, problem: Problem) {
        if self.makes_room(problem.severity) {
            self.kept.push(problem);
        }
    }

    /// One more, whose words are made only if it is kept: a small file can have a quarter of a
    /// million, of which nobody is shown more than the first.
    pub fn add(&mut self, severity: Severity, place: &Place, what: impl fmt::Display) {
        if self.makes_room(severity) {
            let what = shortened(what.to_string());
            self.kept.push(Problem { place: place.clone(), severity, what });
        }
    }

    /// Counts one more, and makes room for it if it is to be kept.
    fn makes_room(&mut self, severity: Severity) -> bool {
        let is_error = severity == Severity::Error;
        *(if is_error { &mut self.errors } else { &mut self.warnings }) += 1;
        if self.kept.len() < MOST {
            return true;
        }
        // Errors fewer than all that are kept leave a warning among these.
        if !is_error || self.errors > MOST {
            return false;
        }
        let Some(at) = self.kept.iter().rposition(|it| !it.is_error()) else { return false };
        self.kept.remove(at);
        true
    }

    /// All of these as well.
    pub fn extend(&mut self, more: Self) {
        let (errors, warnings) = (self.errors + more.errors, self.warnings + more.warnings);
        more.kept.into_iter().for_each(|it| self.push(it));
        (self.errors, self.warnings) = (errors, warnings);
    }

    /// By place; of one place as they came.
    pub fn sort(&mut self) {
        self.kept.sort_by(|a, b| a.place.cmp(&b.place));
    }

    /// Whether nothing can be applied.
    pub fn have_error(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are, kept or not.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// How many warnings there are, kept or not.
    pub fn warnings(&self) -> usize {
        self.warnings
    }

    /// How many there are, kept or not.
    pub fn found(&self) -> usize {
        self.errors + self.warnings
    }

    /// How many there are that are not kept.
    pub fn left_out(&self) -> usize {
        self.found().saturating_sub(self.kept.len())
    }

    /// A last line for whoever is shown the others.
    pub fn rest(&self) -> Option<String> {
        let more = self.left_out();
        (more > 0).then(|| format!("and {more} more"))
    }
}

impl Deref for Problems {
    type Target = [Problem];

    fn deref(&self) -> &[Problem] {
        &self.kept
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.kept.iter()
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        let mut problems = Self::default();
        problems.push(problem);
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn many(count: usize, make: fn(&Place, String) -> Problem) -> Problems {
        let mut problems = Problems::default();
        (0..count).for_each(|it| problems.push(make(&Place::whole("u"), it.to_string())));
        problems
    }

    #[test]
    fn what_is_kept_is_bounded_and_errors_come_first() {
        for (warnings, errors, kept_errors, left_out) in [
            (3, 2, 2, 0),
            (MOST, 0, 0, 0),
            (MOST + 1, 0, 0, 1),
            (MOST, 1, 1, 1),
            (MOST + 5, MOST - 1, MOST - 1, MOST + 4),
            (5, MOST + 7, MOST, 12),
            (0, 3 * MOST, MOST, 2 * MOST),
        ] {
            let error = |place: &Place, what| Problem::error(place, what);
            let warning = |place: &Place, what| Problem::warning(place, what);
            let orders = [
                (many(warnings, warning), many(errors, error)),
                (many(errors, error), many(warnings, warning)),
            ];
            for (mut all, more) in orders {
                all.extend(more);
                all.sort();
                let found = all.iter().filter(|it| it.is_error()).count();
                assert_eq!((all.errors(), all.warnings()), (errors, warnings));
                assert_eq!((found, all.left_out()), (kept_errors, left_out));
                assert!(all.len() <= MOST && all.have_error() == (errors > 0));
                let rest = (left_out > 0).then(|| format!("and {left_out} more"));
                assert_eq!(all.rest(), rest);
            }
        }
    }

    #[test]
    fn words_are_made_for_what_is_kept_alone() {
        struct Words<'a>(&'a std::cell::Cell<usize>);
        impl fmt::Display for Words<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.set(self.0.get() + 1);
                f.write_str("x")
            }
        }
        let made = std::cell::Cell::new(0);
        let mut problems = Problems::default();
        for severity in [Severity::Warning, Severity::Error] {
            for _ in 0..2 * MOST {
                problems.add(severity, &Place::whole("u"), Words(&made));
            }
        }
        assert_eq!(made.get(), 2 * MOST);
        assert_eq!((problems.errors(), problems.warnings()), (2 * MOST, 2 * MOST));
        assert!(problems.len() == MOST && problems.iter().all(Problem::is_error));
    }

    #[test]
    fn what_is_shown_is_bounded_and_ends_with_the_remedy() {
        let long = "ä".repeat(1 << 20);
        let problem = Problem::error(&Place::whole("u"), format!("{long:?} is wrong: write x"));
        assert!(problem.what.len() <= LONGEST + 8, "{}", problem.what.len());
        assert!(
            problem.what.starts_with("\"ää") && problem.what.ends_with("ä\" is wrong: write x")
        );
        assert_eq!(shown(&long), format!("{}…", "ä".repeat(SHOWN)));
        assert_eq!(shown("name"), "name");
    }
}
