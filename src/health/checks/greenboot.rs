//! greenboot's scripts, unchanged: checks that must and checks that should pass,
//! and what runs after the verdict.
//!
//! They run side by side with everything else. greenboot runs them one after the
//! other and stops at the first required one that fails; the verdict is the same.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::plugin;
use crate::sys::command;
use crate::sys::files::{self, Root};

/// Where they are: the snapshot's own, and the administrator's.
const DIRS: [&str; 2] = ["/usr/lib/greenboot", "/etc/greenboot"];
const CONFIG: &str = "/etc/greenboot/greenboot.conf";

/// greenboot sets no limit, and its scripts wait for networks and registries.
pub(super) const TIMEOUT: Duration = Duration::from_secs(300);
/// What runs after the verdict must not hold up what follows from it.
const AFTER: Duration = Duration::from_secs(60);

/// A script of `check/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) path: PathBuf,
    /// From `required.d`, not `wanted.d`.
    pub(super) required: bool,
    /// Why it is not run, where it is not.
    pub(super) skipped: Option<String>,
}

/// What follows a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// `green.d`: the boot is healthy.
    Healthy,
    /// `red.d`: it is not.
    Unhealthy,
}

/// The checks, required ones first.
///
/// # Errors
/// A directory is there but cannot be listed, or the configuration not be read.
pub(super) fn find(root: &Root) -> Result<Vec<Script>> {
    let config = files::read_text(&root.join(CONFIG))?.unwrap_or_default();
    let disabled = disabled(&config);
    let mut scripts = Vec::new();
    for (dir, required) in [("check/required.d", true), ("check/wanted.d", false)] {
        for path in in_dirs(root, dir)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let skipped = if disabled.contains(&name) {
                Some(format!("skipped: DISABLED_HEALTHCHECKS of {CONFIG} names it"))
            } else {
                reason_to_skip(&path)
            };
            scripts.push(Script { path, required, skipped });
        }
    }
    Ok(scripts)
}

/// Runs what shall follow a verdict, one after the other in the order of names;
/// what fails is logged, and the verdict stands.
pub fn run_after(root: &Root, what: After) {
    let dir = match what {
        After::Healthy => "green.d",
        After::Unhealthy => "red.d",
    };
    let scripts = in_dirs(root, dir).unwrap_or_else(|e| {
        log::error!("nothing of greenboot's {dir} is run: {e:#}");
        Vec::new()
    });
    for path in scripts.into_iter().filter(|path| reason_to_skip(path).is_none()) {
        let [program, arguments @ ..] = &*call(&path) else { continue };
        let path = path.display();
        match command::run(Command::new(program).args(arguments), AFTER) {
            Ok(output) if output.success() => log::info!("{path}: done"),
            Ok(output) => log::warn!("{path}: {}, {}", output.end, output.last_line()),
            Err(e) => log::warn!("cannot run {path}: {e}"),
        }
    }
}

/// How a script is run: `*.sh` by bash, everything else as the program it is.
pub(super) fn call(path: &Path) -> Vec<String> {
    let program = path.to_string_lossy().into_owned();
    if is_shell(path) { vec!["/bin/bash".to_owned(), program] } else { vec![program] }
}

fn is_shell(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "sh")
}

fn in_dirs(root: &Root, dir: &str) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for base in DIRS {
        paths.extend(files::list(&root.join(base).join(dir))?);
    }
    paths.retain(|path| !path.is_dir());
    Ok(paths)
}

fn reason_to_skip(path: &Path) -> Option<String> {
    let reason = plugin::reason_to_skip(path)?;
    // bash needs no execute bit.
    (!is_shell(path) || !path.is_file() || plugin::is_left_over(path)).then_some(reason)
}

/// The names in `DISABLED_HEALTHCHECKS=("a.sh" "b.sh")`, which is shell.
fn disabled(config: &str) -> Vec<String> {
    let lines = config.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let text = lines.collect::<Vec<_>>().join("\n");
    let Some((_, value)) = text.rsplit_once("DISABLED_HEALTHCHECKS=") else { return Vec::new() };
    let value = match value.strip_prefix('(') {
        Some(list) => list.split(')').next().unwrap_or_default(),
        None => value.lines().next().unwrap_or_default(),
    };
    let words = value.split(|c: char| c.is_whitespace() || "\"',".contains(c));
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn system(scripts: &[(&str, &str, u32)]) -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text, mode) in scripts {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(*mode)).unwrap();
        }
        let root = Root::new(dir.path());
        (dir, root)
    }

    #[test]
    fn scripts_are_found_where_greenboot_has_them() {
        let (_dir, root) = system(&[
            ("usr/lib/greenboot/check/required.d/01_a.sh", "", 0o644),
            ("usr/lib/greenboot/check/required.d/b", "", 0o755),
            ("usr/lib/greenboot/check/required.d/c", "", 0o644),
            ("etc/greenboot/check/required.d/off.sh", "", 0o755),
            ("etc/greenboot/check/wanted.d/d.sh~", "", 0o755),
            ("etc/greenboot/check/wanted.d/e.sh", "", 0o755),
            ("etc/greenboot/greenboot.conf", "DISABLED_HEALTHCHECKS=(\"off.sh\")\n", 0o644),
        ]);
        let found: Vec<_> = find(&root)
            .unwrap()
            .into_iter()
            .map(|it| {
                let name = it.path.file_name().unwrap().to_string_lossy().into_owned();
                (name, it.required, it.skipped.is_none())
            })
            .collect();
        let expected = [
            ("01_a.sh", true, true),
            ("b", true, true),
            ("c", true, false),
            ("off.sh", true, false),
            ("d.sh~", false, false),
            ("e.sh", false, true),
        ];
        assert_eq!(found, expected.map(|(name, a, b)| (name.to_owned(), a, b)));
    }

    #[test]
    fn what_follows_runs_whatever_one_of_them_does() {
        let (dir, root) = system(&[
            ("usr/lib/greenboot/green.d/1.sh", "exit 1", 0o644),
            ("etc/greenboot/green.d/2.sh", "echo x >${0%/*}/../ran", 0o644),
            ("etc/greenboot/red.d/3.sh", "echo x >${0%/*}/../red", 0o644),
        ]);
        run_after(&root, After::Healthy);
        assert!(dir.path().join("etc/greenboot/ran").exists());
        assert!(!dir.path().join("etc/greenboot/red").exists());
    }

    #[test]
    fn disabled_names_as_people_write_them() {
        for text in [
            "DISABLED_HEALTHCHECKS=(\"a.sh\" \"b.sh\")",
            "# x\nDISABLED_HEALTHCHECKS=(\n  a.sh\n  # old.sh\n  'b.sh'\n)\nX=1",
            "DISABLED_HEALTHCHECKS=\"a.sh b.sh\"\nX=1",
            "DISABLED_HEALTHCHECKS=(x)\nDISABLED_HEALTHCHECKS=(a.sh b.sh)",
        ] {
            assert_eq!(disabled(text), ["a.sh", "b.sh"], "{text}");
        }
        assert!(disabled("#DISABLED_HEALTHCHECKS=(a)").is_empty());
    }
}
