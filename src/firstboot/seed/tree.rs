//! The files of a seed: a directory that may be anybody's, or bytes by name.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Component, Path};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

use super::Named;
use crate::sys::files::{self, MAX_FILE};

/// Where a seed's files are.
#[derive(Clone, Debug)]
pub struct Tree {
    /// What they are called in messages.
    name: Arc<str>,
    within: Within,
}

#[derive(Clone, Debug)]
enum Within {
    Directory(Box<Path>),
    Memory(BTreeMap<String, Vec<u8>>),
}

impl Tree {
    /// A directory; `name` is what it is called in messages.
    pub fn directory(path: &Path, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), within: Within::Directory(path.into()) }
    }

    /// Bytes, by their paths in the seed.
    pub fn memory(files: BTreeMap<String, Vec<u8>>, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), within: Within::Memory(files) }
    }

    /// What a file of it is called in messages.
    pub fn name_of(&self, path: &str) -> Arc<str> {
        if self.name.is_empty() { path.into() } else { format!("{}: {path}", self.name).into() }
    }

    /// A file of it; `None` if there is no such file.
    ///
    /// # Errors
    /// It cannot be read, is larger than [`MAX_FILE`], or its path leads out of the seed, by
    /// itself or by a link: what is outside are the machine's own secrets.
    pub fn read(&self, path: &str) -> Result<Option<Named>> {
        let source = self.name_of(path);
        let bytes = confined(path).and_then(|()| match &self.within {
            Within::Directory(dir) => read_beneath(dir, path),
            Within::Memory(files) => Ok(files.get(path).cloned()),
        });
        let bytes = bytes.with_context(|| source.to_string())?;
        Ok(bytes.map(|bytes| Named { source, bytes }))
    }

    /// The names in a directory of it; none if there is no such directory.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn names(&self, dir: &str) -> Result<Vec<String>> {
        confined(dir)?;
        match &self.within {
            Within::Directory(root) => {
                let paths = files::list(&root.join(dir)).with_context(|| self.name_of(dir))?;
                let name = |path: &std::path::PathBuf| Some(path.file_name()?.to_str()?.to_owned());
                Ok(paths.iter().filter_map(name).collect())
            }
            Within::Memory(files) => {
                let inside = |path: &String| {
                    let rest = path.strip_prefix(dir)?.strip_prefix('/')?;
                    Some(rest.split('/').next().unwrap_or(rest).to_owned())
                };
                let mut names: Vec<_> = files.keys().filter_map(inside).collect();
                names.dedup();
                Ok(names)
            }
        }
    }
}

/// Whether a path stays below where it begins, by its looks.
pub(super) fn confined(path: &str) -> Result<()> {
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(
        is_inside && !path.is_empty() && !path.contains('\0'),
        "{path:?} leads out of the seed"
    );
    Ok(())
}

fn read_beneath(dir: &Path, path: &str) -> Result<Option<Vec<u8>>> {
    let root = match File::open(dir) {
        Ok(root) => root,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot open {}", dir.display())),
    };
    // Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = match openat2(root.as_fd(), path, how) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT | Errno::ENOTDIR) => return Ok(None),
        Err(Errno::EXDEV) => bail!("it is a link that leads out of the seed: put the file there"),
        Err(e) => return Err(e).context("it cannot be opened"),
    };
    ensure!(file.metadata()?.is_file(), "it is no file");
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).context("it cannot be read")?;
    ensure!(bytes.len() as u64 <= MAX_FILE, "it is larger than {} MiB", MAX_FILE >> 20);
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_outside_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("seed");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        fs::write(root.join("sub/file"), "content").unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink(dir.path(), root.join("absolute")).unwrap();
        symlink("sub/file", root.join("in")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        nix::unistd::mkfifo(&root.join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let tree = Tree::directory(&root, "/dev/sr0");
        for path in ["sub/file", "in"] {
            assert_eq!(tree.read(path).unwrap().unwrap().bytes, b"content", "{path}");
        }
        for path in ["none", "none/file", "sub/file/x", "dangling"] {
            assert_eq!(tree.read(path).unwrap(), None, "{path}");
        }
        for (path, says) in [
            ("out", "/dev/sr0: out: it is a link that leads out of the seed"),
            ("absolute/secret", "leads out"),
            ("../secret", "leads out"),
            ("sub/../../secret", "leads out"),
            ("/etc/shadow", "leads out"),
            ("", "leads out"),
            ("a\0b", "leads out"),
            ("sub", "it is no file"),
            ("pipe", "it is no file"),
        ] {
            let error = format!("{:#}", tree.read(path).unwrap_err());
            assert!(error.contains(says), "{path}: {error}");
        }
        assert_eq!(tree.names("sub").unwrap(), ["file"]);
        assert!(tree.names("none").unwrap().is_empty() && tree.names("..").is_err());
    }

    #[test]
    fn memory_is_as_a_directory() {
        let files = ["openstack/a/x", "openstack/a/y", "openstack/b", "other"];
        let files = files.map(|name| (name.to_owned(), name.as_bytes().to_vec()));
        let tree = Tree::memory(files.into(), "");
        assert_eq!(tree.names("openstack").unwrap(), ["a", "b"]);
        assert_eq!(&*tree.read("other").unwrap().unwrap().source, "other");
        assert!(tree.read("../other").is_err() && tree.read("none").unwrap().is_none());
    }
}
