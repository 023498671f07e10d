//! What is looked at and read.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rustix::fs::{Dir, FileType, OFlags, fstat, readlinkat};

use super::{Kind, Stat, Tree, present};
use crate::sys::files;

impl Tree {
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

    /// The file systems, or subvolumes of btrfs, that a change of a path writes to: where it is,
    /// and where the directory is that it is in, or would be made in (`st_dev`, stat(2)).
    ///
    /// # Errors
    /// It cannot be looked at.
    pub fn devices(&self, path: impl AsRef<Path>) -> Result<BTreeSet<u64>> {
        let path = path.as_ref();
        let device = |path: &Path, flags: OFlags| -> Result<Option<u64>> {
            let look = || fstat(self.lookup(path, OFlags::PATH | flags)?);
            let found = present(look());
            let found = found.with_context(|| format!("cannot look at {}", path.display()))?;
            Ok(found.map(|stat| stat.st_dev))
        };
        let mut devices: BTreeSet<_> = device(path, OFlags::NOFOLLOW)?.into_iter().collect();
        for above in path.ancestors().skip(1) {
            if let Some(found) = device(above, OFlags::empty())? {
                devices.insert(found);
                break;
            }
        }
        Ok(devices)
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
        files::whole(file, path).map(Some)
    }

    /// Opens what stands at a path for reading, links followed; `None` if nothing does.
    ///
    /// # Errors
    /// Any other error.
    pub fn open_for_reading(&self, path: impl AsRef<Path>) -> Result<Option<File>> {
        let path = path.as_ref();
        let found = present(self.lookup(path, OFlags::RDONLY | OFlags::NONBLOCK));
        let found = found.with_context(|| format!("cannot open {}", path.display()))?;
        Ok(found.map(File::from))
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
}
