//! Takes a configuration off its drive: into memory, so that the drive can be
//! let go before anything of it runs, and with a hash that names it.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::sys::files;

/// A configuration is smaller: what is larger would fill the memory that the
/// initrd runs in.
const MAX_TOTAL: u64 = 512 << 20;
/// A directory deeper than this is a damaged one.
const MAX_DEPTH: u32 = 32;

/// Copies the directory `from` to `to`, which is made anew, readable by root
/// alone, and returns the SHA-256 of names and contents, in hexadecimal.
/// Devices, sockets and pipes are left out, with a warning.
///
/// # Errors
/// Anything that cannot be read or written: half a configuration is none.
pub fn copy(from: &Path, to: &Path) -> Result<String> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("cannot remove {}", to.display()))?;
    }
    let mut copy = Copy { hash: Sha256::new(), total: 0 };
    copy.directory(from, to, 0)?;
    Ok(copy.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The same for a configuration that is a script and nothing else.
///
/// # Errors
/// It cannot be written.
pub fn script(script: &[u8], to: &Path) -> Result<String> {
    let from = tempfile::tempdir().context("cannot make a directory")?;
    fs::write(from.path().join("script"), script).context("cannot write the script")?;
    copy(from.path(), to)
}

struct Copy {
    hash: Sha256,
    total: u64,
}

impl Copy {
    fn directory(&mut self, from: &Path, to: &Path, depth: u32) -> Result<()> {
        ensure!(depth < MAX_DEPTH, "{} is nested too deeply", from.display());
        fs::DirBuilder::new()
            .recursive(depth == 0)
            .mode(0o700)
            .create(to)
            .with_context(|| format!("cannot make {}", to.display()))?;
        for path in files::list(from)? {
            let Some(name) = path.file_name() else { continue };
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
            dest.write_all(&chunk[..n])?;
        }
        self.hash.update(length.to_le_bytes());
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
        assert_eq!(fs::read_to_string(to.join("link")).unwrap(), "secret");
        assert_eq!(to.join("sub/key").metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(to.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        fs::rename(from.join("sub/key"), from.join("sub/kex")).unwrap();
        assert_ne!(first, copy(&from, &to).unwrap());
        assert!(!to.join("sub/key").exists());
    }
}
