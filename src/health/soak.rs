//! `policy.soak`: the verdict "good" is for a system whose required checks have
//! kept passing for that long, since much of what an update breaks is up at first
//! and falls over a minute later.

use std::thread;
use std::time::{Duration, Instant};

use super::checks::{Ending, Outcome, run};
use crate::settings::Settings;
use crate::sys::files::Root;

/// How often within that time they are looked at again, within these limits.
const LOOKS: u32 = 20;
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Runs all checks, and those that are required again until they have passed for
/// as long as the settings ask. Ends with the first that does not.
pub(super) fn checks(settings: &Settings, root: &Root) -> Vec<Outcome> {
    let mut outcomes = run::all(settings, root, &[]);
    let (soak, since) = (settings.policy.soak, Instant::now());
    let required: Vec<_> =
        outcomes.iter().filter(|it| passed(it)).map(|it| it.name.clone()).collect();
    if soak.is_zero() || required.is_empty() || outcomes.iter().any(Outcome::condemns) {
        return outcomes;
    }
    log::info!("all required checks pass; for a verdict they must do so for {}", shown(soak));
    while let Some(left) = soak.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) {
        // Nothing announces that a check would fail by now.
        thread::park_timeout(pause(soak).min(left));
        let again = run::all(settings, root, &required);
        let fell = again.iter().any(Outcome::condemns);
        replace(&mut outcomes, again);
        if fell {
            log::warn!("a required check passed, and failed {} later", shown(since.elapsed()));
            break;
        }
    }
    outcomes
}

fn passed(outcome: &Outcome) -> bool {
    outcome.required && outcome.outcome == Ending::Pass
}

fn pause(soak: Duration) -> Duration {
    (soak / LOOKS).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

fn shown(span: Duration) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs(span.as_secs()))
}

/// What was seen last counts.
fn replace(outcomes: &mut [Outcome], again: Vec<Outcome>) {
    for new in again {
        if let Some(old) = outcomes.iter_mut().find(|old| old.name == new.name) {
            *old = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn settings(root: &Root, soak: &str) -> Settings {
        fs::create_dir_all(root.join("/etc/health-checker")).unwrap();
        let text = format!(
            "checks:\n  there: {{command: [/usr/bin/test, -e, {}]}}\n  dbus: null\n  etc: null\n  \
             logind: null\n  rpmdb: null\n  subvolumes: null\n  tmp: null\npolicy: {{soak: {soak}}}",
            root.join("/there").display()
        );
        fs::write(root.join("/etc/health-checker/a.yaml"), text).unwrap();
        crate::settings::read(root)
    }

    #[test]
    fn what_falls_over_within_the_time_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        fs::write(root.join("/there"), "").unwrap();
        let seen = checks(&settings(&root, "0"), &root);
        assert_eq!(seen[0].outcome, Ending::Pass, "{seen:?}");
        let falls = root.join("/there");
        let falling = thread::spawn(move || {
            thread::park_timeout(Duration::from_millis(500));
            fs::remove_file(falls).unwrap();
        });
        let seen = checks(&settings(&root, "20s"), &root);
        falling.join().unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].outcome, Ending::Fail, "{seen:?}");
    }

    #[test]
    fn pauses_are_neither_a_storm_nor_blind() {
        for (soak, expected) in [(1, 1), (60, 3), (600, 30), (86_400, 60)] {
            assert_eq!(pause(Duration::from_secs(soak)), Duration::from_secs(expected), "{soak}");
        }
    }
}
