//! Names that a FAT file system cannot hold, at all or beside each other.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use crate::sys::files;

/// Characters that no name there can have, beside those that are not printed.
const FORBIDDEN: &str = "\"*:<>?\\|";
/// In units of UTF-16.
const LONGEST: usize = 255;

/// Refuses a directory with such names in it, before writing it ends half way.
///
/// # Errors
/// The first of them, and why. It cannot be read.
pub(super) fn refuse(tree: &Path) -> Result<()> {
    let mut left = vec![PathBuf::new()];
    while let Some(dir) = left.pop() {
        // FAT makes no difference between `Key` and `key`: one would be lost.
        let mut seen = BTreeMap::new();
        for at in files::list(&tree.join(&dir))? {
            let Some(name) = at.file_name() else { continue };
            let path = dir.join(name);
            if let Some(why) = why_not(name.to_str()) {
                // With its quotes: a name may have the end of a line in it.
                let path = path.to_string_lossy();
                bail!(
                    "{path:?} cannot be the name of a file on a FAT file system: {why}; rename \
                     it, or make an .iso"
                );
            }
            let before = seen.insert(name.to_string_lossy().to_lowercase(), path.clone());
            ensure!(
                before.is_none(),
                "{} and {} are one name on a FAT file system: rename one, or make an .iso",
                before.unwrap_or_default().display(),
                path.display()
            );
            if at.symlink_metadata()?.is_dir() {
                left.push(path);
            }
        }
    }
    Ok(())
}

fn why_not(name: Option<&str>) -> Option<String> {
    let Some(name) = name else { return Some("it is not UTF-8".to_owned()) };
    let is_forbidden = |c: &char| FORBIDDEN.contains(*c) || c.is_control();
    if let Some(c) = name.chars().find(is_forbidden) {
        return Some(format!("it has {c:?} in it"));
    }
    if name.ends_with(['.', ' ']) {
        return Some("it ends with a dot or a blank".to_owned());
    }
    (name.encode_utf16().count() > LONGEST).then(|| format!("it is longer than {LONGEST}"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn refused(names: &[&[u8]]) -> String {
        let dir = tempfile::tempdir().unwrap();
        for name in names {
            let path = dir.path().join(OsStr::from_bytes(name));
            if name.ends_with(b"/") {
                fs::create_dir_all(path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
        }
        refuse(dir.path()).map_or_else(|e| e.to_string(), |()| "none".to_owned())
    }

    #[test]
    fn what_fat_cannot_hold_is_named() {
        let no = |name: &str, why: &str| {
            format!(
                "{name:?} cannot be the name of a file on a FAT file system: {why}; rename it, \
                 or make an .iso"
            )
        };
        let two = |one: &str, other: &str| {
            format!(
                "{one} and {other} are one name on a FAT file system: rename one, or make an .iso"
            )
        };
        for (names, says) in [
            (
                &[&b"combustion/script"[..], b"files/a b.txt", b".x", b"other/script"][..],
                "none".into(),
            ),
            (&[b"combustion/a:b"], no("combustion/a:b", "it has ':' in it")),
            (&[b"what?/x"], no("what?", "it has '?' in it")),
            (&[b"a\nb"], no("a\nb", "it has '\\n' in it")),
            (&[b"end./"], no("end.", "it ends with a dot or a blank")),
            (&[b"end "], no("end ", "it ends with a dot or a blank")),
            (&[b"d/\xff"], "\"d/�\" cannot be".into()),
            (&[b"d/Key", b"d/key"], two("d/Key", "d/key")),
            (&[b"d/DIR/", b"d/dir/"], two("d/DIR", "d/dir")),
            (&[b"FOO/x", b"foo"], two("FOO", "foo")),
        ] {
            let error = refused(names);
            assert!(error.starts_with(&says), "{error} for {says}");
        }
    }
}
