//! Takes a configuration off its source: into memory, so that the source can be
//! let go before anything of it runs, with a hash that names it. What is verified is
//! this copy: a drive may answer otherwise when it is read again.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use base16ct::lower::encode_string;
use sha2::{Digest, Sha256};

use super::trust::Files;
use crate::sys::files;

/// A configuration is smaller: what is larger would fill the memory that the
/// initrd runs in.
pub const MAX_TOTAL: u64 = 512 << 20;
/// A directory deeper than this is a damaged one.
const MAX_DEPTH: u32 = 32;

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// SHA-256 of names and contents, in hexadecimal.
    pub sha256: String,
    /// The files, by their paths in the copy, each with its SHA-256 in hexadecimal.
    pub files: Files,
    /// What is neither file nor directory, for whoever cannot have that.
    pub others: Vec<PathBuf>,
}

/// Copies the directory `from` to `to`, which is made anew, readable by root
/// alone. Devices, sockets and pipes are left out, with a warning.
///
/// # Errors
/// Anything that cannot be read or written: half a configuration is none.
pub fn copy(from: &Path, to: &Path) -> Result<Copied> {
    copy_only(from, to, None)
}

/// The same, of what has one of these names in it, where there are names: a stick with a
/// configuration may have much else on it.
///
/// # Errors
/// As [`copy`].
pub fn copy_only(from: &Path, to: &Path, only: Option<&[&str]>) -> Result<Copied> {
    remove(to)?;
    let (hash, copied) = (Sha256::new(), Copied::default());
    let mut copy = Copy { root: from, only, hash, total: 0, copied };
    copy.directory(from, to, 0)?;
    Ok(Copied { sha256: encode_string(&copy.hash.finalize()), ..copy.copied })
}

/// Removes a directory with all that is in it; one that is not there is no error.
///
/// # Errors
/// It is still there.
pub fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", dir.display()))
        }
        _ => Ok(()),
    }
}

struct Copy<'a> {
    root: &'a Path,
    only: Option<&'a [&'a str]>,
    hash: Sha256,
    total: u64,
    copied: Copied,
}

impl Copy<'_> {
    fn name_of(&self, path: &Path) -> PathBuf {
        path.strip_prefix(self.root).unwrap_or(path).to_owned()
    }

    fn directory(&mut self, from: &Path, to: &Path, depth: u32) -> Result<()> {
        ensure!(depth < MAX_DEPTH, "{} is nested too deeply", from.display());
        fs::DirBuilder::new()
            .recursive(depth == 0)
            .mode(0o700)
            .create(to)
            .with_context(|| format!("cannot make {}", to.display()))?;
        for path in files::list(from)? {
            let Some(name) = path.file_name() else { continue };
            let is_meant = |only: &[&str]| only.iter().any(|it| name == *it);
            if depth == 0 && !self.only.is_none_or(is_meant) {
                continue;
            }
            let name_bytes = name.as_encoded_bytes();
            self.hash.update(depth.to_le_bytes());
            self.hash.update(name_bytes.len().to_le_bytes());
            self.hash.update(name_bytes);
            self.entry(&path, &to.join(name), depth)
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
        Ok(())
    }

    fn entry(&mut self, from: &Path, to: &Path, depth: u32) -> Result<()> {
        let metadata = from.symlink_metadata()?;
        if metadata.is_dir() {
            return self.directory(from, to, depth + 1);
        }
        if metadata.is_symlink() {
            let target = fs::read_link(from)?;
            self.hash.update(target.as_os_str().as_encoded_bytes());
            self.copied.others.push(self.name_of(from));
            return Ok(symlink(target, to)?);
        }
        if !metadata.is_file() {
            log::warn!("{} is no file, directory or link: left out", from.display());
            return Ok(());
        }
        self.file(from, to, metadata.permissions().mode())
    }

    fn file(&mut self, from: &Path, to: &Path, mode: u32) -> Result<()> {
        let mut source = File::open(from)?;
        let mode = 0o600 | mode & 0o100;
        let mut dest = File::options().write(true).create_new(true).mode(mode).open(to)?;
        let mut own = Sha256::new();
        let mut length = 0;
        let mut chunk = vec![0; 64 << 10];
        loop {
            let n = source.read(&mut chunk)?;
            if n == 0 {
                break;
            }
            self.total += n as u64;
            ensure!(self.total <= MAX_TOTAL, "all together is larger than {} MiB", MAX_TOTAL >> 20);
            length += n as u64;
            self.hash.update(&chunk[..n]);
            own.update(&chunk[..n]);
            dest.write_all(&chunk[..n])?;
        }
        self.hash.update(length.to_le_bytes());
        self.copied.files.insert(self.name_of(from), encode_string(&own.finalize()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_is_whole_private_and_named_by_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("from"), dir.path().join("deep/to"));
        fs::create_dir_all(from.join("sub")).unwrap();
        fs::write(from.join("script"), "#!/bin/sh\n").unwrap();
        fs::write(from.join("sub/key"), "secret").unwrap();
        symlink("sub/key", from.join("link")).unwrap();
        let first = copy(&from, &to).unwrap();
        assert_eq!(first, copy(&from, &to).unwrap());
        // printf secret | sha256sum
        let sum = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        assert_eq!(first.files[Path::new("sub/key")], sum);
        assert_eq!((first.files.len(), &first.others[..]), (2, &[PathBuf::from("link")][..]));
        assert_eq!(fs::read_to_string(to.join("link")).unwrap(), "secret");
        assert_eq!(to.join("sub/key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        fs::rename(from.join("sub/key"), from.join("sub/kex")).unwrap();
        assert_ne!(first.sha256, copy(&from, &to).unwrap().sha256);
        assert!(!to.join("sub/key").exists());
    }
}
