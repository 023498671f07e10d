//! Which units wait for the verdict themselves. An order after one of them would
//! be a cycle, which systemd breaks by dropping a job of its own choice: perhaps
//! ours, and then no verdict is ever reached.

use std::collections::{BTreeSet, HashSet};

use crate::sys::files::{self, Root};
use crate::sys::systemd::UNIT_DIRS;

/// What comes after the verdict by its nature.
const AFTER_US: [&str; 5] = [
    "health-checker.service",
    "boot-complete.target",
    "systemd-bless-boot.service",
    "health-checker-safe.target",
    "shutdown.target",
];

/// What may come after the last stage of first boot: it is over before the verdict, and what comes
/// after these targets may come after anything that they want.
const AFTER_LAST_STAGE: [&str; 4] =
    ["health-checker-final.service", "multi-user.target", "graphical.target", "default.target"];

/// A bound for a walk through unit files that somebody may have made endless.
const MOST_UNITS: usize = 2000;

/// Whether `unit` is ordered after the verdict, directly or over others.
pub(super) fn waits_for_us(root: &Root, unit: &str) -> bool {
    comes_after(root, unit, |it| AFTER_US.contains(&it))
}

/// Whether the last stage of first boot cannot wait for `unit`.
fn waits_for_last_stage(root: &Root, unit: &str) -> bool {
    comes_after(root, unit, |it| AFTER_US.contains(&it) || AFTER_LAST_STAGE.contains(&it))
}

/// What multi-user.target wants, as far as the last stage of first boot can wait for it. Not the
/// target itself: that waits for all it wants, units that wait for the verdict among them.
pub(super) fn before_last_stage(root: &Root) -> Vec<String> {
    let mut units = BTreeSet::new();
    for dir in UNIT_DIRS {
        let wants = root.join(dir).join("multi-user.target.wants");
        for path in files::list(&wants).unwrap_or_default() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // Targets come after what they want in turn, which no file says.
            if name.ends_with(".service") && !name.contains(char::is_whitespace) {
                units.insert(name);
            }
        }
    }
    units.retain(|unit| !waits_for_last_stage(root, unit));
    units.into_iter().collect()
}

fn comes_after(root: &Root, unit: &str, is_late: impl Fn(&str) -> bool) -> bool {
    let mut seen = HashSet::new();
    let mut to_see = vec![unit.to_owned()];
    while let Some(unit) = to_see.pop() {
        if is_late(&unit) {
            return true;
        }
        if seen.len() < MOST_UNITS && seen.insert(unit.clone()) {
            to_see.extend(after(root, &unit));
        }
    }
    false
}

/// What `unit` is ordered after, as far as its files say.
fn after(root: &Root, unit: &str) -> Vec<String> {
    let mut names = vec![unit.to_owned()];
    if let Some((template, instance)) = unit.split_once('@') {
        let kind = instance.rsplit_once('.').map_or("", |(_, kind)| kind);
        names.push(format!("{template}@.{kind}"));
    }
    let mut units = Vec::new();
    for dir in UNIT_DIRS {
        for name in &names {
            let file = root.join(dir).join(name);
            let dropins =
                files::list(&root.join(dir).join(format!("{name}.d"))).unwrap_or_default();
            for path in dropins.into_iter().chain([file]) {
                let text = files::read_text(&path).ok().flatten().unwrap_or_default();
                units.extend(after_in(&text));
            }
        }
    }
    units
}

/// The values of `After=`. An empty one, which resets the list, is passed over:
/// at worst a unit is not waited for.
fn after_in(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let values = joined.lines().filter_map(|line| line.trim().strip_prefix("After="));
    values.flat_map(str::split_ascii_whitespace).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_last_stage_waits_for_what_does_not_wait_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let units = root.join("/usr/lib/systemd/system");
        let wants = root.join("/etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wants).unwrap();
        for (name, after) in [
            ("web.service", "network.target"),
            ("job@7.service", ""),
            ("blessed.service", "boot-complete.target"),
            ("late.service", "multi-user.target"),
            ("next.service", "health-checker-final.service"),
            ("then.service", "late.service"),
            ("some.target", ""),
        ] {
            files::replace(&units.join(name), format!("After={after}\n").as_bytes(), 0o644)
                .unwrap();
            fs::write(wants.join(name), "").unwrap();
        }
        assert_eq!(before_last_stage(&root), ["job@7.service", "web.service"]);
    }

    #[test]
    fn units_that_wait_for_the_verdict_are_found_over_others() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let units = root.join("/usr/lib/systemd/system");
        fs::create_dir_all(units.join("late.service.d")).unwrap();
        fs::write(units.join("plain.service"), "[Unit]\nAfter=network.target\n").unwrap();
        fs::write(units.join("late.service"), "[Unit]\nAfter=a.target \\\n  b.target\n").unwrap();
        fs::write(units.join("late.service.d/x.conf"), "[Unit]\nAfter=getty@.service\n").unwrap();
        fs::write(units.join("b.target"), "[Unit]\nAfter=boot-complete.target\n").unwrap();
        fs::write(units.join("loop.service"), "[Unit]\nAfter=loop.service\n").unwrap();
        fs::write(units.join("job@.service"), "[Unit]\nAfter=late.service\n").unwrap();
        for (unit, waits) in [
            ("plain.service", false),
            ("missing.service", false),
            ("loop.service", false),
            ("late.service", true),
            ("job@7.service", true),
            ("health-checker.service", true),
        ] {
            assert_eq!(waits_for_us(&root, unit), waits, "{unit}");
        }
    }
}
