//! A file of lines of fields with colons between them: passwd(5), group(5), shadow(5),
//! gshadow(5), subuid(5).
//!
//! Lines that are damaged, or that say nothing here, stay where they are, byte for byte:
//! somebody may need them, and this is not the program to judge.

use std::collections::HashMap;

use anyhow::Result;

use super::super::overlay::Overlay;
use super::super::{Content, NewFile, root};
use crate::firstboot::configuration::{Mode, Owner};

/// One of these files.
pub(in super::super) struct Table {
    path: &'static str,
    /// How many fields a line has: others are no entries.
    width: usize,
    lines: Vec<Vec<u8>>,
    added: Vec<String>,
    /// Where each name's first entry is: behind the lines come those that were added.
    index: HashMap<String, usize>,
    mode: Mode,
    owner: Owner,
    secret: bool,
    changed: bool,
}

/// What is known of such a file.
pub(in super::super) struct Format {
    pub(super) path: &'static str,
    pub(super) width: usize,
    /// Hashes of passwords are in it.
    pub(super) secret: bool,
}

pub(in super::super) const PASSWD: Format = Format { path: "/etc/passwd", width: 7, secret: false };
pub(in super::super) const GROUP: Format = Format { path: "/etc/group", width: 4, secret: false };
pub(in super::super) const SHADOW: Format = Format { path: "/etc/shadow", width: 9, secret: true };
pub(super) const GSHADOW: Format = Format { path: "/etc/gshadow", width: 4, secret: true };
pub(super) const SUBUID: Format = Format { path: "/etc/subuid", width: 3, secret: false };
pub(super) const SUBGID: Format = Format { path: "/etc/subgid", width: 3, secret: false };

impl Table {
    /// The file as it will be; `None` if there is none.
    pub(super) fn read(view: &Overlay, format: &Format) -> Result<Option<Self>> {
        let Some(bytes) = view.read(format.path)? else { return Ok(None) };
        let (owner, mode) = view.owner_and_mode(format.path)?.unwrap_or_else(|| (root(), 0o600));
        let mut table = Self::parse(format, &bytes);
        table.owner = owner;
        table.mode = mode;
        Ok(Some(table))
    }

    /// The file from its bytes.
    pub(in super::super) fn parse(format: &Format, bytes: &[u8]) -> Self {
        let mut lines: Vec<Vec<u8>> =
            bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        // What the last line's end is followed by is no line.
        if lines.last().is_some_and(Vec::is_empty) {
            lines.pop();
        }
        let mut table = Self {
            path: format.path,
            width: format.width,
            lines,
            added: Vec::new(),
            index: HashMap::new(),
            mode: if format.secret { 0o600 } else { 0o644 },
            owner: root(),
            secret: format.secret,
            changed: false,
        };
        for at in 0..table.lines.len() {
            if let Some(name) = table.field(at, 0).map(str::to_owned) {
                table.index.entry(name).or_insert(at);
            }
        }
        table
    }

    /// An empty one.
    pub(super) fn empty(format: &Format) -> Self {
        Self::parse(format, b"")
    }

    fn line(&self, at: usize) -> Option<&str> {
        match self.lines.get(at) {
            Some(line) => std::str::from_utf8(line).ok(),
            None => self.added.get(at - self.lines.len()).map(String::as_str),
        }
    }

    fn field(&self, at: usize, number: usize) -> Option<&str> {
        let line = self.line(at)?;
        let is_entry = line.split(':').count() == self.width && !line.starts_with(['+', '-', '#']);
        if is_entry { line.split(':').nth(number) } else { None }
    }

    pub(in super::super) fn has(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// A field, from 0, of a name's entry.
    pub(in super::super) fn get(&self, name: &str, number: usize) -> Option<&str> {
        self.field(*self.index.get(name)?, number)
    }

    /// Sets a field of a name's entry; of one that is not there, nothing.
    pub(in super::super) fn set(&mut self, name: &str, number: usize, value: &str) {
        let Some(&at) = self.index.get(name) else { return };
        let Some(line) = self.line(at) else { return };
        let mut fields: Vec<&str> = line.split(':').collect();
        if fields.get(number).is_none_or(|it| *it == value) {
            return;
        }
        fields[number] = value;
        let line = fields.join(":");
        if let Some(old) = self.lines.get_mut(at) {
            *old = line.into_bytes();
        } else {
            let at = at - self.lines.len();
            self.added[at] = line;
        }
        self.changed = true;
    }

    /// Adds a name to a field that is a list of names, unless it is there.
    pub(super) fn add_to_list(&mut self, name: &str, number: usize, member: &str) {
        let Some(list) = self.get(name, number) else { return };
        if list.split(',').any(|it| it == member) {
            return;
        }
        let list = if list.is_empty() { member.to_owned() } else { format!("{list},{member}") };
        self.set(name, number, &list);
    }

    /// Adds an entry. Its fields have no colons and no line ends.
    pub(super) fn push(&mut self, fields: &[&str]) {
        let Some(name) = fields.first() else { return };
        self.index.entry((*name).to_owned()).or_insert(self.lines.len() + self.added.len());
        self.added.push(fields.join(":"));
        self.changed = true;
    }

    /// Of every entry, these two fields.
    pub(super) fn pairs(
        &self,
        first: usize,
        second: usize,
    ) -> impl Iterator<Item = (&str, &str)> + '_ {
        let all = 0..self.lines.len() + self.added.len();
        all.filter_map(move |at| Some((self.field(at, first)?, self.field(at, second)?)))
    }

    /// All of it. What was added comes before the first line of NIS (`+`), which ends what is
    /// looked at here (nsswitch.conf(5), compat).
    pub(in super::super) fn bytes(&self) -> Vec<u8> {
        let compat = self.lines.iter().position(|line| line.starts_with(b"+"));
        let (before, after) = self.lines.split_at(compat.unwrap_or(self.lines.len()));
        let added = self.added.iter().map(String::as_bytes);
        let all =
            before.iter().map(Vec::as_slice).chain(added).chain(after.iter().map(Vec::as_slice));
        all.flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
    }

    /// Puts it into the plan, if it changed.
    pub(super) fn save(&self, view: &mut Overlay) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        let content = Content::Bytes(self.bytes());
        let (owner, mode, secret) = (self.owner.clone(), self.mode, self.secret);
        view.write(self.path, NewFile { content, mode, owner, secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_meant_stays_byte_for_byte() {
        let before = b"root:x:0:\n\n# mine\ndamaged\nlatin:x:5:\xe9\nusers:x:100:\n+\nlast:x:7:";
        let mut table = Table::parse(&GROUP, before);
        assert!(!table.has("damaged") && !table.has("latin") && table.has("last"));
        table.push(&["new", "x", "1000", ""]);
        table.add_to_list("users", 3, "bob");
        table.add_to_list("new", 3, "bob");
        table.add_to_list("new", 3, "bob");
        table.add_to_list("new", 3, "eve");
        table.set("none", 3, "x");
        assert_eq!(
            table.bytes(),
            b"root:x:0:\n\n# mine\ndamaged\nlatin:x:5:\xe9\nusers:x:100:bob\n\
              new:x:1000:bob,eve\n+\nlast:x:7:\n"
        );
    }
}
