//! The table of the rules, a row a case; the simulator in `tests/` goes through
//! what a table cannot hold.

use jiff::Timestamp;
use uuid::Uuid;

use super::*;
use crate::health::checks::{Ending, Outcome};
use crate::health::facts::{Candidate, Control, Place};
use crate::record::{KnownGood, Record, Rollback, SnapshotId, Starts, State};

const POLICY: Policy = Policy { keep: 2, unfinished_boots: 3 };

fn id(number: u32) -> SnapshotId {
    SnapshotId { number, uuid: Uuid::from_u128(number.into()) }
}

fn good(number: u32) -> KnownGood {
    KnownGood { snapshot: id(number), as_default: true, at: Timestamp::UNIX_EPOCH }
}

fn failing(name: &str, required: bool) -> Outcome {
    Outcome {
        name: name.into(),
        kind: "unit".into(),
        required,
        outcome: Ending::Fail,
        duration_ms: 1,
        observed: std::collections::BTreeMap::new(),
        message: "dead".into(),
    }
}

/// Snapshots 1 and 2; 2 is booted and the default, 1 is known good.
fn facts(checks: &[&str]) -> Facts {
    let candidate =
        |number| Candidate { snapshot: id(number), problems: Vec::new(), fits_kernel: true };
    Facts {
        booted_problems: Vec::new(),
        given_up: None,
        occasion: Occasion::Verdict,
        boot: Uuid::from_u128(9),
        soft_reboots: 0,
        now: Timestamp::UNIX_EPOCH,
        control: Control { mode: Mode::Enforce, may_reboot: true, act_again: false },
        shutting_down: false,
        booted: Some(id(2)),
        default_at_start: Some(id(2)),
        default_now: Some(id(2)),
        entry: None,
        loader_offers: None,
        default_descends: false,
        present: Some(vec![candidate(1), candidate(2)]),
        record: State::Readable(Record { known_good: vec![good(1)], ..Record::default() }),
        durable: Ok(Place::Record),
        reboots_in_firmware: None,
        judged: None,
        checks: checks.iter().map(|name| failing(name, true)).collect(),
    }
}

fn record(facts: &mut Facts) -> &mut Record {
    match &mut facts.record {
        State::Readable(record) => record,
        other => panic!("{other:?}"),
    }
}

type Change = fn(&mut Facts);

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
fn starts_without_a_verdict() {
    hold_at_the_start(&[
        ("the first", |_| {}, Action::None, End::GoOn, Some(1)),
        (
            "the fourth of a new one",
            |f| record(f).starts = vec![Starts { snapshot: id(2), count: 3 }],
            Action::Rollback,
            End::Enter(id(1)),
            None,
        ),
        (
            "the fourth of a known good one",
            |f| {
                record(f).starts = vec![Starts { snapshot: id(2), count: 3 }];
                record(f).known_good.push(good(2));
            },
            Action::SafeMode,
            End::SafeMode,
            None,
        ),
        (
            "the fourth of one that was chosen by hand",
            |f| {
                record(f).starts = vec![Starts { snapshot: id(2), count: 3 }];
                f.default_at_start = Some(id(1));
            },
            Action::None,
            End::GoOn,
            Some(4),
        ),
        (
            "a rollback was cut short",
            |f| {
                record(f).rollback = Some(Rollback {
                    from: id(2),
                    to: id(1),
                    failed: vec!["a".into()],
                    at: Timestamp::UNIX_EPOCH,
                });
            },
            Action::Rollback,
            End::Enter(id(1)),
            None,
        ),
        (
            "nothing can be written",
            |f| f.durable = Err("read-only".into()),
            Action::None,
            End::GoOn,
            None,
        ),
        (
            "the record is damaged",
            |f| f.record = State::Unknown("damaged".into()),
            Action::None,
            End::GoOn,
            None,
        ),
    ]);
}

#[test]
fn a_start_of_what_would_not_come_up() {
    hold_at_the_start(&[
        (
            "a new one that would not come up",
            |f| f.booted_problems = vec!["no init".into()],
            Action::Rollback,
            End::Enter(id(1)),
            None,
        ),
        (
            "the same, and the known good one has no modules for this kernel",
            |f| {
                f.booted_problems = vec!["no init".into()];
                f.present.as_mut().unwrap()[0].fits_kernel = false;
            },
            Action::Rollback,
            End::Reboot,
            None,
        ),
        (
            "the same, and there is nothing to go back to",
            |f| {
                f.booted_problems = vec!["no init".into()];
                record(f).known_good.clear();
            },
            Action::None,
            End::GoOn,
            Some(1),
        ),
        (
            "the same, chosen by hand",
            |f| {
                f.booted_problems = vec!["no init".into()];
                f.default_at_start = Some(id(1));
            },
            Action::None,
            End::GoOn,
            Some(1),
        ),
    ]);
}

/// What is decided, how it ends, and what the count of starts is then.
type AtTheStart = (&'static str, Change, Action, End, Option<u32>);

fn hold_at_the_start(rows: &[AtTheStart]) {
    for (name, change, action, end, counted) in rows {
        let mut facts = facts(&[]);
        facts.occasion = Occasion::Start;
        change(&mut facts);
        let plan = decide(&facts, POLICY);
        assert_eq!((plan.decision.action, plan.end), (*action, *end), "{name}");
        let written = plan.steps.iter().find_map(|step| match step {
            Step::WriteRecord(record) => Some(record.starts_of(&id(2))).filter(|count| *count > 0),
            _ => None,
        });
        assert_eq!(written, *counted, "{name}");
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

#[path = "fallback_tests.rs"]
mod fallback;

#[path = "out_of_reach_tests.rs"]
mod out_of_reach;
#[path = "probation_tests.rs"]
mod probation;
