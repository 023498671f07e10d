//! What belongs to a configured system beside what its script made: the note for the login
//! prompt, the wizard that is not needed any more, labels.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::stage::Found;
use crate::sys::files;

/// Shown before the login prompt (agetty(8)).
const ISSUE: &str = "issue.d/health-checker-firstboot.issue";
/// The mark by which jeos-firstboot and `YaST` ask their questions (Combustion removes it).
const WIZARD: &str = "lib/YaST2/reconfig_system";

/// A system that was configured, by its directories.
#[derive(Clone, Debug)]
pub(super) struct Configured<'a> {
    /// Its root.
    pub(super) root: PathBuf,
    /// Its `/etc`, topmost layer first.
    pub(super) etc: Vec<PathBuf>,
    /// Its `/var`.
    pub(super) var: &'a Path,
}

impl Configured<'_> {
    /// Whether something of it is in `/var`.
    pub(super) fn reaches_var(var: &Path) -> bool {
        var.join(WIZARD).exists()
    }

    /// Does it all. Durable once the file system is synchronised.
    ///
    /// # Errors
    /// A file cannot be written: the configuration is then not applied.
    pub(super) fn finish(&self, found: &Found) -> Result<()> {
        let Some(etc) = self.etc.first() else { return Ok(()) };
        let signed =
            found.signed_by.as_ref().map_or(String::new(), |key| format!(", signed by {key}"));
        let issue =
            format!("Configured at first boot from {}{signed}.\n\n", printable(&found.source));
        files::replace_unsynced(&etc.join(ISSUE), issue.as_bytes(), 0o644)?;
        self.ask_for_labels(etc)?;
        files::remove(&self.var.join(WIZARD))
    }

    /// No policy is loaded in the initrd, so what was written has no label. Where the
    /// system has `SELinux`, it is asked to relabel itself, by the mark that its own tool
    /// looks for: the other one would never be removed from a read-only root.
    fn ask_for_labels(&self, etc: &Path) -> Result<()> {
        if !self.has_policy()? {
            return Ok(());
        }
        let mark = if self.is_microos()? {
            etc.join("selinux/.autorelabel")
        } else {
            self.root.join(".autorelabel")
        };
        log::info!("the system will relabel itself for SELinux");
        fs::create_dir_all(mark.parent().unwrap_or(etc))
            .and_then(|()| fs::write(&mark, ""))
            .with_context(|| format!("cannot ask for labels by {}", mark.display()))
    }

    /// `SELINUX=` in selinux/config (selinux(8)).
    fn has_policy(&self) -> Result<bool> {
        for etc in &self.etc {
            if let Some(text) = files::read_text(&etc.join("selinux/config"))? {
                let value =
                    text.lines().rev().find_map(|line| line.trim().strip_prefix("SELINUX="));
                return Ok(matches!(value.map(str::trim), Some("enforcing" | "permissive")));
            }
        }
        Ok(false)
    }

    /// dracut's module selinux-microos relabels in the initrd.
    fn is_microos(&self) -> Result<bool> {
        let modules = files::list(&self.root.join("usr/lib/dracut/modules.d"))?;
        Ok(modules.iter().any(|path| path.to_string_lossy().ends_with("selinux-microos")))
    }
}

/// agetty takes a backslash for the beginning of something else.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && *c != '\\').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firstboot::datasource::Format;
    use crate::firstboot::seed::Overlay;

    fn found() -> Found {
        Found {
            source: "/dev/sda (label a\\b, vfat)".into(),
            sha256: String::new(),
            applications: 1,
            signed_by: Some("admin.pub".into()),
            ignored: Vec::new(),
            format: Format::default(),
            instance: None,
            overlay: Overlay::new(),
        }
    }

    /// What there is afterwards, of a system with these files.
    fn finished(given: &[(&str, &str)]) -> (tempfile::TempDir, impl Fn(&str) -> bool + use<>) {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in given {
            files::replace(&dir.path().join(path), text.as_bytes(), 0o644).unwrap();
        }
        let var = dir.path().join("var");
        let etc = vec![dir.path().join("upper"), dir.path().join("etc")];
        Configured { root: dir.path().to_owned(), etc, var: &var }.finish(&found()).unwrap();
        let path = dir.path().to_owned();
        (dir, move |name: &str| path.join(name).exists())
    }

    #[test]
    fn the_prompt_tells_and_the_wizard_does_not_ask() {
        let (dir, there) = finished(&[("var/lib/YaST2/reconfig_system", "")]);
        let issue = fs::read_to_string(dir.path().join("upper").join(ISSUE)).unwrap();
        assert_eq!(
            issue,
            "Configured at first boot from /dev/sda (label ab, vfat), signed by admin.pub.\n\n"
        );
        assert!(!there("var/lib/YaST2/reconfig_system") && !there(".autorelabel"));
    }

    #[test]
    fn labels_are_asked_for_by_the_mark_of_the_systems_own_tool() {
        let config = ("etc/selinux/config", "# SELINUX=disabled\nSELINUX=enforcing\n");
        let (_dir, there) = finished(&[config]);
        assert!(there(".autorelabel") && !there("upper/selinux/.autorelabel"));
        let tool = ("usr/lib/dracut/modules.d/98selinux-microos/module-setup.sh", "");
        let (_dir, there) = finished(&[config, tool]);
        assert!(!there(".autorelabel") && there("upper/selinux/.autorelabel"));
        let (_dir, there) = finished(&[config, ("upper/selinux/config", "SELINUX=disabled\n")]);
        assert!(!there(".autorelabel"));
    }
}
