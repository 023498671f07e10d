//! Which files count (UAPI Configuration Files Specification): of equally named
//! ones only that in the highest directory, and then all of them by name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::sys::files::{self, Root};

/// From the lowest to the highest.
const DIRS: [&str; 3] = ["/usr/lib/health-checker", "/run/health-checker", "/etc/health-checker"];

/// Those of the system below `root`.
pub(super) fn dirs(root: &Root) -> Vec<PathBuf> {
    DIRS.iter().map(|dir| root.join(dir)).collect()
}

/// Those of a snapshot whose `/usr` is below `root` and whose `/etc` is made of
/// these layers, topmost first.
pub(super) fn dirs_of_layers(root: &Root, etc_layers: &[PathBuf]) -> Vec<PathBuf> {
    let etc = etc_layers.iter().rev().map(|layer| layer.join("health-checker"));
    std::iter::once(root.join(DIRS[0])).chain(etc).collect()
}

/// The settings files in force, in the order in which later ones win.
///
/// # Errors
/// A directory is there but cannot be listed.
pub(super) fn in_force(dirs: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut by_name: BTreeMap<OsString, PathBuf> = BTreeMap::new();
    for dir in dirs {
        for path in files::list(dir)? {
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
