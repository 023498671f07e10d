//! The rows for a start in which the loader went back by itself, and for those that
//! only look like it.

use super::*;
use crate::health::facts::Entry;
use crate::record::{Record, Rollback};

/// Snapshot 2 is the default and was started last, without an end; the loader has
/// started 1, the known good one that it was told of.
fn fell_back(checks: &[&str]) -> Facts {
    let mut facts = facts(checks);
    facts.booted = Some(id(1));
    facts.loader_offers = Some(id(1));
    record(&mut facts).pending = Some(id(2));
    record(&mut facts).starts = vec![Starts { snapshot: id(2), count: 1 }];
    facts
}

fn written(plan: &Plan) -> Vec<&Record> {
    let mut records = Vec::new();
    for step in &plan.steps {
        if let Step::WriteRecord(record) = step {
            records.push(&**record);
        }
    }
    records
}

#[test]
fn a_healthy_fallback_is_made_for_good_and_told() {
    let plan = decide(&fell_back(&[]), POLICY);
    assert_eq!((plan.decision.action, plan.end), (Action::MarkGood, End::GoOn));
    let [intent, verdict] = written(&plan)[..] else { panic!("{plan:?}") };
    let is_it = |it: &Rollback| {
        (it.from, it.to) == (id(2), id(1)) && it.failed == ["starts without a verdict"]
    };
    assert!(intent.rollback.as_ref().is_some_and(is_it), "{intent:?}");
    assert!(verdict.last_rollback.as_ref().is_some_and(is_it), "{verdict:?}");
    assert_eq!((verdict.pending, &verdict.rollback), (None, &None));
    let at = |wanted: &Step| plan.steps.iter().position(|step| step == wanted).unwrap();
    let intended = at(&Step::WriteRecord(Box::new(intent.clone())));
    assert!(at(&Step::Protect(id(1))) < intended && intended < at(&Step::SetDefault(id(1))));
    assert!(at(&Step::SetDefault(id(1))) < at(&Step::ClearFlag));
    let Some(Step::Alert(alert)) = plan.steps.iter().find(|it| matches!(it, Step::Alert(_))) else {
        panic!("{plan:?}")
    };
    assert_eq!(alert.event, Event::Fallback);
    assert!(alert.failed[0].starts_with("snapshot 2: "), "{alert:?}");
}

#[test]
fn what_the_loader_did_not_do_stays_a_choice_by_hand() {
    let rows: &[(&str, Change)] = &[
        ("the update waits for its first start", |f| record(f).pending = None),
        ("another one was started last", |f| record(f).pending = Some(id(3))),
        ("the loader was told of another one", |f| f.loader_offers = Some(id(3))),
        ("no menu follows the protocol", |f| f.loader_offers = None),
        ("the default is known good as well", |f| record(f).known_good.insert(0, good(2))),
        ("what was started is not known good", |f| record(f).known_good.clear()),
        ("the record is damaged", |f| f.record = State::Unknown("damaged".into())),
    ];
    for (name, change) in rows {
        for checks in [&[][..], &["a"]] {
            let mut facts = fell_back(checks);
            change(&mut facts);
            assert!(facts.chosen_by_hand() && facts.fell_back().is_none(), "{name}");
            let plan = decide(&facts, POLICY);
            let touches = |step: &Step| matches!(step, Step::SetDefault(_));
            assert!(!plan.steps.iter().any(touches), "{name}: {plan:?}");
            assert_eq!(plan.end, End::GoOn, "{name}");
        }
    }
}

#[test]
fn where_the_fallback_fails_too_it_is_the_default_before_anything_else() {
    let rows: &[(&str, Change, Action)] = &[
        ("first", |_| {}, Action::Reboot),
        ("again", |f| record(f).retried = Some(id(1)), Action::SafeMode),
        ("too often", |f| record(f).automatic_reboots = MOST_REBOOTS, Action::SafeMode),
    ];
    for (name, change, action) in rows {
        let mut facts = fell_back(&["a"]);
        change(&mut facts);
        let plan = decide(&facts, POLICY);
        assert_eq!(plan.decision.action, *action, "{name}");
        assert!(plan.steps.contains(&Step::SetDefault(id(1))), "{name}: {plan:?}");
        let last = written(&plan).pop().unwrap();
        assert!(last.rollback.as_ref().is_some_and(|it| it.from == id(2)), "{name}: {last:?}");
    }
}

