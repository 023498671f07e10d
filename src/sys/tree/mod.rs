//! A directory that stands for `/`, from which no path leads out: neither `..` nor symbolic
//! links, whoever wrote them (openat2(2), `RESOLVE_IN_ROOT`).
//!
//! For paths that a configuration names. Were they opened as [`Root::join`](super::files::Root)
//! opens them, a link in the tree, such as `/etc/localtime`'s, would change the machine that the
//! tree is prepared on.
//!
//! Links in the middle of a path are followed, within the root. What a path ends with is never
//! followed by what writes: a link is replaced. Whoever wants to write through a link asks
//! for its target first.

mod read;
#[cfg(test)]
mod tests;
mod write;

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// Tries of a lookup that a rename elsewhere disturbed, which the kernel answers with EAGAIN.
const TRIES: u32 = 16;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// What is known of what stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    /// Whose it is.
    pub uid: u32,
    /// Which group's it is.
    pub gid: u32,
}

/// When what is written is safe from a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durable {
    /// Each file by itself: either the old or the new one is there, whole.
    Each,
    /// When the file system is synchronised or unmounted, by whoever then takes the whole tree or
    /// throws it away. A hundred files cost one such instead of two hundred.
    Together,
}

/// A directory that stands for `/`.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    path: PathBuf,
    durable: Durable,
}

impl Tree {
    /// The given directory as root.
    ///
    /// # Errors
    /// It is no directory, or cannot be opened.
    pub fn open(directory: impl Into<PathBuf>) -> Result<Self> {
        let path = directory.into();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&path, flags, Mode::empty())
            .with_context(|| format!("cannot open {}", path.display()))?;
        Ok(Self { root, path, durable: Durable::Each })
    }

    /// The same, with what is written made durable as said.
    #[must_use]
    pub fn durable(self, durable: Durable) -> Self {
        Self { durable, ..self }
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.path
    }

    fn lookup(&self, path: &Path, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = flags | OFlags::CLOEXEC;
        for _ in 1..TRIES {
            match openat2(&self.root, path, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => {}
                result => return result,
            }
        }
        openat2(&self.root, path, flags, Mode::empty(), resolve)
    }

    /// The directory that a path's last name stands in, and that name.
    fn parent<'a>(&self, path: &'a Path) -> Result<(OwnedFd, &'a OsStr)> {
        let Some(Component::Normal(_)) = path.components().next_back() else {
            bail!("{} ends with no name", path.display());
        };
        Ok(self.parent_raw(path)?)
    }

    fn parent_raw<'a>(&self, path: &'a Path) -> rustix::io::Result<(OwnedFd, &'a OsStr)> {
        let name = path.file_name().ok_or(Errno::INVAL)?;
        let parent = path.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("/"));
        Ok((self.lookup(parent, OFlags::PATH | OFlags::DIRECTORY)?, name))
    }
}

/// `None` for what is not there: ENOTDIR too, which a path through a file gives.
fn present<T>(result: rustix::io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
