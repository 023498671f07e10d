//! A directory that can be written to, found out by writing: access(2) says yes
//! on a full disk, and mount options say nothing of one that went read-only.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::value::Absolute;
use super::{Check, Context, Finding, Keyed};

/// `{writable: /path}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Writable {
    writable: Absolute,
}

impl Keyed for Writable {
    const KEY: &'static str = "writable";
}

impl Check for Writable {
    fn look(&self, context: &Context) -> Finding {
        let path = context.root.join(self.writable.path());
        match probe(&path) {
            Ok(()) => Finding::pass("can be written to"),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Finding::fail(format!("{} is not there", path.display()))
            }
            Err(e) => Finding::fail(format!("cannot write to {}: {e}", path.display())),
        }
    }
}

/// Writes a block to a file without a name: whatever happens, nothing is left.
pub(super) fn probe(dir: &Path) -> io::Result<()> {
    let mut file = tempfile::tempfile_in(dir).map_err(plain)?;
    file.write_all(&[0; 4096])
}

/// Without the path that tempfile adds: the message has it already.
fn plain(e: io::Error) -> io::Error {
    match e.get_ref().and_then(|inner| inner.source()) {
        Some(source) => io::Error::new(e.kind(), source.to_string()),
        None => e,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_leaves_nothing_and_a_missing_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        probe(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let error = probe(&dir.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let error = probe(Path::new("/proc")).unwrap_err();
        assert!(!error.to_string().contains(".tmp"), "{error}");
    }
}
