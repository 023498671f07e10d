//! The settings: fragment (one file, everything optional) → merged → validated
//! [`Settings`].
//!
//! A file that cannot be read or holds a wrong value is passed over as a whole,
//! with its name, line and value in [`Settings::problems`]: settings never stop
//! a boot, and half of a file is not what anybody meant.

mod alerts;
mod check;
mod files;
mod fragment;
mod watchdog;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

pub use alerts::{Alerts, Webhook};
pub use check::{CheckSettings, TIMEOUT};
pub use watchdog::Watchdog;

use crate::health::facts::Mode;
use crate::sys::files::Root;
use fragment::{Fragment, PolicyFragment};

/// The settings in force.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The configured checks, by name.
    pub checks: Vec<CheckSettings>,
    /// `policy:`
    pub policy: Policy,
    /// `alerts:`
    pub alerts: Alerts,
    /// Where each `policy:` and `alerts:` value comes from that a file sets.
    pub origins: BTreeMap<&'static str, PathBuf>,
    /// The files that were read, in the order in which later ones win.
    pub files: Vec<PathBuf>,
    /// What is wrong with which file, and what to do.
    pub problems: Vec<String>,
    /// What is valid, but speaks against itself.
    pub doubts: Vec<String>,
}

/// What is checked where nothing is configured. A file sets a check of the same
/// name, or takes it away with `name: null`; what a system lacks is skipped.
const BUILT_IN: &str = include_str!("built-in.yaml");

/// `policy:`, validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// Act, or report only.
    pub mode: Mode,
    /// How many known good snapshots are protected.
    pub keep: usize,
    /// Starts without a verdict, after which the next one has failed.
    pub unfinished_boots: u32,
    /// From switch-root; a boot without a verdict by then has failed.
    #[serde(serialize_with = "as_text")]
    pub deadline: Duration,
    /// How long a first boot's script may run.
    #[serde(serialize_with = "as_text")]
    pub firstboot_deadline: Duration,
    /// Required checks must keep passing this long before the verdict "good".
    #[serde(serialize_with = "as_text")]
    pub soak: Duration,
    /// Whether the hardware resets a machine that hangs hard.
    pub watchdog: Watchdog,
}

fn as_text<S: serde::Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&humantime::format_duration(*span))
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            keep: 2,
            unfinished_boots: 3,
            deadline: Duration::from_secs(600),
            firstboot_deadline: Duration::from_secs(3600),
            soak: Duration::ZERO,
            watchdog: Watchdog::default(),
        }
    }
}

/// Reads the settings of the system below `root`. Never fails: what is wrong is
/// in the result.
pub fn read(root: &Root) -> Settings {
    read_in(&files::dirs(root))
}

/// Reads those of a snapshot that is not running: its `/usr` is below `root`, its
/// `/etc` made of these layers, topmost first.
pub fn read_layers(root: &Root, etc_layers: &[PathBuf]) -> Settings {
    read_in(&files::dirs_of_layers(root, etc_layers))
}

fn read_in(dirs: &[PathBuf]) -> Settings {
    let mut settings = Settings::default();
    match Fragment::parse(BUILT_IN) {
        Ok(fragment) => settings.merge(fragment, None),
        Err(e) => settings.problems.push(format!("the built-in checks: {e:#}")),
    }
    let paths = files::in_force(dirs).unwrap_or_else(|e| {
        settings.problems.push(format!("{e:#}"));
        Vec::new()
    });
    for path in paths {
        match Fragment::read(&path) {
            Ok(fragment) => {
                settings.merge(fragment, Some(&path));
                settings.files.push(path);
            }
            Err(e) => settings.problems.push(format!("{e:#}")),
        }
    }
    settings.doubts = settings.checks.iter().filter_map(CheckSettings::doubt).collect();
    settings
}

impl Policy {
    /// When a boot without a verdict has failed: what must keep passing needs its time
    /// beyond the deadline.
    pub fn verdict_due(&self) -> Duration {
        self.deadline.saturating_add(self.soak)
    }

    /// Takes what a file says, and returns the keys that it sets.
    fn merge(&mut self, from: &PolicyFragment) -> Vec<&'static str> {
        let mut set = Vec::new();
        put(&mut set, "policy.mode", &mut self.mode, from.mode);
        put(&mut set, "policy.keep", &mut self.keep, from.keep);
        put(&mut set, "policy.unfinished_boots", &mut self.unfinished_boots, from.unfinished_boots);
        put(&mut set, "policy.deadline", &mut self.deadline, from.deadline);
        put(
            &mut set,
            "policy.firstboot_deadline",
            &mut self.firstboot_deadline,
            from.firstboot_deadline,
        );
        put(&mut set, "policy.soak", &mut self.soak, from.soak);
        put(&mut set, "policy.watchdog", &mut self.watchdog, from.watchdog);
        set
    }
}

/// Replaces a value where a file has one, and remembers the key.
fn put<T>(set: &mut Vec<&'static str>, key: &'static str, to: &mut T, from: Option<T>) {
    if let Some(value) = from {
        *to = value;
        set.push(key);
    }
}

impl Settings {
    fn merge(&mut self, fragment: Fragment, path: Option<&Path>) {
        for (name, check) in fragment.checks {
            self.checks.retain(|known| known.name != name);
            // `name: null` takes away what an earlier file set.
            self.checks.extend(check.map(|check| CheckSettings::new(name, check, path)));
        }
        self.checks.sort_by(|a, b| a.name.cmp(&b.name));
        let mut set = self.policy.merge(&fragment.policy);
        set.extend(self.alerts.merge(fragment.alerts));
        for key in set {
            self.origins.extend(path.map(|path| (key, path.to_owned())));
        }
    }

