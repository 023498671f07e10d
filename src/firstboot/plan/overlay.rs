//! A tree as it will be: what a plan has changed so far, over what is there. Reading only.
//!
//! Every part of a plan reads through it, so that a line that one part has added to a file is
//! not lost when the next part adds another. Links are followed within the tree, those that
//! the plan makes as well.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{Change, Content, NewFile, root};
use crate::firstboot::configuration::{Mode, Owner};
use crate::sys::tree::{Kind, Stat, Tree};

/// Links that one path may lead through: what Linux allows (`path_resolution(7)`).
const LINKS: u32 = 40;

/// What the plan puts at a path.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    File(NewFile),
    Directory { mode: Mode, owner: Owner },
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

    /// Where a path leads: no links in it any more. A name that is not there is kept.
    pub(super) fn resolve(&self, path: &Path, follow_last: bool) -> Result<PathBuf> {
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
    pub(super) fn target_of(&self, path: &Path) -> Result<Option<PathBuf>> {
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
    fn settle(&self, path: &Path) -> Result<PathBuf> {
        let target = self.resolve(path, true)?;
        match self.kind(&target)? {
            Some(Kind::File) => Ok(target),
            _ => self.resolve(path, false),
        }
    }

    /// What will stand at a path, links followed.
    pub(super) fn kind(&self, path: impl AsRef<Path>) -> Result<Option<Kind>> {
        let path = self.resolve(path.as_ref(), true)?;
        self.kind_at(&path)
    }

    /// What will stand at a path without links.
    fn kind_at(&self, path: &Path) -> Result<Option<Kind>> {
        Ok(match self.entries.get(path) {
            Some(Entry::File(_)) => Some(Kind::File),
            Some(Entry::Directory { .. }) => Some(Kind::Directory),
            Some(Entry::Link(_)) => Some(Kind::Link),
            Some(Entry::Gone) => None,
            None => self.tree.lstat(path)?.map(|stat| stat.kind),
        })
    }

    pub(super) fn exists(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.kind(path)?.is_some())
    }

    pub(super) fn is_file(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.kind(path)? == Some(Kind::File))
    }

    /// The bytes of a file, as it will be; `None` if there will be none.
    pub(super) fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
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
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        Ok(self.read(path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// As [`Overlay::read`], for text that is changed and written back.
    pub(super) fn exact_text(&self, path: impl AsRef<Path>) -> Result<Option<String>> {
        let path = path.as_ref();
        let exact = |bytes| {
            String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))
        };
        self.read(path)?.map(exact).transpose()
    }

    /// Whose a file or directory will be, and its mode; `None` if nothing will be there.
    pub(super) fn owner_and_mode(&self, path: impl AsRef<Path>) -> Result<Option<(Owner, Mode)>> {
        let path = self.resolve(path.as_ref(), true)?;
        Ok(match self.entries.get(&path) {
            Some(Entry::File(file)) => Some((file.owner.clone(), file.mode)),
            Some(Entry::Directory { mode, owner }) => Some((owner.clone(), *mode)),
            Some(Entry::Link(_) | Entry::Gone) => None,
            None => self.tree.lstat(&path)?.map(|stat| (numbers(&stat), stat.mode)),
        })
    }

    /// The names that will be in a directory, sorted.
    pub(super) fn list(&self, directory: impl AsRef<Path>) -> Result<Vec<OsString>> {
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

    /// A file, whole; directories above it are made where there are none.
    pub(super) fn write(&mut self, path: impl AsRef<Path>, file: NewFile) -> Result<()> {
        let path = self.settle(path.as_ref())?;
        ensure!(
            self.kind_at(&path)? != Some(Kind::Directory),
            "{} is a directory, where a file is to be written",
            path.display()
        );
        self.above(&path)?;
        self.put(path, Entry::File(file));
        Ok(())
    }

    /// Text in a file that keeps its owner and mode if it is there: else it is root's.
    pub(super) fn write_text(
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
    pub(super) fn directory(
        &mut self,
        path: impl AsRef<Path>,
        mode: Mode,
        owner: &Owner,
    ) -> Result<()> {
        let path = self.resolve(path.as_ref(), true)?;
        self.above(&path)?;
        match self.kind_at(&path)? {
            None | Some(Kind::Directory) => {}
            Some(_) => bail!("{} is no directory", path.display()),
        }
        self.put(path, Entry::Directory { mode, owner: owner.clone() });
        Ok(())
    }

    /// A directory of root's, if it is not there: one that is stays as it is.
    pub(super) fn directories(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = self.resolve(path.as_ref(), true)?;
        self.above(&path)?;
        self.make(&path)
    }

    fn make(&mut self, path: &Path) -> Result<()> {
        match self.kind_at(path)? {
            Some(Kind::Directory) => {}
            None => self.put(path.to_owned(), Entry::Directory { mode: 0o755, owner: root() }),
            Some(_) => bail!("{} is no directory", path.display()),
        }
        Ok(())
    }

    fn above(&mut self, path: &Path) -> Result<()> {
        let above: Vec<PathBuf> = path.ancestors().skip(1).map(Path::to_owned).collect();
        above.iter().rev().filter(|it| it.parent().is_some()).try_for_each(|it| self.make(it))
    }

    /// A symbolic link in place of whatever is there.
    pub(super) fn link(
        &mut self,
        path: impl AsRef<Path>,
        target: impl Into<PathBuf>,
    ) -> Result<()> {
        let path = self.resolve(path.as_ref(), false)?;
        self.above(&path)?;
        self.put(path, Entry::Link(target.into()));
        Ok(())
    }

    /// No file any more.
    pub(super) fn remove(&mut self, path: impl AsRef<Path>) -> Result<()> {
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
            (Entry::Directory { mode, owner }, Some(stat)) if stat.kind == Kind::Directory => {
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
        Entry::Directory { mode, owner } => Change::Directory { path, mode, owner },
        Entry::Link(target) => Change::Link { path, target },
        Entry::Gone => Change::Remove { path },
    }
}

/// By number, so that no name has to be there for it.
fn numbers(stat: &Stat) -> Owner {
    let name = |id: u32| if id == 0 { "root".to_owned() } else { id.to_string() };
    Owner { user: name(stat.uid), group: Some(name(stat.gid)) }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}
