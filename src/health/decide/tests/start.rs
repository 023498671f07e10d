//! The rows for the start of a boot: too many without a verdict, or one that would not come up.

use super::*;
use crate::record::Rollback;

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