    /// The units that required checks look at: those that somebody named, and
    /// those of the checks that are on by themselves, which need not be there.
    pub fn mandatory_units(&self) -> (Vec<String>, Vec<String>) {
        let required = self.checks.iter().filter(|check| check.required);
        let units = required.filter_map(|check| Some((check.file.is_some(), check.after.clone()?)));
        let (named, usual): (Vec<_>, Vec<_>) = units.partition(|(named, _)| *named);
        let only = |units: Vec<(bool, String)>| units.into_iter().map(|(_, it)| it).collect();
        (only(named), only(usual))
    }

    /// The units that checks look at: what the service is ordered after.
    pub fn units(&self) -> Vec<&str> {
        let mut units: Vec<_> =
            self.checks.iter().filter_map(|check| check.after.as_deref()).collect();
        units.sort_unstable();
        units.dedup();
        units
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn system(files: &[(&str, &str)]) -> (tempfile::TempDir, Settings) {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let settings = read(&Root::new(dir.path()));
        (dir, settings)
    }

    /// What the files ask for, without what is built in.
    fn configured(settings: &Settings) -> Vec<&str> {
        let ours = settings.checks.iter().filter(|check| check.file.is_some());
        ours.map(|check| check.name.as_str()).collect()
    }

    #[test]
    fn higher_directories_mask_and_later_names_win() {
        let (_dir, settings) = system(&[
            ("usr/lib/health-checker/10-a.yaml", "checks: {a: {unit: a}, b: {unit: b.socket}}"),
            ("usr/lib/health-checker/20-b.yaml", "checks: {c: {unit: gone}}"),
            ("usr/lib/health-checker/notes.txt", "rubbish"),
            ("etc/health-checker/20-b.yaml", ""),
            (
                "etc/health-checker/30-c.yaml",
                "checks: {a: null, logind: null, tmp: {writable: /var/tmp}}\npolicy: {keep: 5}",
            ),
        ]);
        assert_eq!(settings.problems, Vec::<String>::new());
        assert_eq!(configured(&settings), ["b", "tmp"]);
        assert_eq!(settings.units(), ["b.socket"]);
        assert_eq!(settings.policy, Policy { keep: 5, ..Policy::default() });
        let origins: Vec<_> =
            settings.origins.iter().map(|(key, path)| (*key, path.file_name())).collect();
        assert_eq!(origins, [("policy.keep", Some("30-c.yaml".as_ref()))]);
    }

    #[test]
    fn without_files_there_are_checks_and_none_of_them_is_in_doubt() {
        let (_dir, settings) = system(&[]);
        let names: Vec<_> = settings.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["dbus", "etc", "logind", "rpmdb", "subvolumes", "tmp"]);
        assert!(settings.problems.is_empty() && settings.doubts.is_empty(), "{settings:?}");
        assert_eq!(settings.units(), ["systemd-logind.service"]);
    }

    #[test]
    fn a_check_of_the_surroundings_that_is_required_is_doubted() {
        let (_dir, settings) = system(&[(
            "etc/health-checker/a.yaml",
            "checks:\n  m: {free_memory: 1G, required: true}\n  n: {free_memory: 1G}",
        )]);
        let [doubt] = settings.doubts.as_slice() else { panic!("{settings:?}") };
        assert!(doubt.contains("a.yaml: checks.m: a free_memory"), "{doubt}");
    }

    #[test]
    fn a_bad_file_is_named_with_line_and_value_and_costs_only_itself() {
        for (text, expected) in [
            ("checks:\n  a: {unti: x}", "unknown field `unti`, did you mean `unit`? at line 2"),
            ("checks:\n  a: {unit: x, timeout: soon}", "\"soon\" is no time span such as 90s"),
            ("checks:\n  a: {}", "checks.a: names no kind; write one of boot_time"),
            ("checks:\n  a: {something: x}", "unknown field `something`; the kinds are"),
            ("checks:\n  a: {command: [check]}", "\"check\" is no absolute path at line 2"),
            ("checks:\n  a: {unit: 'x y'}", "\"x y\" is no unit name"),
            ("checks:\n  a: {unit: x, sate: y}", "unknown field `sate`"),
            ("checks:\n  a: {unit: x, writable: /y}", "two kinds, unit: and writable:"),
            ("checks:\n  a: {subvolumes: false}", "subvolumes: false: write `NAME: null`"),
            ("checks:\n  a: {free_space: {path: /}}", "missing field `at_least`"),
            ("policy:\n  mode: maybe", "line 2"),
            ("policy:\n  watchdog: 3s", "watchdog: 3s is less than 10s: a busy machine"),
            ("alerts:\n  hooks: alert.d", "alerts.hooks: alert.d is no absolute path at line 2"),
            ("alerts:\n  webhook: ftp://x", "alerts.webhook: begins with ftp, not http://"),
            ("checks: [", "line"),
            ("\u{0}", "50-bad.yaml"),
        ] {
            let (_dir, settings) = system(&[
                ("etc/health-checker/10-good.yaml", "checks: {a: {unit: a.service}}"),
                ("etc/health-checker/50-bad.yaml", text),
            ]);
            let [problem] = settings.problems.as_slice() else { panic!("{text}: {settings:?}") };
            assert!(problem.contains("50-bad.yaml") && problem.contains(expected), "{problem}");
            assert_eq!(configured(&settings), ["a"]);
        }
    }
}
