//! A transaction that was cut off: what it left is found and deleted, and nothing else.

use std::fs;

use health_checker::snapshot::discard;
use health_checker::snapshot::info::Info;
use health_checker::snapshot::transaction::{self, IN_PROGRESS, Transaction};
use health_checker::sys::btrfs;

use super::bed::{Bed, LAYOUTS, NESTED, OVERLAY};
use super::script;

#[test]
fn an_interrupted_transaction_is_deleted_at_the_next_first_boot() {
    for layout in LAYOUTS {
        let bed = Bed::new(layout);
        let before = bed.fingerprint();
        let disk = bed.disk();
        let plan = transaction::plan(&disk, "test").unwrap();
        let new = Transaction::begin(&disk, plan).unwrap();
        fs::write(new.path().join("usr/half"), "").unwrap();
        btrfs::snapshot(&disk.var, &new.path().join("usr/nested")).unwrap();
        std::mem::forget(new); // the power goes
        assert_ne!(bed.fingerprint(), before, "the fingerprint sees nothing");
        assert_eq!(discard::left_over(&disk).unwrap(), [2], "{layout}");
        discard::discard(&disk, 2).unwrap();
        assert_eq!(discard::left_over(&disk).unwrap(), [0; 0]);
        drop(disk);
        assert_eq!(bed.fingerprint(), before, "{layout}");
    }
}

#[test]
fn a_cut_before_the_mark_leaves_nothing_for_ever() {
    let bed = Bed::new(OVERLAY);
    let before = bed.fingerprint();
    let disk = bed.disk();
    let dir = |number: u32| disk.snapshots.dir().join(number.to_string());
    // 2: cut when the mark's temporary file was durable. 3: cut at the end of a deletion.
    fs::create_dir(dir(2)).unwrap();
    fs::write(dir(2).join(".new-VbXoFL"), "<?xml").unwrap();
    fs::create_dir(dir(3)).unwrap();
    assert_eq!(discard::left_over(&disk).unwrap(), [2, 3]);
    for number in [2, 3] {
        discard::discard(&disk, number).unwrap();
    }
    assert_eq!(bed.fingerprint(), before);
    // Whatever else is in it is somebody's.
    for content in ["4/snapshot", "5/somebodys"] {
        fs::create_dir_all(disk.snapshots.dir().join(content)).unwrap();
    }
    fs::create_dir_all(dir(6)).unwrap();
    fs::create_dir_all(disk.var.join("lib/overlay/6/etc")).unwrap();
    assert_eq!(discard::left_over(&disk).unwrap(), [0; 0]);
    drop(disk);
}

#[test]
fn a_cut_between_the_write_ahead_and_set_default_is_done_again() {
    let bed = Bed::new(OVERLAY);
    let stage = bed.stage("");
    let before = bed.fingerprint();
    let disk = bed.disk();
    let mut new = Transaction::begin(&disk, transaction::plan(&disk, "test").unwrap()).unwrap();
    let failing = |_| anyhow::bail!("the record cannot be written");
    let error = new.commit(failing).unwrap_err();
    assert!(format!("{error:#}").contains("the record cannot be written"));
    drop(new);
    drop(disk);
    assert_eq!(bed.fingerprint(), before, "no write-ahead, no new default");
    stage.detect().unwrap();
    assert!(Bed::pending());
}

#[test]
fn the_default_and_a_finished_snapshot_are_never_taken_for_left_overs() {
    let bed = Bed::new(NESTED);
    Bed::hand_on_script(&script("exit 0"));
    bed.stage("").apply().unwrap();
    drop(bed.disk_of_default());
    // A configuration may set the machine-id: then it looks as if it had been up.
    bed.write_machine_id();
    let disk = bed.disk();
    // As a cut right after set-default leaves it.
    let path = disk.snapshots.dir().join("2/info.xml");
    let mut info = Info::read(&path).unwrap().unwrap();
    info.set_user(IN_PROGRESS, Some("yes"));
    info.write(&path).unwrap();
    assert_eq!(discard::left_over(&disk).unwrap(), [0; 0]);
    assert!(discard::discard(&disk, 2).is_err());
    assert!(disk.snapshots.path(2).join("etc/hostname").exists(), "its nested /etc is gone");
    drop(disk);
    bed.restart();
    bed.stage("").detect().unwrap();
    let info = Info::read(&bed.disk().snapshots.dir().join("2/info.xml")).unwrap().unwrap();
    assert_eq!(info.user(IN_PROGRESS), None, "detect completes what was cut off");
}
