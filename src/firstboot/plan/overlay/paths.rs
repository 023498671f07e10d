//! Where paths lead in the tree as it will be.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, ensure};

use super::{Entry, Overlay};
use crate::sys::tree::{Kind, Stat};

/// Links that one path may lead through: what Linux allows (`path_resolution(7)`).
const LINKS: u32 = 40;

impl Overlay<'_> {
    /// Where a path leads: no links in it any more. A name that is not there is kept.
    pub(in super::super) fn resolve(&self, path: &Path, follow_last: bool) -> Result<PathBuf> {
        let mut todo: VecDeque<OsString> = names(path);
        let mut done = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                done.pop();
                continue;
            }
            let here = done.join(&name);
            if todo.is_empty() && !follow_last {
                return Ok(here);
            }
            let Some(target) = self.target_of(&here)? else {
                done = here;
                continue;
            };
            links += 1;
            ensure!(links <= LINKS, "{} leads through too many links", path.display());
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            let mut further = names(&target);
            further.append(&mut todo);
            todo = further;
        }
        Ok(done)
    }

    /// Where the link at a path without links points, if it is one.
    pub(in super::super) fn target_of(&self, path: &Path) -> Result<Option<PathBuf>> {
        match self.entries.get(path) {
            Some(Entry::Link(target)) => Ok(Some(target.clone())),
            Some(_) => Ok(None),
            None => match self.tree.lstat(path)? {
                Some(Stat { kind: Kind::Link, .. }) => self.tree.read_link(path),
                _ => Ok(None),
            },
        }
    }

    /// Where a file is written that is meant for this path. A link to a file is followed, as
    /// open(2) would; one that leads to nothing, or to no file, is replaced: what it points to
    /// is often in `/run`, where nothing would last.
    pub(super) fn settle(&self, path: &Path) -> Result<PathBuf> {
        let target = self.resolve(path, true)?;
        match self.kind(&target)? {
            Some(Kind::File) => Ok(target),
            _ => self.resolve(path, false),
        }
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}
