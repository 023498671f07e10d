//! What is outside the snapshot is put back, wherever the power is cut meanwhile.

use std::fs;
use std::path::Path;

use health_checker::record::{Outside, Record, State};
use health_checker::snapshot::disk::Disk;
use health_checker::snapshot::outside;
use health_checker::snapshot::transaction::{self, Transaction};
use health_checker::sys::btrfs;

use crate::bed::{Bed, OVERLAY};

fn state_dir(disk: &Disk) -> std::path::PathBuf {
    disk.var.join("lib/health-checker")
}

/// An attempt that was cut while its script ran; what would be put back.
fn cut_attempt(bed: &Bed) -> Outside {
    let disk = bed.disk();
    let nested = disk.var.join("lib/machines");
    let new = Transaction::begin(&disk, transaction::plan(&disk, "test").unwrap()).unwrap();
    let number = new.plan().number;
    let surroundings = outside::look(&disk).unwrap();
    assert_eq!(surroundings.elsewhere, [Path::new("/data")]);
    let outside = Outside { number, subvolumes: surroundings.kept };
    let record = Record { sequence: 1, outside: Some(outside.clone()), ..Record::default() };
    bed.store().write(&record).unwrap();
    outside::keep(&disk, &outside).unwrap();
    for (path, text) in [("lib/kept", "changed"), ("added", "new"), ("lib/machines/image", "kept")]
    {
        fs::write(disk.var.join(path), text).unwrap();
    }
    fs::write(state_dir(&disk).join("evidence"), "of the failure").unwrap();
    assert!(btrfs::is_subvolume(&nested).unwrap());
    std::mem::forget(new);
    drop(disk);
    outside
}

#[test]
fn it_is_put_back_at_the_next_start_whatever_was_exchanged_before_the_cut() {
    for exchanged in 0..=2 {
        let bed = Bed::new(OVERLAY);
        bed.nest_in_var("lib/machines");
        let before = bed.fingerprint();
        let outside = cut_attempt(&bed);
        assert_eq!(outside.subvolumes.len(), 2);
        let disk = bed.disk();
        let mut some = outside.clone();
        some.subvolumes.truncate(exchanged);
        outside::put_back(&disk, &some, &state_dir(&disk)).unwrap();
        drop(disk);

        bed.restart();
        bed.stage("").clean_up().unwrap();
        let mut after = bed.fingerprint();
        // A subvolume in /var is in no snapshot of it: it stays as it is, and is not lost.
        let inside: Vec<_> =
            after.keys().filter(|path| path.ends_with("machines/image")).cloned().collect();
        assert_eq!(inside.len(), 1, "{exchanged}");
        after.remove(&inside[0]);
        assert_eq!(after, before, "{exchanged}");
        let State::Readable(record) = bed.store().read() else { panic!("{exchanged}") };
        assert_eq!(record.outside, None);
        let disk = bed.disk();
        assert!(state_dir(&disk).join("evidence").exists(), "{exchanged}: our own state is gone");
    }
}

#[test]
fn what_an_attempt_wrote_that_was_the_default_once_is_never_put_back() {
    let bed = Bed::new(OVERLAY);
    bed.nest_in_var("lib/machines");
    let outside = cut_attempt(&bed);
    let disk = bed.disk();
    // It became the default, what was kept could not be deleted, and an update came after it.
    transaction::finish(&disk, outside.number).unwrap();
    drop(disk);
    bed.restart();
    bed.stage("").clean_up().unwrap();
    let disk = bed.disk();
    assert_eq!(fs::read_to_string(disk.var.join("added")).unwrap(), "new");
    let State::Readable(record) = bed.store().read() else { panic!() };
    assert_eq!(record.outside, None);
}

#[test]
fn what_is_the_default_by_now_keeps_what_was_written() {
    let bed = Bed::new(OVERLAY);
    bed.nest_in_var("lib/machines");
    let outside = cut_attempt(&bed);
    let disk = bed.disk();
    let default =
        disk.snapshots.list().unwrap().into_iter().find(|it| it.id.number == outside.number);
    disk.snapshots.set_default(&default.unwrap().id).unwrap();
    drop(disk);
    bed.restart();
    bed.stage("").clean_up().unwrap();
    let disk = bed.disk();
    assert_eq!(fs::read_to_string(disk.var.join("added")).unwrap(), "new");
    assert!(!disk.snapshots.dir().join(outside.number.to_string()).join("before").exists());
}

/// On a machine that has its machine-id, no first boot follows that would do it.
#[test]
fn a_finished_machine_puts_back_what_was_cut_off_and_never_what_it_wrote_itself() {
    let bed = Bed::new(OVERLAY);
    bed.nest_in_var("lib/machines");
    bed.write_machine_id();
    let before = bed.fingerprint();
    cut_attempt(&bed);
    bed.restart();
    bed.stage("").detect().unwrap();
    assert!(!Bed::pending());
    let mut after = bed.fingerprint();
    after.retain(|path, _| !path.ends_with("machines/image"));
    assert_eq!(after, before);

    // What cannot be put back stays, with all that comes after it.
    let outside = cut_attempt(&bed);
    let disk = bed.disk();
    let kept = disk.snapshots.dir().join(outside.number.to_string()).join("before/0");
    btrfs::delete(&kept).unwrap();
    btrfs::snapshot(&disk.snapshots.path(1), &kept).unwrap();
    drop(disk);
    bed.restart();
    bed.stage("").detect().unwrap_err();
    let State::Readable(record) = bed.store().read() else { panic!() };
    assert_eq!(record.outside, None);
    bed.restart();
    bed.stage("").clean_up().unwrap();
    assert_eq!(fs::read_to_string(bed.disk().var.join("added")).unwrap(), "new");
}
