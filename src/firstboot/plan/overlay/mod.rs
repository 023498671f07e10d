//! A tree as it will be: what a plan has changed so far, over what is there. Reading only.
//!
//! Every part of a plan reads through it, so that a line that one part has added to a file is
//! not lost when the next part adds another. Links are followed within the tree, those that
//! the plan makes as well.

mod paths;
mod read;
mod write;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
pub(super) use write::is_closed;

use super::{Change, Content, NewFile};
use crate::firstboot::configuration::{Mode, Owner};
use crate::sys::tree::{Kind, Stat, Tree};

/// What the plan puts at a path.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    File(NewFile),
    Directory { mode: Mode, owner: Owner, keeps: bool },
    Link(PathBuf),
    Gone,
}

/// A tree as it will be.
pub(super) struct Overlay<'a> {
    tree: &'a Tree,
    entries: BTreeMap<PathBuf, Entry>,
    /// The paths of this phase's changes, as they came.
    order: Vec<PathBuf>,
    /// The same.
    ordered: HashSet<PathBuf>,
    /// Whether an earlier phase comes between the tree and this one.
    later: bool,
}

impl<'a> Overlay<'a> {
    pub(super) fn over(tree: &'a Tree) -> Self {
        Self {
            tree,
            entries: BTreeMap::new(),
            order: Vec::new(),
            ordered: HashSet::new(),
            later: false,
        }
    }

    /// The changes so far, each path once, in the order of its first mention, and without what
    /// is so already. What comes from now on is of another phase, of which everything counts:
    /// what the tree is like by then is not known now.
    pub(super) fn take(&mut self) -> Result<Vec<Change>> {
        let mut changes = Vec::new();
        for path in std::mem::take(&mut self.order) {
            let Some(entry) = self.entries.get(&path) else { continue };
            if self.later || !self.is_so(&path, entry)? {
                changes.push(change(path, entry.clone()));
            }
        }
        self.ordered.clear();
        self.later = true;
        Ok(changes)
    }

    fn is_so(&self, path: &Path, entry: &Entry) -> Result<bool> {
        let stat = self.tree.lstat(path)?;
        Ok(match (entry, stat) {
            (Entry::Gone, None) => true,
            (Entry::File(file), Some(stat)) if stat.kind == Kind::File => {
                let Content::Bytes(bytes) = &file.content else { return Ok(false) };
                let same = file.mode == stat.mode && file.owner == numbers(&stat);
                same && self.tree.read(path)?.is_some_and(|it| it == *bytes)
            }
            (Entry::Directory { mode, owner, .. }, Some(stat)) if stat.kind == Kind::Directory => {
                *mode == stat.mode && *owner == numbers(&stat)
            }
            (Entry::Link(target), Some(stat)) if stat.kind == Kind::Link => {
                self.tree.read_link(path)?.is_some_and(|it| it == *target)
            }
            _ => false,
        })
    }
}

fn change(path: PathBuf, entry: Entry) -> Change {
    match entry {
        Entry::File(file) => Change::File { path, file },
        Entry::Directory { mode, owner, keeps } => Change::Directory { path, mode, owner, keeps },
        Entry::Link(target) => Change::Link { path, target },
        Entry::Gone => Change::Remove { path },
    }
}

/// By number, so that no name has to be there for it.
fn numbers(stat: &Stat) -> Owner {
    let name = |id: u32| if id == 0 { "root".to_owned() } else { id.to_string() };
    Owner { user: name(stat.uid), group: Some(name(stat.gid)) }
}
