//! Plugins of the shell health-checker: every program in two directories, called
//! with `check` or `stop`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::sys::files::{self, Root};

/// Where they are: the snapshot's own, and the administrator's.
pub const DIRS: [&str; 2] = ["/usr/libexec/health-checker", "/usr/local/libexec/health-checker"];

/// What editors and package managers leave beside a file; running one of these,
/// or failing over it, would roll a healthy system back.
const LEFTOVERS: [&str; 9] = [
    "~",
    ".rpmsave",
    ".rpmorig",
    ".rpmnew",
    ".dpkg-old",
    ".dpkg-dist",
    ".dpkg-new",
    ".bak",
    ".swp",
];

/// A file in a plugin directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plugin {
    /// Its path.
    pub path: PathBuf,
    /// Why it is not run, where it is not.
    pub skipped: Option<String>,
}

/// All files in the plugin directories, in the order in which they are named.
///
/// # Errors
/// A directory is there but cannot be listed.
pub fn find(root: &Root) -> Result<Vec<Plugin>> {
    let mut plugins = Vec::new();
    for dir in DIRS {
        for path in files::list(&root.join(dir))? {
            if path.is_dir() {
                continue;
            }
            plugins.push(Plugin { skipped: reason_to_skip(&path), path });
        }
    }
    Ok(plugins)
}

/// Whether its name says that it is no program, but what was left behind.
pub(super) fn is_left_over(path: &Path) -> bool {
    left_over(path).is_some()
}

fn left_over(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    if name.starts_with('.') {
        return Some("skipped: a hidden file".to_owned());
    }
    let suffix = LEFTOVERS.iter().find(|suffix| name.ends_with(*suffix))?;
    Some(format!("skipped: {suffix} is what an editor or a package manager leaves"))
}

/// Why a file in a directory of programs is not run, where it is not.
pub fn reason_to_skip(path: &Path) -> Option<String> {
    if let Some(reason) = left_over(path) {
        return Some(reason);
    }
    match path.metadata() {
        Ok(metadata) if !metadata.is_file() => Some("skipped: not a regular file".to_owned()),
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => {
            Some(format!("skipped: not executable; chmod +x {} or remove it", path.display()))
        }
        Ok(_) => None,
        Err(e) => Some(format!("skipped: {e}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    #[test]
    fn only_programs_are_run_and_the_rest_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let plugins = dir.path().join("usr/libexec/health-checker");
        fs::create_dir_all(plugins.join("directory")).unwrap();
        for (name, mode) in
            [("good", 0o755), ("plain", 0o644), ("a.rpmsave", 0o755), ("b~", 0o755), (".c", 0o755)]
        {
            fs::write(plugins.join(name), "").unwrap();
            fs::set_permissions(plugins.join(name), Permissions::from_mode(mode)).unwrap();
        }
        std::os::unix::fs::symlink("/nowhere", plugins.join("dangling")).unwrap();
        let found = find(&Root::new(dir.path())).unwrap();
        let run: Vec<_> = found.iter().filter(|plugin| plugin.skipped.is_none()).collect();
        assert_eq!(run.len(), 1);
        assert_eq!(run[0].path, plugins.join("good"));
        assert_eq!(found.len(), 6);
    }
}
