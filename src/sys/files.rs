//! Reading and replacing files, below a root.
//!
//! Two rules hold everywhere: only "not found" is absence, every other error is
//! reported with the path; and a file that is written here is replaced whole.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

/// No file that this program reads as a whole is larger. Without a limit, a
/// damaged file system or a hostile drive could make a boot run out of memory.
pub const MAX_FILE: u64 = 16 << 20;

/// What the names of files begin with that are about to take another's place. A
/// power cut may leave one behind.
pub const TEMPORARY: &str = ".new-";

/// A directory that stands for `/`, as `systemctl --root` has it.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// The given directory as root.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self(dir.into())
    }

    /// An absolute path of the system, below this root.
    ///
    /// Symbolic links are not confined: use it for the system's own files,
    /// never for a path that a configuration names.
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// Makes sure that it is there: all that is not found below one that is not would be taken for
    /// absent, and the answer for one about a system.
    ///
    /// # Errors
    /// It is not, or is no directory.
    pub fn check(&self) -> Result<()> {
        let name = || format!("--root {}", self.0.display());
        let metadata = fs::metadata(&self.0).with_context(name)?;
        if !metadata.is_dir() {
            bail!("{}: it is no directory", name());
        }
        Ok(())
    }

    /// Whether this is the running system, where its services can be asked.
    pub fn is_live(&self) -> bool {
        self.0 == Path::new("/")
    }
}

/// The file's bytes, or `None` if there is no such file.
///
/// # Errors
/// Any other error, and a file larger than [`MAX_FILE`].
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if is_absence(&e) => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot open {}", path.display())),
    };
    whole(file, path).map(Some)
}

/// The rest of an open file, which is called `path` in messages.
///
/// # Errors
/// It cannot be read, or is larger than [`MAX_FILE`].
pub fn whole(file: File, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() as u64 > MAX_FILE {
        bail!("{} is larger than {} MiB", path.display(), MAX_FILE >> 20);
    }
    Ok(bytes)
}

/// The file's text, or `None` if there is no such file.
///
/// # Errors
/// As [`read`], and text that is not UTF-8.
pub fn read_text(path: &Path) -> Result<Option<String>> {
    read(path)?
        .map(|bytes| {
            String::from_utf8(bytes).with_context(|| format!("{} is not UTF-8", path.display()))
        })
        .transpose()
}

/// Replaces `path` by `bytes`, so that after a power cut either the old or the
/// new content is there, whole, and after the return the new one (rename(2);
/// fsync(2) of the file and of its directory).
///
/// # Errors
/// Any step that failed; the old file is then still there.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    write_and_rename(path, bytes, mode, true)
        .with_context(|| format!("cannot replace {}", path.display()))
}

/// The same for whoever synchronises the whole file system before it matters: it is whole for
/// readers, but only then durable.
///
/// # Errors
/// As [`replace`].
pub fn replace_unsynced(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    write_and_rename(path, bytes, mode, false)
        .with_context(|| format!("cannot replace {}", path.display()))
}

fn write_and_rename(path: &Path, bytes: &[u8], mode: u32, durable: bool) -> Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(dir)?;
    let mut temporary = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(dir)?;
    temporary.write_all(bytes)?;
    temporary.as_file().set_permissions(Permissions::from_mode(mode))?;
    if durable {
        temporary.as_file().sync_all()?;
    }
    temporary.persist(path)?;
    if durable {
        sync_dir(dir)?;
    }
    Ok(())
}

/// Makes the names in a directory durable.
///
/// # Errors
/// As open(2) and fsync(2).
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Takes from a directory what keeps even root from renaming, emptying or deleting it:
/// the attributes `i` and `a` of chattr(1).
///
/// # Errors
/// As the ioctls.
pub fn clear_immutable(dir: &Path) -> Result<()> {
    let clear = || -> io::Result<()> {
        let dir = File::open(dir)?;
        let flags = ioctl_getflags(&dir)?;
        let cleared = flags.difference(IFlags::IMMUTABLE | IFlags::APPEND);
        if cleared != flags {
            ioctl_setflags(&dir, cleared)?;
        }
        Ok(())
    };
    clear().with_context(|| format!("cannot change the attributes of {}", dir.display()))
}

/// Removes a file; one that is not there is no error.
///
/// # Errors
/// As unlink(2), but for ENOENT.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if !is_absence(&e) => {
            Err(e).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The names in a directory, sorted; none if there is no such directory.
///
/// # Errors
/// Any other error.
pub fn list(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if is_absence(&e) => return Ok(Vec::new()),
        Err(e) => return Err(e).with_context(|| format!("cannot list {}", dir.display())),
    };
    let mut paths = entries
        .map(|entry| entry.map(|e| e.path()))
        .collect::<io::Result<Vec<_>>>()
        .with_context(|| format!("cannot list {}", dir.display()))?;
    // By name: `Path` would compare the directory too, component by component.
    paths.sort_unstable_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(paths)
}

/// ENOTDIR counts: it is what a path through a missing directory's name gives
/// when a file stands in its place.
fn is_absence(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_not_an_error_and_everything_else_is() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(&dir.path().join("none")).unwrap().is_none());
        assert!(list(&dir.path().join("none")).unwrap().is_empty());
        remove(&dir.path().join("none")).unwrap();
        let error = read(dir.path()).unwrap_err();
        assert!(format!("{error:#}").contains(&*dir.path().to_string_lossy()));
    }

    #[test]
    fn replace_leaves_no_temporary_file_and_the_mode_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/file");
        replace(&path, b"one", 0o600).unwrap();
        replace(&path, b"two", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        assert_eq!(list(path.parent().unwrap()).unwrap(), [path]);
    }

    #[test]
    fn an_oversized_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("big");
        File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("larger than 16 MiB"));
    }
}
