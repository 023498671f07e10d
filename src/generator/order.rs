//! Which units wait for the verdict themselves. An order after one of them would
//! be a cycle, which systemd breaks by dropping a job of its own choice: perhaps
//! ours, and then no verdict is ever reached.

use std::collections::HashSet;

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

/// A bound for a walk through unit files that somebody may have made endless.
const MOST_UNITS: usize = 2000;

/// Whether `unit` is ordered after the verdict, directly or over others.
pub(super) fn waits_for_us(root: &Root, unit: &str) -> bool {
    let mut seen = HashSet::new();
    let mut to_see = vec![unit.to_owned()];
    while let Some(unit) = to_see.pop() {
        if AFTER_US.contains(&&*unit) {
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
