//! The loader's variables in the firmware (systemd's "Boot Loader Interface"), through
//! the kernel's efivarfs: four bytes of attributes, then the value.

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use crate::sys::files::{self, Root};

const DIR: &str = "/sys/firmware/efi/efivars";
/// The vendor of all of these variables.
const VENDOR: &str = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";

fn path(root: &Root, name: &str) -> PathBuf {
    root.join(DIR).join(format!("{name}-{VENDOR}"))
}

/// Whether a variable is set.
pub fn is_set(root: &Root, name: &str) -> bool {
    path(root, name).exists()
}

/// The text of a variable; `None` if it is not set.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn text(root: &Root, name: &str) -> Result<Option<String>> {
    let bytes = files::read(&path(root, name))?;
    bytes.map(|bytes| decode(&bytes).with_context(|| name.to_owned())).transpose()
}

/// Unsets a variable.
///
/// # Errors
/// The firmware refuses.
pub fn remove(root: &Root, name: &str) -> Result<()> {
    let path = path(root, name);
    // The kernel sets this flag, so that nobody deletes what a firmware cannot do without.
    let writable = || -> Result<()> {
        let file = File::open(&path)?;
        let flags = ioctl_getflags(&file)?;
        Ok(ioctl_setflags(&file, flags - IFlags::IMMUTABLE)?)
    };
    writable().with_context(|| format!("cannot make {} writable", path.display()))?;
    files::remove(&path)
}

/// UTF-16, little-endian, usually with a zero at its end.
fn decode(bytes: &[u8]) -> Result<String> {
    let value = bytes.get(4..).context("shorter than its attributes")?;
    ensure!(value.len() % 2 == 0, "half a character at its end");
    let units: Vec<u16> =
        value.chunks_exact(2).map(|it| u16::from_le_bytes([it[0], it[1]])).collect();
    let text = String::from_utf16(&units).context("no UTF-16")?;
    Ok(text.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_utf_16_after_the_attributes() {
        assert_eq!(decode(b"\x06\0\0\0a\0-\x002\0\0\0").unwrap(), "a-2");
        assert_eq!(decode(b"\x06\0\0\0\xe4\0").unwrap(), "ä");
        assert_eq!(decode(b"\x06\0\0\0").unwrap(), "");
        for damaged in [&b"\x06\0\0"[..], b"\x06\0\0\0a", b"\x06\0\0\0\0\xd8"] {
            assert!(decode(damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn one_that_is_not_set_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert_eq!(text(&root, "LoaderInfo").unwrap(), None);
        files::replace(&path(&root, "LoaderInfo"), b"\x06\0\0\0s\0\0\0", 0o644).unwrap();
        assert_eq!(text(&root, "LoaderInfo").unwrap().as_deref(), Some("s"));
    }
}
