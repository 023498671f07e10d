//! Which units wait for the verdict themselves. An order after one of them would
//! be a cycle, which systemd breaks by dropping a job of its own choice: perhaps
//! ours, and then no verdict is ever reached.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::fs;
use std::path::Path;

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

/// What comes after these by its default dependencies (systemd.unit(5)): they wait for none of it.
const EARLY: [&str; 2] = ["sysinit.target", "basic.target"];

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
    let mut units = wanted_by(root, "multi-user.target");
    // Targets come after what they want in turn, which no file says.
    units.retain(|unit| unit.ends_with(".service") && !unit.contains(char::is_whitespace));
    units.retain(|unit| !waits_for_last_stage(root, unit));
    units.into_iter().collect()
}

/// Units that wait for the verdict, by the targets that want them and that the verdict waits for,
/// with all that comes before it, such as `before`. A target comes after what it wants, which no
/// file says (systemd.target(5)), unless that is itself ordered after the target: with that order
/// there is no cycle, and without it the start of a healthy machine has no verdict.
pub(super) fn held_up(root: &Root, before: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut held_up = BTreeMap::<String, BTreeSet<String>>::new();
    let mut seen = HashSet::new();
    // Our own file's targets are the early ones.
    let own = after(root, AFTER_US[0]).into_iter().filter(|it| it.ends_with(".service"));
    let mut to_see: Vec<_> = before.iter().map(|&it| it.to_owned()).chain(own).collect();
    while let Some(unit) = to_see.pop() {
        if seen.len() >= MOST_UNITS || !seen.insert(unit.clone()) {
            continue;
        }
        to_see.extend(after(root, &unit));
        if !unit.ends_with(".target") || EARLY.contains(&&*unit) {
            continue;
        }
        // Ours have no default dependencies, or are not wanted by such a target.
        for wanted in wanted_by(root, &unit).into_iter().filter(|it| !AFTER_US.contains(&&**it)) {
            if waits_for_us(root, &wanted) {
                held_up.entry(wanted).or_default().insert(unit.clone());
            } else {
                to_see.push(wanted);
            }
        }
    }
    held_up
}

/// What a target wants or requires by links, under each of its names.
fn wanted_by(root: &Root, target: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::from([target.to_owned()]);
    for alias in [target, "default.target"] {
        let real = UNIT_DIRS.iter().find_map(|dir| fs::read_link(root.join(dir).join(alias)).ok());
        let real = real.as_deref().and_then(Path::file_name).and_then(OsStr::to_str);
        if let Some(real) = real
            && (alias == target || real == target)
        {
            names.extend([alias.to_owned(), real.to_owned()]);
        }
    }
    let mut units = BTreeSet::new();
    for name in &names {
        for dir in UNIT_DIRS {
            for kind in ["wants", "requires"] {
                let links = files::list(&root.join(dir).join(format!("{name}.{kind}")));
                let links = links.unwrap_or_default();
                units.extend(
                    links.iter().filter_map(|it| it.file_name()?.to_str().map(str::to_owned)),
                );
            }
        }
    }
    units
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
    fn what_waits_for_the_verdict_holds_no_target_up_that_it_waits_for() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        for (name, after) in [
            ("health-checker.service", "basic.target cloud-final.service"),
            ("late.service", "multi-user.target"),
            ("web.service", "network.target"),
            ("blessed.service", "boot-complete.target"),
            ("then.service", "blessed.service"),
            ("over.service", "deep.target"),
            ("graphical.target", "multi-user.target"),
        ] {
            let path = root.join("/usr/lib/systemd/system").join(name);
            files::replace(&path, format!("[Unit]\nAfter={after}\n").as_bytes(), 0o644).unwrap();
        }
        let etc = root.join("/etc/systemd/system");
        for link in [
            "basic.target.wants/blessed.service",
            "deep.target.wants/blessed.service",
            "default.target.wants/health-checker.service",
            "default.target.wants/then.service",
            "multi-user.target.wants/blessed.service",
            "multi-user.target.wants/late.service",
            "multi-user.target.wants/over.service",
            "other.target.wants/blessed.service",
        ] {
            files::replace(&etc.join(link), b"", 0o644).unwrap();
        }
        let default = root.join("/usr/lib/systemd/system/default.target");
        std::os::unix::fs::symlink("graphical.target", default).unwrap();

        let found = |before: &[&str]| {
            let all = held_up(&root, before).into_iter();
            let all = all.map(|(unit, targets)| (unit, Vec::from_iter(targets)));
            all.map(|(unit, targets)| format!("{unit}: {}", targets.join(" "))).collect::<Vec<_>>()
        };
        assert_eq!(found(&["web.service", "basic.target"]), [""; 0]);
        // Over another unit, over what a target wants, and by its other name.
        let over = "blessed.service: deep.target multi-user.target";
        assert_eq!(found(&["late.service"]), [over]);
        assert_eq!(found(&["default.target"]), [over, "then.service: default.target"]);
        assert_eq!(found(&["graphical.target"]), [over, "then.service: graphical.target"]);
        // Without any setting.
        let cloud = root.join("/usr/lib/systemd/system/cloud-final.service");
        files::replace(&cloud, b"After=multi-user.target\n", 0o644).unwrap();
        assert_eq!(found(&[]), [over]);
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
