//! The rows for a snapshot that first boot has configured, until it is known good.

use super::*;
use crate::record::{FirstBoot, Record};

/// Snapshot 2 was configured, from 1; nothing was ever good.
fn configured(occasion: Occasion) -> Facts {
    let mut facts = facts(&[]);
    facts.occasion = occasion;
    let firstboot = FirstBoot {
        configured: id(2),
        pristine: id(1),
        source: "a stick".into(),
        sha256: "00".into(),
        at: Timestamp::UNIX_EPOCH,
        applications: 1,
        instance: None,
    };
    *record(&mut facts) = Record { firstboot: Some(firstboot), ..Record::default() };
    facts
}

#[test]
fn one_that_does_not_come_up_goes_back_to_the_pristine_one_by_a_reboot() {
    let mut unfinished = configured(Occasion::Start);
    record(&mut unfinished).starts = vec![Starts { snapshot: id(2), count: 3 }];
    let mut broken = configured(Occasion::Start);
    broken.booted_problems = vec!["/usr/lib/systemd/systemd: is not there".into()];
    let mut given_up = configured(Occasion::Verdict);
    given_up.given_up = None;
    for facts in [unfinished, broken] {
        let plan = decide(&facts, POLICY);
        assert_eq!(plan.decision.action, Action::Rollback, "{facts:?}");
        assert_eq!((plan.decision.target, plan.end), (Some(id(1)), End::Reboot), "{facts:?}");
        assert!(plan.steps.contains(&Step::Protect(id(1))), "{plan:?}");
    }
}

#[test]
fn one_whose_checks_fail_stays() {
    let mut facts = configured(Occasion::Verdict);
    facts.checks = vec![failing("web", true)];
    let plan = decide(&facts, POLICY);
    assert_eq!((plan.decision.action, plan.decision.target), (Action::Reboot, None));
    record(&mut facts).retried = Some(id(2));
    assert_eq!(decide(&facts, POLICY).decision.action, Action::SafeMode);
}

#[test]
fn without_the_pristine_one_or_with_a_known_good_one_there_is_no_such_way() {
    let rows: [(&str, Change); 4] = [
        ("it is gone", |f| {
            f.present.iter_mut().for_each(|it| it.retain(|it| it.snapshot != id(1)));
        }),
        ("it would not boot", |f| {
            f.present.iter_mut().flatten().for_each(|it| it.problems = vec!["x".into()]);
        }),
        ("something was good", |f| record(f).known_good = vec![good(3)]),
        ("another one is booted", |f| (f.booted, f.default_at_start) = (Some(id(3)), Some(id(3)))),
    ];
    for (row, change) in rows {
        let mut facts = configured(Occasion::Start);
        record(&mut facts).starts =
            vec![Starts { snapshot: id(2), count: 3 }, Starts { snapshot: id(3), count: 3 }];
        change(&mut facts);
        let plan = decide(&facts, POLICY);
        assert_ne!(plan.decision.action, Action::Rollback, "{row}: {plan:?}");
    }
}

#[test]
fn a_verdict_makes_it_known_good_and_lets_the_pristine_one_go() {
    let plan = decide(&configured(Occasion::Verdict), POLICY);
    assert_eq!(plan.decision.action, Action::MarkGood);
    assert!(plan.steps.contains(&Step::Protect(id(2))), "{plan:?}");
    assert!(plan.steps.contains(&Step::Release(id(1))), "{plan:?}");
    assert!(plan.steps.contains(&Step::TellLoader(id(2))), "{plan:?}");
}
