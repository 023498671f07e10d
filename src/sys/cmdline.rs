//! The kernel command line.

use std::path::Path;

use anyhow::Result;

use super::files;

/// The words of the kernel command line, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cmdline(Vec<(String, Option<String>)>);

impl Cmdline {
    /// Splits a command line at white space; double quotes hold words together
    /// (as the kernel's `next_arg` does).
    pub fn parse(text: &str) -> Self {
        let mut words = Vec::new();
        let mut word = String::new();
        let mut quoted = false;
        for c in text.chars() {
            match c {
                '"' => quoted = !quoted,
                c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
                c => word.push(c),
            }
        }
        words.push(word);
        let pair = |word: String| match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        Self(words.into_iter().filter(|word| !word.is_empty()).map(pair).collect())
    }

    /// The command line of this boot. In a container that is PID 1's arguments,
    /// as systemd itself reads them: `/proc/cmdline` is the host's there.
    ///
    /// # Errors
    /// Neither can be read.
    pub fn of_this_boot() -> Result<Self> {
        let text = if Path::new("/run/systemd/container").exists() {
            let arguments = files::read_text(Path::new("/proc/1/cmdline"))?.unwrap_or_default();
            arguments.split('\0').skip(1).collect::<Vec<_>>().join(" ")
        } else {
            files::read_text(Path::new("/proc/cmdline"))?.unwrap_or_default()
        };
        Ok(Self::parse(&text))
    }

    /// Whether `key` stands there, with or without a value.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    /// The value of the last `key=value`.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key)?.1.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_counts_and_quotes_hold_words_together() {
        let line = Cmdline::parse("quiet a=1 b=\"x y\"  a=2 a\n");
        assert!(line.has("quiet") && line.has("a") && !line.has("y"));
        assert_eq!(line.value("b"), Some("x y"));
        assert_eq!(line.value("quiet"), None);
        assert_eq!(Cmdline::parse("a=1 a=2").value("a"), Some("2"));
    }
}
