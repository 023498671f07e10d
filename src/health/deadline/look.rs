//! What there is to know about what holds the deadline: questions from their
//! files, units from PID 1 itself, which answers without a bus and without logind.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::hold::{Asked, Kind, Work};
use crate::health::gather::known;
use crate::sys::files::Root;
use crate::sys::systemd::{self, Properties, questions};
use crate::sys::watch::Process;

/// How long PID 1 may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// The units, by pattern. `/.autorelabel` alone is none: only the unit that sees
/// it does something about it, and a file that was left over is there for ever.
const UNITS: [(&str, Kind); 6] = [
    ("systemd-fsck-root.service", Kind::Fsck),
    ("systemd-fsck@*.service", Kind::Fsck),
    ("selinux-autorelabel.service", Kind::Relabel),
    ("health-checker-final.service", Kind::LastStage),
    ("cloud-final.service", Kind::LastStage),
    ("systemd-cryptsetup@*.service", Kind::Unlock),
];
const PROPERTIES: &str = "Id,ActiveState,ControlGroup,InactiveExitTimestampMonotonic,\
                          ActiveEnterTimestampMonotonic,InactiveEnterTimestampMonotonic";
const CGROUPS: &str = "/sys/fs/cgroup";

/// What was found, and where its end shows.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) questions: Vec<Asked>,
    pub(super) work: Vec<Work>,
    /// Those that ask.
    pub(super) askers: Vec<Process>,
    /// Files that change when a unit's processes have ended (the kernel's
    /// `Documentation/admin-guide/cgroup-v2.rst`, `cgroup.events`).
    pub(super) files: Vec<PathBuf>,
}

/// Looks. What cannot be found out holds nothing.
pub(super) fn look(root: &Root, now: Duration) -> Look {
    let mut look = Look::default();
    let asked = known("who asks for a password", questions::waiting(root, now));
    for question in asked.unwrap_or_default() {
        let begin = now.saturating_sub(question.age);
        look.questions.push(Asked { message: question.message, begin });
        look.askers.extend(question.asker);
    }
    let patterns = UNITS.map(|(pattern, _)| pattern);
    let units = known("which units work", systemd::show(PROPERTIES, &patterns, ANSWER));
    for unit in units.unwrap_or_default() {
        let Some(work) = work(&unit) else { continue };
        if let Some(group) = unit.get("ControlGroup").filter(|_| work.end.is_none()) {
            look.files.push(format!("{CGROUPS}{group}/cgroup.events").into());
        }
        look.work.push(work);
    }
    look
}

/// When the deadline began to count: when its timer was started.
pub(super) fn armed() -> Result<Option<Duration>> {
    let key = "ActiveEnterTimestampMonotonic";
    let timer = systemd::show(key, &["health-checker-deadline.timer"], ANSWER)?;
    Ok(timer.first().and_then(|timer| time(timer, key)))
}

/// What a unit does or did in this boot; `None` if it did not run.
fn work(unit: &Properties) -> Option<Work> {
    let name = unit.get("Id")?;
    let fits = |pattern: &str| match pattern.split_once('*') {
        Some((before, after)) => name.starts_with(before) && name.ends_with(after),
        None => name == pattern,
    };
    let (_, kind) = UNITS.iter().find(|(pattern, _)| fits(pattern))?;
    let begin = time(unit, "InactiveExitTimestampMonotonic")?;
    let end = match unit.get("ActiveState")? {
        "activating" => None,
        _ => Some(
            ["ActiveEnterTimestampMonotonic", "InactiveEnterTimestampMonotonic"]
                .into_iter()
                .filter_map(|key| time(unit, key))
                .filter(|end| *end >= begin)
                .min()?,
        ),
    };
    Some(Work { unit: name.to_owned(), kind: *kind, begin, end })
}

/// In microseconds; 0 for never.
fn time(unit: &Properties, key: &str) -> Option<Duration> {
    unit.get(key)?.parse().ok().filter(|time| *time > 0).map(Duration::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(id: &str, state: &str, times: [u64; 3]) -> Option<Work> {
        let [exit, active, inactive] = times;
        work(&Properties::parse(&format!(
            "Id={id}\nActiveState={state}\nControlGroup=/system.slice/x\n\
             InactiveExitTimestampMonotonic={exit}\nActiveEnterTimestampMonotonic={active}\n\
             InactiveEnterTimestampMonotonic={inactive}"
        )))
    }

    #[test]
    fn a_unit_is_at_work_or_was_from_when_to_when() {
        let fsck = r"systemd-fsck@dev-disk-by\x2dlabel-DATA.service";
        let s = Duration::from_secs;
        for (id, state, times, expected) in [
            (fsck, "activating", [2_000_000, 0, 0], Some((Kind::Fsck, s(2), None))),
            (fsck, "active", [2_000_000, 9_000_000, 0], Some((Kind::Fsck, s(2), Some(s(9))))),
            // Failed, and started again after that.
            (fsck, "failed", [2_000_000, 0, 5_000_000], Some((Kind::Fsck, s(2), Some(s(5))))),
            (fsck, "activating", [6_000_000, 0, 5_000_000], Some((Kind::Fsck, s(6), None))),
            (fsck, "inactive", [0, 0, 0], None),
            ("cloud-final.service", "activating", [1, 0, 0], {
                Some((Kind::LastStage, Duration::from_micros(1), None))
            }),
            ("systemd-cryptsetup@data.service", "active", [1_000_000, 4_000_000, 0], {
                Some((Kind::Unlock, s(1), Some(s(4))))
            }),
            ("sshd.service", "activating", [2_000_000, 0, 0], None),
        ] {
            let found = unit(id, state, times).map(|it| (it.kind, it.begin, it.end));
            assert_eq!(found, expected, "{id} {state} {times:?}");
        }
    }
}