#[test]
fn an_update_that_came_meanwhile_is_left_the_default() {
    let mut facts = fell_back(&[]);
    facts.default_now = Some(id(3));
    let plan = decide(&facts, POLICY);
    assert!(!plan.steps.iter().any(|step| matches!(step, Step::SetDefault(_))), "{plan:?}");
    let last = written(&plan).pop().unwrap();
    assert!(last.last_rollback.as_ref().is_some_and(|it| it.from == id(2)), "{last:?}");
}

#[test]
fn a_later_look_does_not_call_it_a_choice_by_hand() {
    let mut facts = fell_back(&["a"]);
    let plan = decide(&fell_back(&[]), POLICY);
    facts.record = State::Readable(written(&plan).pop().unwrap().clone());
    facts.default_now = Some(id(1));
    facts.judged = Some(true);
    facts.control.act_again = true;
    assert_eq!(decide(&facts, POLICY).decision.action, Action::Reboot);
    facts.default_now = Some(id(2));
    assert_eq!(decide(&facts, POLICY).decision.action, Action::None);
}

#[test]
fn a_rollback_that_was_cut_short_is_completed_where_grub_went_back() {
    let at = Timestamp::UNIX_EPOCH;
    let intent = |to| Rollback { from: id(2), to, failed: vec!["a".into()], at };
    let mut facts = fell_back(&[]);
    record(&mut facts).pending = None;
    record(&mut facts).rollback = Some(intent(id(3)));
    assert!(facts.chosen_by_hand(), "it was to another one");
    record(&mut facts).rollback = Some(intent(id(1)));
    let plan = decide(&facts, POLICY);
    assert!(plan.steps.contains(&Step::SetDefault(id(1))), "{plan:?}");
    assert_eq!(written(&plan).pop().unwrap().last_rollback, Some(intent(id(1))));
}

#[test]
fn the_start_of_one_that_was_chosen_is_not_what_the_flag_is_about() {
    for (default, pending) in [(id(2), Some(id(2))), (id(3), Some(id(3)))] {
        let mut facts = facts(&[]);
        facts.occasion = Occasion::Start;
        facts.default_at_start = Some(default);
        record(&mut facts).pending = (default == id(3)).then_some(default);
        assert_eq!(written(&decide(&facts, POLICY))[0].pending, pending, "{default}");
    }
}

#[test]
fn entries_that_are_counted_out_are_settled_by_the_verdict_where_the_initrd_did_not() {
    let mut facts = fell_back(&[]);
    facts.loader_offers = None;
    record(&mut facts).pending = None;
    assert!(facts.chosen_by_hand());
    facts.entry = Some(Entry { counted: false, default_counted_out: true });
    // What was intended against it says why.
    let at = Timestamp::UNIX_EPOCH;
    let intent = Rollback { from: id(2), to: id(1), failed: vec!["a".into()], at };
    record(&mut facts).rollback = Some(intent.clone());
    let plan = decide(&facts, POLICY);
    assert!(plan.steps.contains(&Step::SetDefault(id(1))), "{plan:?}");
    assert!(plan.steps.contains(&Step::CountOut(id(2))), "{plan:?}");
    assert_eq!(written(&plan).pop().unwrap().last_rollback, Some(intent));
}

#[test]
fn the_flag_is_cleared_with_each_verdict_and_each_end_in_order() {
    let cleared = |plan: &Plan| plan.steps.contains(&Step::ClearFlag);
    for (checks, end) in [(&[][..], End::GoOn), (&["a"], End::Reboot)] {
        let plan = decide(&facts(checks), POLICY);
        assert_eq!((cleared(&plan), plan.end), (true, end));
    }
    let mut known_good = facts(&["a"]);
    record(&mut known_good).known_good.push(good(2));
    record(&mut known_good).retried = Some(id(2));
    let plan = decide(&known_good, POLICY);
    assert_eq!((cleared(&plan), plan.end), (true, End::SafeMode));
    // Not where nothing is touched, nor where its block cannot be reached.
    let mut by_hand = facts(&["a"]);
    by_hand.default_at_start = Some(id(1));
    assert!(!cleared(&decide(&by_hand, POLICY)));
    let mut start = facts(&[]);
    start.occasion = Occasion::Start;
    start.booted_problems = vec!["no init".into()];
    assert!(!cleared(&decide(&start, POLICY)));
    // An end in order: the record says so before the flag does.
    let mut ends = facts(&[]);
    record(&mut ends).pending = Some(id(2));
    let plan = ended(&ends);
    let [Step::WriteRecord(record), Step::ClearFlag] = &plan.steps[..] else { panic!("{plan:?}") };
    assert_eq!(record.pending, None);
    ends.record = State::Unknown("damaged".into());
    assert_eq!(ended(&ends).steps, [Step::ClearFlag]);
}
