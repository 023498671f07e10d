//! What will be at a path.

use std::ffi::OsString;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Entry, Overlay, numbers};
use crate::firstboot::configuration::{Mode, Owner};
use crate::firstboot::plan::{Content, NewFile};
use crate::sys::tree::Kind;

impl Overlay<'_> {
    /// What will stand at a path, links followed.
    pub(in super::super) fn kind(&self, path: impl AsRef<Path>) -> Result<Option<Kind>> {
        let path = self.resolve(path.as_ref(), true)?;
        self.kind_at(&path)
    }

    /// What will stand at a path without links.
    pub(super) fn kind_at(&self, path: &Path) -> Result<Option<Kind>> {
        Ok(match self.entries.get(path) {
            Some(Entry::File(_)) => Some(Kind::File),
            Some(Entry::Directory { .. }) => Some(Kind::Directory),
            Some(Entry::Link(_)) => Some(Kind::Link),
            Some(Entry::Gone) => None,
            None => self.tree.lstat(path)?.map(|stat| stat.kind),
        })
    }

    pub(in super::super) fn exists(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.kind(path)?.is_some())
    }

    pub(in super::super) fn is_file(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.kind(path)? == Some(Kind::File))
    }

    /// The bytes of a file, as it will be; `None` if there will be none.
    pub(in super::super) fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
        let path = self.resolve(path.as_ref(), true)?;
        match self.entries.get(&path) {
            Some(Entry::File(NewFile { content: Content::Bytes(bytes), .. })) => {
                Ok(Some(bytes.clone()))
            }
            Some(Entry::File(_)) => {
                bail!("{} is still to be fetched, and cannot be changed before", path.display())
            }
            Some(Entry::Gone) => Ok(None),
            Some(_) => bail!("{} is no regular file", path.display()),
            None => self.tree.read(&path),
        }
    }

    /// As [`Overlay::read`]; text that is not UTF-8 is read with replacement characters: for
    /// looking at, not for writing back.
    pub(in super::super) fn text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        Ok(self.read(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// As [`Overlay::read`], for text that is changed and written back.
    pub(in super::super) fn exact_text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let path = path.as_ref();
        let exact = |bytes| {
            String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))
        };
        self.read(path)?.map(exact).transpose()
    }

    /// Whose a file or directory will be, and its mode; `None` if nothing will be there.
    pub(in super::super) fn owner_and_mode(
        &self,
        path: impl AsRef<Path>,
    ) -> Result<Option<(Owner, Mode)>> {
        let path = self.resolve(path.as_ref(), true)?;
        Ok(match self.entries.get(&path) {
            Some(Entry::File(file)) => Some((file.owner.clone(), file.mode)),
            Some(Entry::Directory { mode, owner, .. }) => Some((owner.clone(), *mode)),
            Some(Entry::Link(_) | Entry::Gone) => None,
            None => self.tree.lstat(&path)?.map(|stat| (numbers(&stat), stat.mode)),
        })
    }

    /// The names that will be in a directory, sorted.
    pub(in super::super) fn list(&self, directory: impl AsRef<Path>) -> Result<Vec<OsString>> {
        let directory = self.resolve(directory.as_ref(), true)?;
        let mut names = match self.entries.get(&directory) {
            Some(Entry::Gone) => Vec::new(),
            _ => self.tree.list(&directory)?,
        };
        let within = self.entries.range(directory.clone()..);
        let within = within.take_while(|(path, _)| path.starts_with(&directory));
        for (path, entry) in within.filter(|(path, _)| path.parent() == Some(&directory)) {
            let Some(name) = path.file_name() else { continue };
            names.retain(|it| it != name);
            if *entry != Entry::Gone {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}
