//! Sections of `key=value`, as keyfiles and unit files have them. Values are put in as they are:
//! what is read from a configuration has no character that would need more (`network_config`).

use std::fmt::Display;

const HEAD: &str = "# Written at first boot, from the network's configuration.\n";

/// A file, section by section.
#[derive(Default)]
pub(super) struct Ini(Vec<Section>);

/// A section; one without lines is not written.
pub(super) struct Section {
    name: &'static str,
    lines: Vec<String>,
}

impl Ini {
    /// A further section, also of a name that is there.
    pub(super) fn section(&mut self, name: &'static str) -> &mut Section {
        let at = self.0.len();
        self.0.push(Section { name, lines: Vec::new() });
        &mut self.0[at]
    }

    /// All of it.
    pub(super) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for section in self.0.iter().filter(|it| !it.lines.is_empty()) {
            text.extend(["\n[", section.name, "]\n", &section.lines.join("\n"), "\n"]);
        }
        text
    }
}

impl Section {
    pub(super) fn line(&mut self, key: &str, value: impl Display) {
        self.lines.push(format!("{key}={value}"));
    }

    /// If there is a value.
    pub(super) fn some(&mut self, key: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.line(key, value);
        }
    }

    /// As systemd writes a boolean, if there is one.
    pub(super) fn yes_no(&mut self, key: &str, value: Option<bool>) {
        self.some(key, value.map(|it| if it { "yes" } else { "no" }));
    }
}
