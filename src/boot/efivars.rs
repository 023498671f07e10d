//! Variables in the firmware, through the kernel's efivarfs
//! (`Documentation/filesystems/efivarfs.rst`): four bytes of attributes, then the value.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::sys::files::{self, Root};

const DIR: &str = "/sys/firmware/efi/efivars";
/// The vendor of the variables of systemd's "Boot Loader Interface".
const LOADER: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
/// Kept over resets, and to be seen by loaders and systems (UEFI specification, 8.2).
const KEPT: u32 = 0x7;

/// Whether this machine's firmware has variables that can be seen here.
pub fn are_there(root: &Root) -> bool {
    fs::read_dir(root.join(DIR)).is_ok_and(|mut entries| entries.next().is_some())
}

/// A variable, set or not.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    name: &'static str,
    vendor: &'static str,
}

impl Variable {
    /// One of a vendor's.
    pub const fn new(name: &'static str, vendor: &'static str) -> Self {
        Self { name, vendor }
    }

    /// One of those in which loader and system tell each other of a start.
    pub const fn of_loader(name: &'static str) -> Self {
        Self::new(name, LOADER)
    }

    fn path(self, root: &Root) -> PathBuf {
        root.join(DIR).join(format!("{}-{}", self.name, self.vendor))
    }

    /// Whether it is set.
    pub fn is_set(self, root: &Root) -> bool {
        self.path(root).exists()
    }

    /// Its value; `None` if it is not set.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn value(self, root: &Root) -> Result<Option<Vec<u8>>> {
        let Some(bytes) = files::read(&self.path(root))? else { return Ok(None) };
        let value = bytes.get(4..).with_context(|| format!("{}: too short", self.name))?;
        Ok(Some(value.to_owned()))
    }

    /// Its text; `None` if it is not set.
    ///
    /// # Errors
    /// It cannot be read, or is no text.
    pub fn text(self, root: &Root) -> Result<Option<String>> {
        let value = self.value(root)?;
        value.map(|value| decode(&value).with_context(|| self.name.to_owned())).transpose()
    }

    /// Sets it, durably: the firmware has it once this returns.
    ///
    /// # Errors
    /// The firmware refuses; there is none.
    pub fn set(self, root: &Root, value: &[u8]) -> Result<()> {
        let path = self.path(root);
        let set = || -> Result<()> {
            if path.exists() {
                make_writable(&path)?;
            }
            // In one write, as efivarfs wants it, and never cut to nothing: that would unset it.
            let bytes = [&KEPT.to_le_bytes(), value].concat();
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(false).open(&path)?;
            Ok(file.write_all(&bytes)?)
        };
        set().with_context(|| format!("cannot set {}", path.display()))
    }

    /// Unsets it.
    ///
    /// # Errors
    /// The firmware refuses.
    pub fn remove(self, root: &Root) -> Result<()> {
        let path = self.path(root);
        make_writable(&path).with_context(|| format!("cannot make {} writable", path.display()))?;
        files::remove(&path)
    }
}

/// The kernel guards variables with a flag, so that nobody deletes what a firmware
/// cannot do without.
fn make_writable(path: &Path) -> Result<()> {
    let file = File::open(path)?;
    let flags = ioctl_getflags(&file)?;
    Ok(ioctl_setflags(&file, flags - IFlags::IMMUTABLE)?)
}

/// UTF-16, little-endian, usually with a zero at its end.
fn decode(value: &[u8]) -> Result<String> {
    ensure!(value.len().is_multiple_of(2), "half a character at its end");
    let units: Vec<u16> =
        value.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
    let text = String::from_utf16(&units).context("no UTF-16")?;
    Ok(text.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: Variable = Variable::of_loader("LoaderInfo");

    #[test]
    fn texts_are_utf_16() {
        assert_eq!(decode(b"a\0-\x002\0\0\0").unwrap(), "a-2");
        assert_eq!(decode(b"\xe4\0").unwrap(), "ä");
        assert_eq!(decode(b"").unwrap(), "");
        for damaged in [&b"a"[..], b"\0\xd8"] {
            assert!(decode(damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn values_come_after_the_attributes() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert!(!are_there(&root));
        assert_eq!(INFO.text(&root).unwrap(), None);
        files::replace(&INFO.path(&root), b"\x06\0\0\0s\0\0\0", 0o644).unwrap();
        assert!(are_there(&root) && INFO.is_set(&root));
        assert_eq!(INFO.text(&root).unwrap().as_deref(), Some("s"));
        files::replace(&INFO.path(&root), b"\x06\0\0", 0o644).unwrap();
        assert!(INFO.text(&root).is_err());
    }
}
