//! A root without snapshots: the script runs in the system itself, and that is told.

use std::fs;
use std::path::Path;

use health_checker::firstboot::outcome::{Outcome, State};
use health_checker::snapshot::disk::Disk;
use health_checker::sys::mount::Writable;

use crate::bed::{Bed, PLAIN, run};

/// While a root that is mounted read-only is not.
fn in_writable(root: &Path, work: impl FnOnce()) {
    let writable = Writable::make(root).unwrap();
    work();
    writable.take_back().unwrap();
}

#[test]
fn without_snapshots_it_is_applied_in_place_and_once() {
    let bed = Bed::new(PLAIN);
    let mut stage = bed.stage("");
    stage.machine.sysroot = bed.mount_ext4();
    let root = stage.machine.sysroot.clone();
    assert!(Disk::open(&root, false).unwrap().is_none());
    let detect = || {
        bed.restart();
        stage.detect().unwrap();
        Bed::pending()
    };
    assert!(detect());
    Bed::hand_on_script("#!/bin/bash\necho half >/etc/half\nexit 3\n");
    let error = stage.apply().unwrap_err();
    let text = format!("{error:#}");
    assert!(
        text.contains("exit status 3") && text.contains("what it had done by then stays"),
        "{text}"
    );
    assert!(!stage.failed(&error));
    assert!(root.join("etc/half").exists());
    let noted = || Outcome::read(&root.join("var/lib/health-checker")).unwrap().unwrap();
    assert!(noted().in_place && noted().state == State::Failed);
    assert!(noted().reason.unwrap().contains("exit status 3"));

    // It went on without its configuration, which is still to be corrected.
    let id = root.join("etc/machine-id");
    in_writable(&root, || fs::write(&id, "0123456789abcdef0123456789abcdef\n").unwrap());
    assert!(detect(), "the corrected one is not applied");
    in_writable(&root, || fs::write(&id, "uninitialized\n").unwrap());
    Bed::hand_on_script("#!/bin/bash\necho whole >/etc/hostname\n");
    assert_eq!(stage.apply().unwrap(), None);
    assert_eq!(fs::read_to_string(root.join("etc/hostname")).unwrap(), "whole\n");
    assert!(noted().in_place && noted().state == State::Applied);
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let mounts = health_checker::sys::mountinfo::parse(&mounts);
    let options = &health_checker::sys::mountinfo::at(&mounts, &root).unwrap().options;
    assert!(options.split(',').any(|it| it == "ro"), "it stays writable: {options}");
    assert!(!detect(), "applied twice");
}

/// A swap file would do the same.
#[test]
fn what_keeps_the_root_writable_does_not_undo_what_is_done() {
    let bed = Bed::new(PLAIN);
    for program in ["/usr/sbin/losetup", "/usr/bin/truncate"] {
        bed.add_program(program);
    }
    let mut stage = bed.stage("");
    stage.machine.sysroot = bed.mount_ext4();
    let root = stage.machine.sysroot.clone();
    stage.detect().unwrap();
    Bed::hand_on_script(
        "#!/bin/bash\nset -e\ntruncate --size=1M /image\nlosetup --find --show /image >/device\n",
    );
    let applied = stage.apply();
    let device = fs::read_to_string(root.join("device")).unwrap();
    run("losetup", &["--detach", device.trim()]);
    assert_eq!(applied.unwrap(), None);
    let noted = Outcome::read(&root.join("var/lib/health-checker")).unwrap().unwrap();
    assert!(noted.in_place && noted.state == State::Applied, "{noted:?}");
}
