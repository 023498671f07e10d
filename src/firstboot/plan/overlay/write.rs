//! What the plan puts at a path, with the directories above it.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use super::{Entry, Overlay};
use crate::firstboot::configuration::{Mode, Owner};
use crate::firstboot::plan::{Content, NewFile, root};
use crate::sys::tree::Kind;

/// Who keeps a file from others does not want it on the console either.
pub(in super::super) fn is_closed(mode: Mode) -> bool {
    mode & 0o004 == 0
}

impl Overlay<'_> {
    /// A file, whole; directories above it are made where there are none, as root's.
    pub(in super::super) fn write(&mut self, path: impl AsRef<Path>, file: NewFile) -> Result<()> {
        self.write_below(path, file, &root())
    }

    /// A file, whole; directories above it are made where there are none, as this owner's.
    pub(in super::super) fn write_below(
        &mut self,
        path: impl AsRef<Path>,
        file: NewFile,
        owner: &Owner,
    ) -> Result<()> {
        let path = self.settle(path.as_ref())?;
        ensure!(
            self.kind_at(&path)? != Some(Kind::Directory),
            "{} is a directory, where a file is to be written",
            path.display()
        );
        self.above(&path, owner)?;
        let secret = file.secret || self.is_secret(&path)?;
        self.put(path, Entry::File(NewFile { secret, ..file }));
        Ok(())
    }

    /// Whether what is there now is kept from others, or was before this plan: a plan shows old
    /// lines beside the new ones, and what is appended to is a part of the new file.
    pub(in super::super) fn is_secret(&self, path: &Path) -> Result<bool> {
        Ok(match self.entries.get(path) {
            Some(Entry::File(file)) => file.secret,
            Some(_) => false,
            None => {
                let old = self.tree.lstat(path)?.filter(|it| it.kind == Kind::File);
                old.is_some_and(|it| is_closed(it.mode))
            }
        })
    }

    /// The bytes of a file that is written anew at once, none if there is none: out of this plan,
    /// not copied, or many pieces appended to one file would each copy all before it.
    pub(in super::super) fn taken(&mut self, path: impl AsRef<Path>) -> Result<Vec<u8>> {
        let path = self.resolve(path.as_ref(), true)?;
        if let Some(Entry::File(NewFile { content: Content::Bytes(bytes), .. })) =
            self.entries.get_mut(&path)
        {
            return Ok(std::mem::take(bytes));
        }
        Ok(self.read(&path)?.unwrap_or_default())
    }

    /// Text in a file that keeps its owner and mode if it is there: else it is root's.
    pub(in super::super) fn write_text(
        &mut self,
        path: impl AsRef<Path>,
        text: impl Into<Vec<u8>>,
        mode: Mode,
    ) -> Result<()> {
        let (owner, mode) = self.owner_and_mode(&path)?.unwrap_or_else(|| (root(), mode));
        let content = Content::Bytes(text.into());
        self.write(path, NewFile { content, mode, owner, secret: false })
    }

    /// A directory with this owner and mode, whether it is there or not.
    pub(in super::super) fn directory(
        &mut self,
        path: impl AsRef<Path>,
        mode: Mode,
        owner: &Owner,
    ) -> Result<()> {
        let path = self.resolve(path.as_ref(), true)?;
        self.above(&path, &root())?;
        match self.kind_at(&path)? {
            None | Some(Kind::Directory) => {}
            Some(_) => bail!("{} is no directory", path.display()),
        }
        self.put(path, Entry::Directory { mode, owner: owner.clone(), keeps: false });
        Ok(())
    }

    /// A directory of root's, if it is not there: one that is stays as it is.
    pub(in super::super) fn directories(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = self.resolve(path.as_ref(), true)?;
        self.above(&path, &root())?;
        self.make(&path, &root())
    }

    /// What a path without links lies in, as this owner's where it is not there.
    pub(in super::super) fn above(&mut self, path: &Path, owner: &Owner) -> Result<()> {
        let above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
        let mut below_root = above.iter().rev().filter(|it| it.parent().is_some());
        below_root.try_for_each(|it| self.make(it, owner))
    }

    /// One that a program makes in between keeps its owner: what a package wants of it counts.
    fn make(&mut self, path: &Path, owner: &Owner) -> Result<()> {
        match self.kind_at(path)? {
            Some(Kind::Directory) => {}
            None => {
                let owner = owner.clone();
                self.put(path.to_owned(), Entry::Directory { mode: 0o755, owner, keeps: true });
            }
            Some(_) => bail!("{} is no directory", path.display()),
        }
        Ok(())
    }

    /// A symbolic link in place of whatever is there.
    pub(in super::super) fn link(
        &mut self,
        path: impl AsRef<Path>,
        target: impl Into<PathBuf>,
    ) -> Result<()> {
        let path = self.resolve(path.as_ref(), false)?;
        self.above(&path, &root())?;
        self.put(path, Entry::Link(target.into()));
        Ok(())
    }

    /// No file any more.
    pub(in super::super) fn remove(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = self.resolve(path.as_ref(), false)?;
        if self.kind_at(&path)?.is_some() {
            self.put(path, Entry::Gone);
        }
        Ok(())
    }

    fn put(&mut self, path: PathBuf, entry: Entry) {
        if self.ordered.insert(path.clone()) {
            self.order.push(path.clone());
        }
        self.entries.insert(path, entry);
    }
}
