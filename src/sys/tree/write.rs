//! What is made, replaced and removed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Uid, chmodat, chownat, fchmod, fchown, fstat, mkdirat, openat,
    renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use super::{Durable, Kind, Tree, present};
use crate::sys::files::TEMPORARY;

impl Tree {
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
            let written = self
                .write_new(&parent, &temporary, bytes, mode, owner)
                .and_then(|()| Ok(renameat(&parent, &temporary, &parent, name)?));
            if let Err(e) = written {
                // Whatever becomes of it: the first error is the one to be told.
                let _gone = unlinkat(&parent, &temporary, AtFlags::empty());
                return Err(e);
            }
            self.sync(&parent)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// A new, empty file, to be written to.
    ///
    /// # Errors
    /// As open(2); EEXIST if something is there.
    pub fn create(&self, path: impl AsRef<Path>, mode: u32) -> Result<File> {
        let path = path.as_ref();
        let create = || -> Result<File> {
            let (parent, name) = self.parent(path)?;
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            Ok(openat(&parent, name, flags, Mode::from_raw_mode(mode))?.into())
        };
        create().with_context(|| format!("cannot make {}", path.display()))
    }

    /// Gives a file another name, durably; what has that name is replaced.
    ///
    /// # Errors
    /// As rename(2).
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
        let (from, to) = (from.as_ref(), to.as_ref());
        let rename = || -> Result<()> {
            let ((old, old_name), (new, new_name)) = (self.parent(from)?, self.parent(to)?);
            renameat(&old, old_name, &new, new_name)?;
            self.sync(&new)
        };
        rename().with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
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
            self.sync(&parent)
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
            self.sync(&parent)
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

    fn write_new(
        &self,
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
        if self.durable == Durable::Each {
            file.sync_all()?;
        }
        Ok(())
    }

    /// Makes the names in a directory durable: descriptors of `O_PATH` cannot be synchronised.
    fn sync(&self, directory: &OwnedFd) -> Result<()> {
        if self.durable == Durable::Together {
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        File::from(openat(directory, ".", flags, Mode::empty())?).sync_all()?;
        Ok(())
    }

    /// chmod(2) follows links, out of the tree as well.
    fn not_a_link(&self, path: &Path) -> Result<()> {
        let is_link = self.lstat(path)?.is_some_and(|it| it.kind == Kind::Link);
        ensure!(!is_link, "{} is a link, which has no permissions", path.display());
        Ok(())
    }
}

fn ids((uid, gid): (u32, u32)) -> (Option<Uid>, Option<Gid>) {
    (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
}

/// No longer than a name may be (255 bytes).
fn temporary_name(name: &OsStr) -> OsString {
    let bytes = name.as_bytes();
    let kept = &bytes[..bytes.len().min(200)];
    let mut temporary = OsString::from(TEMPORARY);
    temporary.push(OsStr::from_bytes(kept));
    temporary
}
