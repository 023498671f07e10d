//! A snapshot's files as its own system would see them: symbolic links stay
//! inside it, and `/etc` may be made of layers that nobody has mounted yet.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

/// As many symbolic links as the kernel follows (`MAXSYMLINKS`).
const MOST_LINKS: usize = 40;
/// Larger than any text that is read here; a damaged one may be of any size.
const MOST_TEXT: u64 = 1 << 20;

/// The files of a snapshot.
#[derive(Clone, Debug)]
pub struct Tree {
    root: PathBuf,
    etc_layers: Vec<PathBuf>,
    mounts: Vec<Place>,
    /// Where the directories are that were followed before, and after how many links; `None`: not
    /// there. Libraries by the hundred lie in a few.
    followed: RefCell<HashMap<PathBuf, Option<(PathBuf, usize)>>>,
}

/// What a system has mounted on its tree.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where.
    pub target: PathBuf,
    /// Where that is to be seen; `None` where it cannot be.
    pub seen: Option<PathBuf>,
}

/// What is at a path.
#[derive(Debug)]
pub(super) enum At {
    /// A file, directory or device: its path within the system once all links
    /// are followed, where it really is, and what it is.
    There(PathBuf, PathBuf, Metadata),
    /// Nothing: no such file, or a link that leads nowhere.
    Missing,
    /// `/dev/null`, by a link: what is masked.
    Null,
    /// On a file system that cannot be seen from here.
    Unknown,
}

impl Tree {
    /// The tree below `root`. `/etc` is what these directories make of it,
    /// topmost first, or without any, part of the tree. What is below one of the
    /// `mounts` is where that is seen, or cannot be known.
    pub fn new(root: impl Into<PathBuf>, etc_layers: Vec<PathBuf>, mounts: Vec<Place>) -> Self {
        // As `below` compares them.
        let plain = |place: Place| Place { target: place.target.components().collect(), ..place };
        let mounts = mounts.into_iter().map(plain).collect();
        Self { root: root.into(), etc_layers, mounts, followed: RefCell::default() }
    }

