//! The initrd's name servers, lent to the script: the system's own `/etc/resolv.conf` is
//! mostly a link to where nobody is writing yet.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::sys::files;

const RESOLV: &str = "etc/resolv.conf";
/// Where netconfig(8) and Combustion have it.
const LENT: &str = "/run/netconfig/resolv.conf";

/// What was lent, for as long as the script runs.
pub(super) struct NameServers {
    /// A link of ours in the snapshot, which is to be gone again.
    link: Option<PathBuf>,
}

impl NameServers {
    /// Lends them to the system at `root`, whose `/run` is an empty one of the script's.
    /// A file that is no link was put there by somebody, and stays as it is.
    ///
    /// # Errors
    /// They could not be written.
    pub(super) fn lend(root: &Path) -> Result<Self> {
        Self::lend_these(&Path::new("/").join(RESOLV), root).context("cannot lend the name servers")
    }

    fn lend_these(ours: &Path, root: &Path) -> Result<Self> {
        let Some(text) = files::read(ours)? else { return Ok(Self { link: None }) };
        let link = root.join(RESOLV);
        let (place, made) = match fs::read_link(&link) {
            Ok(target) => (in_run(&target), None),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                symlink(LENT, &link)?;
                (Some(PathBuf::from(LENT)), Some(link))
            }
            // A file, then.
            Err(_) => (None, None),
        };
        if let Some(place) = place {
            let place = root.join(place.strip_prefix("/").unwrap_or(&place));
            files::replace(&place, &text, 0o644)?;
        }
        Ok(Self { link: made })
    }

    /// Takes the link away again, unless the script has put something in its place.
    pub(super) fn take_back(self) {
        let Some(link) = self.link else { return };
        if fs::read_link(&link).is_ok_and(|target| target == Path::new(LENT))
            && let Err(e) = fs::remove_file(&link)
        {
            log::warn!("{} is left over: {e}", link.display());
        }
    }
}

/// Where a link of `/etc/resolv.conf` leads, if that is in `/run`.
fn in_run(target: &Path) -> Option<PathBuf> {
    let mut path = PathBuf::from("/");
    for part in Path::new("/etc").join(target).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    path.starts_with("/run").then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lent(link: Option<&str>) -> (tempfile::TempDir, NameServers) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("etc")).unwrap();
        fs::write(dir.path().join("ours"), "nameserver 10.0.2.3\n").unwrap();
        if let Some(target) = link {
            symlink(target, dir.path().join(RESOLV)).unwrap();
        }
        let names = NameServers::lend_these(&dir.path().join("ours"), dir.path()).unwrap();
        (dir, names)
    }

    #[test]
    fn a_link_into_run_gets_its_target_and_stays() {
        for target in
            ["../run/systemd/resolve/stub-resolv.conf", "/run/systemd/resolve/stub-resolv.conf"]
        {
            let (dir, names) = lent(Some(target));
            let text = fs::read_to_string(dir.path().join("run/systemd/resolve/stub-resolv.conf"));
            assert_eq!(text.unwrap(), "nameserver 10.0.2.3\n");
            names.take_back();
            assert!(dir.path().join(RESOLV).is_symlink());
        }
        let (dir, _) = lent(Some("../usr/lib/resolv.conf"));
        assert!(!dir.path().join("run").exists() && !dir.path().join("usr").exists());
    }

    #[test]
    fn where_there_is_none_there_is_none_afterwards_unless_the_script_made_it() {
        let (dir, names) = lent(None);
        assert!(dir.path().join("run/netconfig/resolv.conf").exists());
        names.take_back();
        assert!(!dir.path().join(RESOLV).is_symlink());
        let (dir, names) = lent(None);
        fs::remove_file(dir.path().join(RESOLV)).unwrap();
        fs::write(dir.path().join(RESOLV), "nameserver 1.1.1.1\n").unwrap();
        names.take_back();
        assert!(dir.path().join(RESOLV).exists());
    }
}
