//! Colour, where it helps: on a terminal, unless somebody said no.

use std::io::IsTerminal;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// For standard output, after `--no-color` and <https://no-color.org>.
    pub fn for_stdout(no_color: bool) -> Self {
        let asked_not = no_color || std::env::var_os("NO_COLOR").is_some_and(|it| !it.is_empty());
        Self { colour: !asked_not && std::io::stdout().is_terminal() }
    }

    /// As it is.
    pub fn plain(self, text: &str) -> String {
        text.to_owned()
    }

    /// Something is well.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Something wants attention.
    pub fn warn(self, text: &str) -> String {
        self.paint("33", text)
    }

    /// Something is broken.
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
