//! A snapshot's files as its own system would see them: symbolic links stay
//! inside it, and `/etc` may be made of layers that nobody has mounted yet.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
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
        Self { root: root.into(), etc_layers, mounts }
    }

    /// Follows a path of the system, which is absolute.
    ///
    /// # Errors
    /// More links than the kernel would follow, or a directory that cannot be
    /// looked into.
    pub(super) fn at(&self, path: &Path) -> Result<At> {
        let mut to_go: VecDeque<OsString> = VecDeque::new();
        push_front(&mut to_go, path);
        let mut here = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = to_go.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            if self.mount_of(&next).is_some_and(|place| place.seen.is_none()) {
                return Ok(At::Unknown);
            }
            let Some((real, metadata)) = self.entry(&next)? else { return Ok(At::Missing) };
            if metadata.is_symlink() {
                links += 1;
                ensure!(links <= MOST_LINKS, "{} is a loop of symbolic links", path.display());
                let target = fs::read_link(&real)
                    .with_context(|| format!("cannot read the link {}", next.display()))?;
                if target == Path::new("/dev/null") {
                    return Ok(At::Null);
                }
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                push_front(&mut to_go, &target);
                continue;
            }
            here = next;
            if to_go.is_empty() {
                return Ok(At::There(here, real, metadata));
            }
        }
        match self.entry(&here)? {
            Some((real, metadata)) => Ok(At::There(here, real, metadata)),
            None => Ok(At::Missing),
        }
    }

    /// The mount that a path is on, unless it is on the snapshot itself.
    fn mount_of(&self, path: &Path) -> Option<&Place> {
        let covers = self.mounts.iter().filter(|place| path.starts_with(&place.target));
        covers.max_by_key(|place| place.target.as_os_str().len())
    }

    /// One entry, without following it.
    fn entry(&self, path: &Path) -> Result<Option<(PathBuf, Metadata)>> {
        if let (Ok(rest), false) = (path.strip_prefix("/etc"), self.etc_layers.is_empty()) {
            for layer in &self.etc_layers {
                let Some((real, metadata)) = entry(layer.join(rest))? else { continue };
                // overlayfs marks what was deleted by a device 0/0.
                let whiteout = metadata.file_type().is_char_device() && metadata.rdev() == 0;
                return Ok((!whiteout).then_some((real, metadata)));
            }
            return Ok(None);
        }
        let (dir, below) = self
            .mount_of(path)
            .and_then(|it| Some((it.seen.as_ref()?, it.target.as_path())))
            .unwrap_or((&self.root, Path::new("/")));
        entry(dir.join(path.strip_prefix(below).unwrap_or(path)))
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
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> (tempfile::TempDir, Tree) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for sub in ["usr/lib", "etc", "upper"] {
            fs::create_dir_all(root.join(sub)).unwrap();
        }
        fs::write(root.join("usr/lib/a"), "a").unwrap();
        fs::write(root.join("etc/both"), "lower").unwrap();
        fs::write(root.join("upper/both"), "upper").unwrap();
        fs::write(root.join("etc/below"), "below").unwrap();
        for (link, to) in [
            ("lib", "usr/lib"),
            ("absolute", "/usr/lib/a"),
            ("outside", "../../../../../../usr/lib/a"),
            ("loop", "loop"),
            ("masked", "/dev/null"),
            ("dangling", "/nowhere"),
            ("gone", "/var/lib/x"),
        ] {
            symlink(to, root.join(link)).unwrap();
        }
        let layers = vec![root.join("upper"), root.join("etc")];
        fs::create_dir(dir.path().join("beside")).unwrap();
        fs::write(dir.path().join("beside/b"), "b").unwrap();
        let place = |target: &str, seen| Place { target: target.into(), seen };
        let beside = place("/usr/local", Some(dir.path().join("beside")));
        let tree = Tree::new(root, layers, vec![place("/var", None), beside]);
        (dir, tree)
    }

    #[test]
    fn links_stay_inside() {
        let (_dir, tree) = tree();
        for (path, end) in [
            ("/lib/a", "/usr/lib/a"),
            ("/absolute", "/usr/lib/a"),
            ("/outside", "/usr/lib/a"),
            ("/", "/"),
            ("/lib/../lib/./a", "/usr/lib/a"),
            ("/usr/local/b", "/usr/local/b"),
            ("/usr/local/../lib/a", "/usr/lib/a"),
        ] {
            let At::There(at, ..) = tree.at(Path::new(path)).unwrap() else { panic!("{path}") };
            assert_eq!(at, Path::new(end), "{path}");
        }
        assert!(tree.at(Path::new("/loop")).unwrap_err().to_string().contains("loop"));
        assert!(matches!(tree.at(Path::new("/masked")).unwrap(), At::Null));
        assert!(matches!(tree.at(Path::new("/dangling")).unwrap(), At::Missing));
        assert!(matches!(tree.at(Path::new("/lib/a/b")).unwrap(), At::Missing));
        assert!(matches!(tree.at(Path::new("/gone")).unwrap(), At::Unknown));
        assert!(matches!(tree.at(Path::new("/usr/local/a")).unwrap(), At::Missing));
    }

    #[test]
    fn etc_is_what_its_layers_make_of_it() {
        let (_dir, tree) = tree();
        let text = |path: &str| tree.text(Path::new(path)).unwrap();
        assert_eq!(text("/etc/both").as_deref(), Some("upper"));
        assert_eq!(text("/etc/below").as_deref(), Some("below"));
        assert_eq!(text("/etc/none"), None);
        assert_eq!(tree.names(Path::new("/etc")).unwrap(), ["below", "both"]);
        assert!(tree.text(Path::new("/usr")).unwrap_err().to_string().contains("regular"));
    }
}