    /// Follows a path of the system, which is absolute.
    ///
    /// # Errors
    /// More links than the kernel would follow, or a directory that cannot be
    /// looked into.
    pub(super) fn at(&self, path: &Path) -> Result<At> {
        let root = Path::new("/");
        let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(self.walk(root, path, 0)?.0);
        };
        let known = self.followed.borrow().get(dir).cloned();
        let followed = if let Some(known) = known {
            known
        } else {
            let followed = match self.walk(root, dir, 0)? {
                (At::There(here, ..), links) => Some((here, links)),
                (At::Missing, _) => None,
                (other, _) => return Ok(other),
            };
            self.followed.borrow_mut().insert(dir.to_owned(), followed.clone());
            followed
        };
        let Some((here, links)) = followed else { return Ok(At::Missing) };
        Ok(self.walk(&here, Path::new(name), links)?.0)
    }

    /// Follows a path from a directory on, after so many links; returns how many it is then.
    fn walk(&self, from: &Path, path: &Path, mut links: usize) -> Result<(At, usize)> {
        let mut to_go: VecDeque<OsString> = VecDeque::new();
        push_front(&mut to_go, path);
        let mut here = from.to_owned();
        while let Some(name) = to_go.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            if self.mount_of(&next).is_some_and(|place| place.seen.is_none()) {
                return Ok((At::Unknown, links));
            }
            let Some((real, metadata)) = self.entry(&next)? else {
                return Ok((At::Missing, links));
            };
            if metadata.is_symlink() {
                links += 1;
                ensure!(
                    links <= MOST_LINKS,
                    "{} is a loop of symbolic links",
                    from.join(path).display()
                );
                let target = fs::read_link(&real)
                    .with_context(|| format!("cannot read the link {}", next.display()))?;
                if target == Path::new("/dev/null") {
                    return Ok((At::Null, links));
                }
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                push_front(&mut to_go, &target);
                continue;
            }
            here = next;
            if to_go.is_empty() {
                return Ok((At::There(here, real, metadata), links));
            }
        }
        let end = self.entry(&here)?;
        Ok((end.map_or(At::Missing, |(real, metadata)| At::There(here, real, metadata)), links))
    }

    /// The mount that a path is on, unless it is on the snapshot itself.
    fn mount_of(&self, path: &Path) -> Option<&Place> {
        let covers = self.mounts.iter().filter(|place| below(path, &place.target).is_some());
        covers.max_by_key(|place| place.target.as_os_str().len())
    }

    /// One entry, without following it.
    fn entry(&self, path: &Path) -> Result<Option<(PathBuf, Metadata)>> {
        if let (Some(rest), false) = (below(path, Path::new("/etc")), self.etc_layers.is_empty()) {
            for layer in &self.etc_layers {
                let Some((real, metadata)) = entry(layer.join(rest))? else { continue };
                // overlayfs marks what was deleted by a device 0/0.
                let whiteout = metadata.file_type().is_char_device() && metadata.rdev() == 0;
                return Ok((!whiteout).then_some((real, metadata)));
            }
            return Ok(None);
        }
        let (dir, target) = self
            .mount_of(path)
            .and_then(|it| Some((it.seen.as_ref()?, it.target.as_path())))
            .unwrap_or((&self.root, Path::new("/")));
        entry(dir.join(below(path, target).unwrap_or(path)))
    }

    /// The text of a small file; `None` if it is not there or cannot be known.
    ///
    /// # Errors
    /// It is something else than a regular file, too large, or cannot be read.
    pub(super) fn text(&self, path: &Path) -> Result<Option<String>> {
        let At::There(_, real, metadata) = self.at(path)? else { return Ok(None) };
        ensure!(metadata.is_file(), "{} is not a regular file", path.display());
        let mut bytes = Vec::new();
        let opened = File::open(&real).and_then(|f| f.take(MOST_TEXT + 1).read_to_end(&mut bytes));
        opened.with_context(|| format!("cannot read {}", path.display()))?;
        if bytes.len() as u64 > MOST_TEXT {
            bail!("{} is larger than {} KiB", path.display(), MOST_TEXT >> 10);
        }
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The names in a directory, of all its layers, sorted; none where it is not.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn names(&self, dir: &Path) -> Result<Vec<OsString>> {
        let mut names = Vec::new();
        let dirs = match dir.strip_prefix("/etc") {
            Ok(rest) if !self.etc_layers.is_empty() => {
                self.etc_layers.iter().map(|layer| layer.join(rest)).collect()
            }
            _ => match self.at(dir)? {
                At::There(_, real, _) => vec![real],
                At::Missing | At::Null | At::Unknown => Vec::new(),
            },
        };
        for real in dirs {
            match fs::read_dir(&real) {
                Ok(entries) => names.extend(entries.flatten().map(|entry| entry.file_name())),
                Err(e) if is_absence(e.kind()) => {}
                Err(e) => return Err(e).with_context(|| format!("cannot list {}", dir.display())),
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// Whether somebody may run it.
pub(super) fn is_executable(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
}

fn entry(real: PathBuf) -> Result<Option<(PathBuf, Metadata)>> {
    match fs::symlink_metadata(&real) {
        Ok(metadata) => Ok(Some((real, metadata))),
        Err(e) if is_absence(e.kind()) => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot stat {}", real.display())),
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// What of a path lies below a directory; both are absolute and plain, as all are here. To take
/// paths to their components for that would be a quarter of the time that a look takes.
fn below<'a>(path: &'a Path, dir: &Path) -> Option<&'a Path> {
    let rest = path.as_os_str().as_bytes().strip_prefix(dir.as_os_str().as_bytes())?;
    let rest = match rest {
        [b'/', rest @ ..] => rest,
        [] => rest,
        _ if dir == Path::new("/") => rest,
        _ => return None,
    };
    Some(Path::new(OsStr::from_bytes(rest)))
}

fn push_front(to_go: &mut VecDeque<OsString>, path: &Path) {
    for component in path.components().rev() {
        match component {
            Component::Normal(name) => to_go.push_front(name.to_owned()),
            Component::ParentDir => to_go.push_front("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
