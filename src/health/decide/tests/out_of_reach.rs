//! The rows for a disk that the initrd does not see, and the count beside the record.

use super::*;
use crate::health::facts::Entry;

/// What such an initrd can know.
fn out_of_reach(reboots: Option<u32>, counted: bool) -> Facts {
    Facts {
        occasion: Occasion::Emergency,
        booted: None,
        booted_problems: vec!["the root, LABEL=ROOT, is not mounted".into()],
        default_at_start: None,
        default_now: None,
        present: None,
        entry: Some(Entry { counted, default_counted_out: false }),
        record: State::Unknown("no such device".into()),
        durable: reboots.map(|_| Place::Firmware).ok_or_else(|| "nowhere".into()),
        reboots_in_firmware: reboots,
        checks: Vec::new(),
        ..facts(&[])
    }
}

fn counts(plan: &Plan) -> Vec<(u32, bool)> {
    let count = |step: &Step| match step {
        Step::CountInFirmware { reboots, alone } => Some((*reboots, *alone)),
        _ => None,
    };
    plan.steps.iter().filter_map(count).collect()
}

#[test]
fn a_disk_out_of_reach() {
    for (reboots, counted, end, count) in [
        (Some(0), false, End::Reboot, Some((1, true))),
        (Some(1), false, End::SafeMode, None),
        // The loader has other entries, and comes to them.
        (Some(0), true, End::Reboot, Some((1, true))),
        (Some(2), true, End::Reboot, Some((3, true))),
        (Some(3), true, End::SafeMode, None),
        (None, false, End::SafeMode, None),
        (None, true, End::SafeMode, None),
    ] {
        let plan = decide(&out_of_reach(reboots, counted), POLICY);
        assert_eq!(plan.end, end, "{reboots:?} {counted}");
        assert_eq!(counts(&plan), Vec::from_iter(count), "{reboots:?} {counted}");
        assert_eq!(plan.otherwise.end, End::SafeMode);
        let told = plan.steps.iter().any(|step| matches!(step, Step::Alert(_)));
        assert!(told && plan.steps.len() == 1 + usize::from(count.is_some()), "{:?}", plan.steps);
    }
}

#[test]
fn the_higher_of_both_counts_holds() {
    for (recorded, counted, end, next) in [
        (0, None, End::Reboot, vec![]),
        (0, Some(0), End::Reboot, vec![(1, false)]),
        (1, Some(0), End::Reboot, vec![(2, false)]),
        (0, Some(2), End::Reboot, vec![(3, false)]),
        (0, Some(3), End::SafeMode, vec![]),
        (3, Some(0), End::SafeMode, vec![]),
    ] {
        let mut facts = facts(&["a"]);
        record(&mut facts).automatic_reboots = recorded;
        facts.reboots_in_firmware = counted;
        let plan = decide(&facts, POLICY);
        assert_eq!((plan.end, counts(&plan)), (end, next), "{recorded} {counted:?}");
    }
}

#[test]
fn a_healthy_verdict_takes_it_back_where_there_is_one() {
    for (counted, steps) in [(None, vec![]), (Some(0), vec![]), (Some(2), vec![(0, false)])] {
        let mut facts = facts(&[]);
        facts.reboots_in_firmware = counted;
        assert_eq!(counts(&decide(&facts, POLICY)), steps, "{counted:?}");
    }
}
