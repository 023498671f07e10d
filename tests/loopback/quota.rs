//! A new snapshot's space is counted where snapper counts it.

use health_checker::sys::btrfs;

use crate::bed::{Bed, LAYOUTS, OVERLAY, run};

const CONFIG: &str = "etc/snapper/configs/root";

/// Applies a script; the groups that the new snapshot is in.
fn groups(bed: &Bed) -> Vec<String> {
    Bed::hand_on_script("#!/bin/bash\necho configured >/etc/hostname\n");
    bed.stage("").apply().unwrap();
    let disk = bed.disk();
    let snapshot = disk.snapshots.path(2);
    let own = format!("0/{}", btrfs::info(&snapshot).unwrap().id);
    // Columns: the group, two sizes, its parents, its path.
    let shown = run("btrfs", &["qgroup", "show", "-p", "--raw", disk.top().to_str().unwrap()]);
    let line = shown.lines().find(|line| line.split_whitespace().next() == Some(&own));
    let parents = line.unwrap().split_whitespace().nth(3).unwrap();
    parents.split(',').filter(|it| *it != "-").map(str::to_owned).collect()
}

fn with_quotas(etc: &str, group: &str) -> Bed {
    let bed = Bed::new(etc);
    let disk = bed.disk();
    let top = disk.top().to_str().unwrap();
    run("btrfs", &["quota", "enable", top]);
    run("btrfs", &["qgroup", "create", "1/0", top]);
    let config = format!("SUBVOLUME=\"/\"\nQGROUP=\"{group}\"\nSPACE_LIMIT=\"0.5\"\n");
    bed.add_file(CONFIG, config.as_bytes(), 0o640);
    drop(disk);
    bed
}

#[test]
fn the_new_snapshot_is_in_snappers_quota_group() {
    for etc in LAYOUTS {
        assert_eq!(groups(&with_quotas(etc, "1/0")), ["1/0"], "{etc}");
    }
}

#[test]
fn a_group_that_is_none_keeps_nothing_from_being_configured() {
    for group in ["", "1/7", "0/5", "nonsense"] {
        assert_eq!(groups(&with_quotas(OVERLAY, group)), [""; 0], "{group}");
    }
    // Quotas are off, as snapper's own installation leaves them on many systems.
    let bed = Bed::new(OVERLAY);
    bed.add_file(CONFIG, b"QGROUP=\"1/0\"\n", 0o640);
    Bed::hand_on_script("#!/bin/bash\necho configured >/etc/hostname\n");
    bed.stage("").apply().unwrap();
    assert_eq!(bed.default_number(), 2);
}
