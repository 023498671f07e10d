//! The rules, and what of a system they are told.

use super::*;

const A: Option<Uuid> = Some(Uuid::from_u128(1));
const B: Option<Uuid> = Some(Uuid::from_u128(2));

fn facts(machine_id: MachineId, asked_by: Option<&'static str>) -> Facts {
    Facts {
        machine_id,
        asked_by,
        snapshot: None,
        configured: None,
        unfinished: false,
        to_settle: false,
        failed_on: None,
        other_instance: None,
        in_place: None,
    }
}

fn answer(facts: &Facts) -> String {
    match decide(facts) {
        Answer::FirstBoot(reason) => reason,
        Answer::AlreadyApplied => "applied".to_owned(),
        Answer::CutOff => "cut off".to_owned(),
        Answer::Finished => "finished".to_owned(),
    }
}

#[test]
fn the_table() {
    use MachineId::{Empty, Missing, Set, Uninitialized};
    let asked = Some("combustion.firstboot");
    let (applied, failed) = (Some(State::Applied), Some(State::Failed));
    // machine-id, command line, in place
    for (row, expected) in [
        ((Set, None, applied), "finished"),
        ((Set, None, failed), "the configuration failed at the last one"),
        ((Set, asked, applied), "combustion.firstboot on the kernel command line"),
        ((Missing, None, None), "/etc/machine-id is not there"),
        ((Empty, asked, applied), "applied"),
        ((Uninitialized, None, failed), "/etc/machine-id is uninitialized"),
    ] {
        let (machine_id, asked_by, in_place) = row;
        let facts = Facts { in_place, ..facts(machine_id, asked_by) };
        assert_eq!(answer(&facts), expected, "{facts:?}");
    }
    // machine-id, command line, snapshot, configured, failed on
    for (row, expected) in [
        ((Set, None, A, None, None), "finished"),
        ((Set, None, A, A, None), "finished"),
        ((Set, None, A, B, B), "finished"),
        ((Set, None, None, None, None), "finished"),
        ((Set, asked, A, A, None), "combustion.firstboot on the kernel command line"),
        ((Set, None, A, None, A), "the configuration failed at the last one"),
        ((Missing, None, A, None, None), "/etc/machine-id is not there"),
        ((Empty, None, A, None, None), "/etc/machine-id is empty"),
        ((Uninitialized, None, A, B, None), "/etc/machine-id is uninitialized"),
        ((Uninitialized, None, None, None, None), "/etc/machine-id is uninitialized"),
        ((Uninitialized, None, A, A, None), "applied"),
        ((Uninitialized, asked, A, A, None), "applied"),
    ] {
        let (machine_id, asked_by, snapshot, configured, failed_on) = row;
        let facts = Facts { snapshot, configured, failed_on, ..facts(machine_id, asked_by) };
        assert_eq!(answer(&facts), expected, "{facts:?}");
    }
}

#[test]
fn a_configured_snapshot_that_is_marked_is_completed_whatever_else_is_true() {
    for asked in [None, Some("combustion.firstboot")] {
        for (configured, expected) in [(A, "applied"), (B, "cut off")] {
            let marked =
                Facts { snapshot: A, configured, unfinished: true, ..facts(MachineId::Set, asked) };
            let expected = match asked {
                Some(word) if configured == B => format!("{word} on the kernel command line"),
                _ => expected.to_owned(),
            };
            assert_eq!(answer(&marked), expected, "{marked:?}");
        }
    }
}

#[test]
fn what_was_cut_off_is_settled_where_no_first_boot_does_that() {
    use MachineId::{Set, Uninitialized};
    for (machine_id, configured, expected) in [
        (Set, None, "cut off"),
        (Set, A, "cut off"),
        (Uninitialized, None, "/etc/machine-id is uninitialized"),
        (Uninitialized, A, "applied"),
    ] {
        let left = Facts { snapshot: A, configured, to_settle: true, ..facts(machine_id, None) };
        assert_eq!(answer(&left), expected, "{left:?}");
    }
}

#[test]
fn another_machine_by_its_platform_is_configured_anew() {
    use MachineId::{Set, Uninitialized};
    let other = "to its platform this is another machine: i-2";
    for (machine_id, asked_by, failed_on, expected) in [
        (Set, None, None, other),
        (Set, None, A, other),
        (Set, Some("ignition.firstboot"), None, "ignition.firstboot on the kernel command line"),
        (Uninitialized, None, None, "applied"),
    ] {
        let facts = Facts {
            snapshot: A,
            configured: A,
            failed_on,
            other_instance: Some("i-2".to_owned()),
            ..facts(machine_id, asked_by)
        };
        assert_eq!(answer(&facts), expected, "{facts:?}");
    }
}

#[test]
fn the_topmost_layer_counts() {
    let dir = tempfile::tempdir().unwrap();
    let layers = ["upper", "lower"].map(|name| dir.path().join(name));
    assert_eq!(machine_id(&layers).unwrap(), MachineId::Missing);
    for layer in &layers {
        fs::create_dir(layer).unwrap();
    }
    fs::write(layers[1].join("machine-id"), "uninitialized\n").unwrap();
    assert_eq!(machine_id(&layers).unwrap(), MachineId::Uninitialized);
    fs::write(layers[0].join("machine-id"), "").unwrap();
    assert_eq!(machine_id(&layers).unwrap(), MachineId::Empty);
    fs::write(layers[0].join("machine-id"), "0123456789abcdef0123456789abcdef\n").unwrap();
    assert_eq!(machine_id(&layers).unwrap(), MachineId::Set);
}
