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

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{
    AtFlags, Dir, FileType, Gid, Mode, OFlags, ResolveFlags, Uid, chmodat, chownat, fchmod, fchown,
    fstat, mkdirat, openat, openat2, readlinkat, renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::files::{MAX_FILE, TEMPORARY};

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

/// A directory that stands for `/`.
#[derive(Debug)]
pub struct Tree {
    root: OwnedFd,
    path: PathBuf,
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
        Ok(Self { root, path })
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.path
    }

    /// What stands at a path, a link that it ends with not followed; `None` if nothing does.
    ///
    /// # Errors
    /// Any other error.
    pub fn lstat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>> {
        let path = path.as_ref();
        self.look(path, OFlags::NOFOLLOW)
    }

    /// What stands at a path, links followed; `None` if nothing does.
    ///
    /// # Errors
    /// Any other error.
    pub fn stat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>> {
        self.look(path.as_ref(), OFlags::empty())
    }

    /// Whether something stands at a path, links followed.
    ///
    /// # Errors
    /// It cannot be found out.
    pub fn exists(&self, path: impl AsRef<Path>) -> Result<bool> {
        Ok(self.stat(path)?.is_some())
    }

    fn look(&self, path: &Path, flags: OFlags) -> Result<Option<Stat>> {
        let found = present(self.lookup(path, OFlags::PATH | flags))
            .with_context(|| format!("cannot look at {}", path.display()))?;
        let Some(fd) = found else { return Ok(None) };
        let stat = fstat(&fd).with_context(|| format!("cannot look at {}", path.display()))?;
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Directory,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        };
        Ok(Some(Stat { kind, mode: stat.st_mode & 0o7777, uid: stat.st_uid, gid: stat.st_gid }))
    }

    /// The file's bytes, links followed, or `None` if there is no such file.
    ///
    /// # Errors
    /// Any other error, what is no regular file, and one larger than [`MAX_FILE`].
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Option<Vec<u8>>> {
        let path = path.as_ref();
        // A pipe must not make a boot wait for somebody to write to it.
        let found = present(self.lookup(path, OFlags::RDONLY | OFlags::NONBLOCK))
            .with_context(|| format!("cannot open {}", path.display()))?;
        let Some(fd) = found else { return Ok(None) };
        let file = File::from(fd);
        let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
        ensure!(is_file, "{} is no regular file", path.display());
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .with_context(|| format!("cannot read {}", path.display()))?;
        if bytes.len() as u64 > MAX_FILE {
            bail!("{} is larger than {} MiB", path.display(), MAX_FILE >> 20);
        }
        Ok(Some(bytes))
    }

    /// Where a link points; `None` if nothing is there.
    ///
    /// # Errors
    /// It is no link, or cannot be read.
    pub fn read_link(&self, path: impl AsRef<Path>) -> Result<Option<PathBuf>> {
        let path = path.as_ref();
        let read = || -> rustix::io::Result<PathBuf> {
            let fd = self.lookup(path, OFlags::PATH | OFlags::NOFOLLOW)?;
            let target = readlinkat(fd, "", Vec::new())?;
            Ok(OsString::from_vec(target.into_bytes()).into())
        };
        present(read()).with_context(|| format!("cannot read the link {}", path.display()))
    }

    /// The names in a directory, sorted; none if there is no such directory.
    ///
    /// # Errors
    /// Any other error.
    pub fn list(&self, directory: impl AsRef<Path>) -> Result<Vec<OsString>> {
        let path = directory.as_ref();
        let list = || -> rustix::io::Result<Vec<OsString>> {
            let fd = self.lookup(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
            let mut names = Vec::new();
            for entry in Dir::read_from(fd)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(OsString::from_vec(name));
                }
            }
            names.sort_unstable();
            Ok(names)
        };
        let names = present(list()).with_context(|| format!("cannot list {}", path.display()))?;
        Ok(names.unwrap_or_default())
    }

    /// Makes a directory; those above it have to be there. One that is there is no error and
    /// is left as it is. Whether it was made.
    ///
    /// # Errors
    /// As mkdir(2), but for EEXIST where it is a directory.
    pub fn make_dir(&self, path: impl AsRef<Path>, mode: u32) -> Result<bool> {
        let path = path.as_ref();
        let make = || -> Result<bool> {
            let (parent, name) = self.parent(path)?;
            match mkdirat(&parent, name, Mode::from_raw_mode(mode)) {
                Ok(()) => {}
                Err(Errno::EXIST)
                    if self.stat(path)?.is_some_and(|it| it.kind == Kind::Directory) =>
                {
                    return Ok(false);
                }
                Err(e) => return Err(e.into()),
            }
            // mkdir(2) takes the umask's bits away.
            chmodat(&parent, name, Mode::from_raw_mode(mode), AtFlags::empty())?;
            Ok(true)
        };
        make().with_context(|| format!("cannot make the directory {}", path.display()))
    }

    /// Makes a directory, and those above it, where they are not there. Whether it was made.
    ///
    /// # Errors
    /// As [`Tree::make_dir`].
    pub fn make_dirs(&self, path: impl AsRef<Path>, mode: u32) -> Result<bool> {
        let path = path.as_ref();
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        for directory in above.into_iter().rev().filter(|it| it.file_name().is_some()) {
            self.make_dir(directory, 0o755)?;
        }
        self.make_dir(path, mode)
    }

    /// Replaces what stands at a path, a link as well, by a file, so that after a power cut
    /// either the old or the new one is there, whole, with its mode and its owner.
    ///
    /// # Errors
    /// Any step that failed; the old file is then still there. That a file cannot be given to
    /// somebody is none if it is theirs anyway.
    pub fn write(
        &self,
        path: impl AsRef<Path>,
        bytes: &[u8],
        mode: u32,
        owner: (u32, u32),
    ) -> Result<()> {
        let path = path.as_ref();
        let write = || -> Result<()> {
            let (parent, name) = self.parent(path)?;
            let temporary = temporary_name(name);
            let written = write_new(&parent, &temporary, bytes, mode, owner)
                .and_then(|()| Ok(renameat(&parent, &temporary, &parent, name)?));
            if let Err(e) = written {
                // Whatever becomes of it: the first error is the one to be told.
                let _gone = unlinkat(&parent, &temporary, AtFlags::empty());
                return Err(e);
            }
            sync(&parent)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Replaces what stands at a path, unless it is a directory, by a symbolic link.
    ///
    /// # Errors
    /// Any step that failed.
    pub fn link(&self, path: impl AsRef<Path>, target: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let link = || -> Result<()> {
            let (parent, name) = self.parent(path)?;
            let temporary = temporary_name(name);
            present(unlinkat(&parent, &temporary, AtFlags::empty()))?;
            symlinkat(target.as_ref(), &parent, &temporary)?;
            renameat(&parent, &temporary, &parent, name)?;
            sync(&parent)
        };
        link().with_context(|| format!("cannot make the link {}", path.display()))
    }

    /// Removes a file or a link; one that is not there is no error.
    ///
    /// # Errors
    /// As unlink(2), but for ENOENT.
    pub fn remove(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let remove = || -> Result<()> {
            let Some((parent, name)) = present(self.parent_raw(path))? else { return Ok(()) };
            present(unlinkat(&parent, name, AtFlags::empty()))?;
            sync(&parent)
        };
        remove().with_context(|| format!("cannot remove {}", path.display()))
    }

    /// Sets the permission bits of what stands at a path; a link at its end is refused.
    ///
    /// # Errors
    /// As chmod(2).
    pub fn chmod(&self, path: impl AsRef<Path>, mode: u32) -> Result<()> {
        let path = path.as_ref();
        self.not_a_link(path)?;
        let chmod = || -> Result<()> {
            let (parent, name) = self.parent(path)?;
            Ok(chmodat(&parent, name, Mode::from_raw_mode(mode), AtFlags::empty())?)
        };
        chmod().with_context(|| format!("cannot set the permissions of {}", path.display()))
    }

    /// Gives what stands at a path, a link itself, to somebody.
    ///
    /// # Errors
    /// As chown(2); none if it is theirs anyway.
    pub fn chown(&self, path: impl AsRef<Path>, owner: (u32, u32)) -> Result<()> {
        let path = path.as_ref();
        let chown = || -> Result<()> {
            let (parent, name) = self.parent(path)?;
            let stat = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
            if (stat.st_uid, stat.st_gid) == owner {
                return Ok(());
            }
            let (uid, gid) = ids(owner);
            Ok(chownat(&parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?)
        };
        chown()
            .with_context(|| format!("cannot give {} to {}:{}", path.display(), owner.0, owner.1))
    }

    /// chmod(2) follows links, out of the tree as well.
    fn not_a_link(&self, path: &Path) -> Result<()> {
        let is_link = self.lstat(path)?.is_some_and(|it| it.kind == Kind::Link);
        ensure!(!is_link, "{} is a link, which has no permissions", path.display());
        Ok(())
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

fn write_new(
    parent: &OwnedFd,
    name: &OsStr,
    bytes: &[u8],
    mode: u32,
    owner: (u32, u32),
) -> Result<()> {
    present(unlinkat(parent, name, AtFlags::empty()))?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    // Nobody may read it until it is whose it is to be.
    let fd = openat(parent, name, flags, Mode::from_raw_mode(0o600))?;
    let mut file = File::from(fd);
    file.write_all(bytes)?;
    let stat = fstat(&file)?;
    if (stat.st_uid, stat.st_gid) != owner {
        let (uid, gid) = ids(owner);
        fchown(&file, uid, gid)
            .with_context(|| format!("cannot give it to {}:{}", owner.0, owner.1))?;
    }
    // After chown(2), which clears the set-user-ID bit.
    fchmod(&file, Mode::from_raw_mode(mode))?;
    file.sync_all()?;
    Ok(())
}

fn ids((uid, gid): (u32, u32)) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
}

/// Makes the names in a directory durable: descriptors of `O_PATH` cannot be synchronised.
fn sync(directory: &OwnedFd) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    File::from(openat(directory, ".", flags, Mode::empty())?).sync_all()?;
    Ok(())
}

/// No longer than a name may be (255 bytes).
fn temporary_name(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let kept = &bytes[..bytes.len().min(200)];
    let mut temporary = OsString::from(TEMPORARY);
    temporary.push(OsStr::from_bytes(kept));
    temporary
}

/// `None` for what is not there: ENOTDIR too, which a path through a file gives.
fn present<T>(result: rustix::io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    /// A tree, and a file beside it that must never change.
    fn world() -> (tempfile::TempDir, Tree, (u32, u32)) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("etc")).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        fs::write(dir.path().join("outside/secret"), "old").unwrap();
        symlink(dir.path().join("outside"), root.join("absolute")).unwrap();
        symlink("../../../../../outside", root.join("etc/relative")).unwrap();
        symlink("../outside/secret", root.join("file")).unwrap();
        let owner = fs::metadata(&root).map(|it| (it.uid(), it.gid())).unwrap();
        (dir, Tree::open(root).unwrap(), owner)
    }

    #[test]
    fn nothing_leads_out() {
        let (dir, tree, owner) = world();
        for path in ["/absolute/secret", "/etc/relative/secret", "/file", "/../outside/secret"] {
            assert_eq!(tree.read(path).unwrap(), None, "{path}");
            if path != "/file" {
                tree.write(path, b"new", 0o644, owner).unwrap_err();
            }
        }
        tree.write("/file", b"new", 0o644, owner).unwrap();
        assert_eq!(fs::read(dir.path().join("root/file")).unwrap(), b"new");
        assert_eq!(fs::read(dir.path().join("outside/secret")).unwrap(), b"old");
        tree.make_dirs("/../../made/here", 0o700).unwrap();
        assert!(dir.path().join("root/made/here").is_dir());
        tree.remove("/absolute/secret").unwrap();
        tree.chmod("/etc/relative", 0o700).unwrap_err();
        assert!(dir.path().join("outside/secret").exists());
    }

    #[test]
    fn a_file_is_whole_and_nothing_else_is_left() {
        let (dir, tree, owner) = world();
        tree.write("/etc/hosts", b"one", 0o600, owner).unwrap();
        tree.write("/etc/hosts", b"two", 0o4711, owner).unwrap();
        let stat = tree.lstat("/etc/hosts").unwrap().unwrap();
        assert_eq!((stat.kind, stat.mode), (Kind::File, 0o4711));
        assert_eq!(tree.list("/etc").unwrap(), ["hosts", "relative"]);
        tree.link("/etc/hosts", "../usr/hosts").unwrap();
        assert_eq!(tree.read_link("/etc/hosts").unwrap(), Some("../usr/hosts".into()));
        assert_eq!(tree.stat("/etc/hosts").unwrap(), None);
        tree.remove("/etc/hosts").unwrap();
        tree.remove("/etc/hosts").unwrap();
        assert!(!dir.path().join("root/etc/hosts").exists());
    }

    #[test]
    fn what_is_no_regular_file_is_not_read() {
        let (_dir, tree, owner) = world();
        assert!(tree.read("/etc").unwrap_err().to_string().contains("no regular file"));
        assert_eq!(tree.read("/etc/none/none").unwrap(), None);
        assert!(tree.list("/none").unwrap().is_empty());
        tree.write("/etc/..", b"", 0o644, owner).unwrap_err();
        tree.write("/", b"", 0o644, owner).unwrap_err();
        assert!(!tree.make_dir("/etc", 0o700).unwrap());
    }

    #[test]
    fn a_directory_has_its_mode_whatever_the_umask() {
        let (_dir, tree, _) = world();
        assert!(tree.make_dirs("/var/lib/shared", 0o1777).unwrap());
        assert_eq!(tree.stat("/var/lib/shared").unwrap().unwrap().mode, 0o1777);
        assert_eq!(tree.stat("/var/lib").unwrap().unwrap().mode, 0o755);
    }
}
