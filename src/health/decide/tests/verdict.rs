//! The rows for a boot that has come up, and what is written of it.

use super::*;
use crate::record::Rollback;

#[test]
#[allow(clippy::too_many_lines, reason = "a table")]
fn the_table() {
    let rows: &[(&str, Change, Action, Option<u32>, End)] = &[
        ("passes", |f| f.checks.clear(), Action::MarkGood, None, End::GoOn),
        (
            "only a check that is not required fails",
            |f| f.checks = vec![failing("a", false)],
            Action::MarkGood,
            None,
            End::GoOn,
        ),
        ("new, a known good one is there", |_| {}, Action::Rollback, Some(1), End::Reboot),
        (
            "new, the known good one would not boot",
            |f| f.present.as_mut().unwrap()[0].problems.push("no init".into()),
            Action::Reboot,
            None,
            End::Reboot,
        ),
        (
            "new, none known good",
            |f| record(f).known_good.clear(),
            Action::Reboot,
            None,
            End::Reboot,
        ),
        (
            "new, none known good, again",
            |f| *record(f) = Record { retried: Some(id(2)), ..Record::default() },
            Action::SafeMode,
            None,
            End::SafeMode,
        ),
        (
            "known good, first failure",
            |f| record(f).known_good.push(good(2)),
            Action::Reboot,
            None,
            End::Reboot,
        ),
        (
            "known good, failed again",
            |f| {
                record(f).known_good.push(good(2));
                record(f).retried = Some(id(2));
            },
            Action::SafeMode,
            None,
            End::SafeMode,
        ),
        ("chosen by hand", |f| f.default_at_start = Some(id(1)), Action::None, None, End::GoOn),
        ("a shutdown is under way", |f| f.shutting_down = true, Action::None, None, End::GoOn),
        ("not durable", |f| f.durable = Err("full".into()), Action::SafeMode, None, End::SafeMode),
        (
            "the record is damaged",
            |f| f.record = State::Unknown("damaged".into()),
            Action::SafeMode,
            None,
            End::SafeMode,
        ),
        (
            "too many reboots",
            |f| record(f).automatic_reboots = MOST_REBOOTS,
            Action::SafeMode,
            None,
            End::SafeMode,
        ),
        (
            "the same failed on the known good one after a rollback",
            |f| {
                record(f).known_good.push(good(2));
                record(f).rollback = Some(Rollback {
                    from: id(3),
                    to: id(2),
                    failed: vec!["a".into()],
                    at: Timestamp::UNIX_EPOCH,
                });
            },
            Action::SafeMode,
            None,
            End::SafeMode,
        ),
        (
            "all that fails failed on the known good one too",
            |f| record(f).not_the_update = vec!["a".into()],
            Action::SafeMode,
            None,
            End::SafeMode,
        ),
        (
            "an unrelated default appeared meanwhile",
            |f| f.default_now = Some(id(3)),
            Action::Reboot,
            None,
            End::Reboot,
        ),
        (
            "a default made from the failed one appeared meanwhile",
            |f| {
                f.default_now = Some(id(3));
                f.default_descends = true;
            },
            Action::Rollback,
            Some(1),
            End::Reboot,
        ),
        ("nobody knows what was booted", |f| f.booted = None, Action::Reboot, None, End::Reboot),
    ];
    for (name, change, action, target, end) in rows {
        let mut facts = facts(&["a"]);
        change(&mut facts);
        let plan = decide(&facts, POLICY);
        let decided = (plan.decision.action, plan.decision.target.map(|it| it.number), plan.end);
        assert_eq!(decided, (*action, *target, *end), "{name}: {}", plan.decision.reason);
    }
}

#[test]
fn a_pass_by_hand_is_recorded_and_moves_no_target() {
    let mut facts = facts(&[]);
    facts.default_at_start = Some(id(1));
    let plan = decide(&facts, POLICY);
    let Some(Step::WriteRecord(written)) = plan.steps.first() else { panic!("{plan:?}") };
    assert!(written.good(&id(2)).is_some_and(|good| !good.as_default));
    facts.record = State::Readable((**written).clone());
    facts.booted = Some(id(3));
    assert_eq!(target(&facts, written), Some(id(1)));
}

#[test]
fn the_intent_is_written_before_the_default_changes() {
    let plan = decide(&facts(&["a"]), POLICY);
    let at = |wanted: fn(&Step) -> bool| plan.steps.iter().position(wanted).unwrap();
    assert!(at(|s| matches!(s, Step::WriteRecord(_))) < at(|s| matches!(s, Step::SetDefault(_))));
}
