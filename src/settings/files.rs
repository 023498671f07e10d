//! Which files count (UAPI Configuration Files Specification): of equally named
//! ones only that in the highest directory, and then all of them by name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::sys::files::{self, Root};

/// From the lowest to the highest.
const DIRS: [&str; 3] = ["/usr/lib/health-checker", "/run/health-checker", "/etc/health-checker"];

/// The settings files in force, in the order in which later ones win.
///
/// # Errors
/// A directory is there but cannot be listed.
pub(super) fn in_force(root: &Root) -> Result<Vec<PathBuf>> {
    let mut by_name: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for dir in DIRS {
        for path in files::list(&root.join(dir))? {
            if let (Some(name), true) = (path.file_name(), is_settings(&path)) {
                by_name.insert(name.to_owned(), path);
            }
        }
    }
    Ok(by_name.into_values().filter(|path| !masks(path)).collect())
}

fn is_settings(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml")
}

/// An empty file, or a link to /dev/null, takes the place of its namesake.
fn masks(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| it.len() == 0 && (it.is_file() || path.is_symlink()))
}
