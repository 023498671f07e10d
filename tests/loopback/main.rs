//! First boot on a real btrfs: an image with openSUSE's layout in a loop device.
//! Needs root. Each test has a mount namespace of its own, so they run side by
//! side, and what they mount is gone with them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    missing_docs,
    reason = "a test says by it that it failed"
)]

mod bed;
mod commit;
mod disks;
mod file_systems;
mod grub;
mod https;
mod image;
mod in_place;
mod interrupted;
mod minisign;
mod mirror;
mod noexec;
mod outside;
mod phone;
mod plugins;
mod prepare;
mod quota;
mod seeds;
mod silent_mirror;
mod upgrade;
mod usr;
mod zypper;

use std::fs;
use std::path::Path;

use bed::{Bed, LAYOUTS, NESTED, OVERLAY, PLAIN};
use health_checker::firstboot::outcome::{Outcome, State};
use health_checker::firstboot::trust;
use health_checker::record;
use health_checker::record::store::Store;
use health_checker::snapshot::info::Info;
use health_checker::snapshot::transaction::IN_PROGRESS;
use health_checker::sys::btrfs;

/// A script that changes what it can reach, and ends as told.
fn script(end: &str) -> String {
    format!(
        "#!/bin/bash\nset -e\necho changed >/etc/hostname\necho new >/etc/new\n\
         mapfile -t lines </etc/fstab\n[ ${{#lines[@]}} -gt 2 ]\necho x >/usr/added\n\
         echo x >/var/added\necho changed >/var/lib/kept\necho x >/root/added\n\
         echo \"read $(</etc/hostname)\"\nread -r || echo no standard input\n{end}\n"
    )
}

#[test]
fn an_applied_configuration_becomes_the_default_and_is_entered() {
    for layout in LAYOUTS {
        let bed = Bed::new(layout);
        let before = bed.fingerprint();
        let stage = bed.stage("");
        stage.detect().unwrap();
        assert!(Bed::pending(), "{layout}");
        Bed::hand_on_script(&script("exit 0"));
        let id = stage.apply().unwrap().unwrap();
        assert_eq!(id.number, 2, "{layout}");
        stage.enter(&id).unwrap();

        assert_eq!(btrfs::info(&bed.sysroot).unwrap().uuid, id.uuid, "{layout}");
        let disk = bed.disk();
        let default = disk.snapshots.default().unwrap().unwrap();
        assert_eq!(default.id, id, "{layout}");
        assert!(default.read_only, "{layout}: as its parent");
        assert!(disk.snapshots.path(2).join("usr/added").exists(), "{layout}");
        assert!(disk.var.join("added").exists(), "{layout}: /var was put back");
        assert!(!disk.snapshots.dir().join("2/before").exists(), "{layout}");
        let info = Info::read(&disk.snapshots.dir().join("2/info.xml")).unwrap().unwrap();
        assert_eq!(info.field("num"), Some("2"));
        assert_eq!(info.user(IN_PROGRESS), None, "{layout}");
        drop(disk);
        let etc = bed.etc_of(2);
        assert_eq!(fs::read_to_string(etc.join("hostname")).unwrap(), "changed\n", "{layout}");
        // What was there before is still there, to the last byte.
        let after = bed.fingerprint();
        let changed: Vec<_> = before
            .iter()
            .filter(|(path, hash)| after.get(*path) != Some(*hash) && !path.ends_with("lib/kept"))
            .collect();
        assert!(changed.is_empty(), "{layout}: {changed:?}");

        let record::State::Readable(record) = bed.store().read() else { panic!("{layout}") };
        let noted = record.firstboot.unwrap();
        assert_eq!((noted.configured, noted.pristine.number), (id, 1));
        assert_eq!(bed.outcome().unwrap().state, State::Applied);
        assert!(!Path::new("/dev/shm/combustion/config").exists(), "{layout}: secrets stay");

        // The next start, cut off before the machine-id was written: not again.
        bed.restart();
        stage.detect().unwrap();
        assert!(!Bed::pending(), "{layout}: applied twice");
    }
}

#[test]
fn a_failing_script_leaves_the_disk_as_it_was() {
    for layout in LAYOUTS {
        let bed = Bed::new(layout);
        let before = bed.fingerprint();
        let stage = bed.stage("");
        stage.detect().unwrap();
        Bed::hand_on_script(&script("echo the reason >&2; exit 7"));
        let error = stage.apply().unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("exit status 7; the last it said was: the reason"), "{text}");
        assert!(!stage.failed(&error), "{layout}: the start must not go on");
        assert_eq!(bed.fingerprint(), before, "{layout}");
        assert_eq!(bed.default_number(), 1);
        let outcome = bed.outcome().unwrap();
        assert_eq!(outcome.state, State::Failed);
        assert!(outcome.reason.unwrap().contains("the reason"));

        // The corrected stick, at the next start.
        bed.restart();
        stage.detect().unwrap();
        assert!(Bed::pending(), "{layout}: no longer a first boot");
        Bed::hand_on_script(&script("exit 0"));
        assert_eq!(stage.apply().unwrap().unwrap().number, 2, "{layout}");
        assert_eq!(bed.outcome().unwrap().state, State::Applied);
    }
}

#[test]
fn a_script_that_cannot_start_is_named_and_nothing_is_left() {
    for (text, says) in [
        ("#!/bin/zsh\n", "combustion/script: line 1: the interpreter /bin/zsh cannot be started"),
        ("#!/bin/bash\r\n", "combustion/script: line 1: it ends with CR and LF"),
        ("echo\n", "combustion/script: line 1: no interpreter"),
    ] {
        let bed = Bed::new(OVERLAY);
        let before = bed.fingerprint();
        Bed::hand_on_script(text);
        let error = format!("{:#}", bed.stage("").apply().unwrap_err());
        assert!(error.contains(says), "{error}");
        assert_eq!(bed.fingerprint(), before, "{text:?}");
    }
}

#[test]
fn what_a_script_starts_ends_with_it() {
    let bed = Bed::new(NESTED);
    let before = bed.fingerprint();
    // A process that would hold the snapshot's file system.
    Bed::hand_on_script("#!/bin/bash\n(while :; do :; done) &\necho $$ >/etc/pid\nexit 1\n");
    bed.stage("").apply().unwrap_err();
    assert_eq!(bed.fingerprint(), before);
}

#[test]
fn after_a_failure_that_was_passed_over_it_stays_a_first_boot() {
    let bed = Bed::new(OVERLAY);
    let stage = bed.stage("firstboot.on-failure=continue");
    stage.detect().unwrap();
    Bed::hand_on_script("#!/bin/bash\nexit 1\n");
    let error = stage.apply().unwrap_err();
    assert!(stage.failed(&error), "the start was to go on");
    bed.write_machine_id();
    bed.restart();
    stage.detect().unwrap();
    assert!(Bed::pending());
    // Once it has been applied, the machine is finished.
    Bed::hand_on_script(&script("exit 0"));
    stage.apply().unwrap();
    bed.restart();
    stage.detect().unwrap();
    assert!(!Bed::pending());
}

#[test]
fn a_forgotten_layer_is_not_taken_over_and_a_damaged_record_is_kept() {
    let bed = Bed::new(OVERLAY);
    let disk = bed.disk();
    fs::create_dir_all(disk.var.join("lib/overlay/7/etc")).unwrap();
    let store = Store::at(disk.var.join("lib/health-checker"));
    fs::create_dir_all(disk.var.join("lib/health-checker")).unwrap();
    fs::write(disk.var.join("lib/health-checker/record"), "rubbish").unwrap();
    assert!(matches!(store.read(), record::State::Unknown(_)));
    drop(disk);
    Bed::hand_on_script(&script("exit 0"));
    assert_eq!(bed.stage("").apply().unwrap().unwrap().number, 8);
    let disk = bed.disk_of_default();
    let aside = disk.var.join("lib/health-checker/record.unusable.0");
    assert_eq!(fs::read_to_string(aside).unwrap(), "rubbish");
    drop(disk);
    assert_eq!(bed.outcome().map(|o| Outcome { at: None, ..o }.state), Some(State::Applied));
}

#[test]
fn what_ignition_kargs_helper_asks_for_is_done_and_is_no_first_boot() {
    let bed = Bed::new(NESTED);
    let stage = bed.stage("");
    assert_eq!(stage.apply_for_helper().unwrap(), None);
    let dir = Path::new("/run/combustion/mount/combustion");
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("script"), "#!/bin/bash\necho quiet >/etc/kargs\n").unwrap();
    let id = stage.apply_for_helper().unwrap().unwrap();
    stage.enter(&id).unwrap();
    assert_eq!((id.number, bed.default_number()), (2, 2));
    assert_eq!(fs::read_to_string(bed.etc_of(2).join("kargs")).unwrap(), "quiet\n");
    // The configuration is still to come.
    bed.restart();
    stage.detect().unwrap();
    assert!(Bed::pending());
    fs::write(dir.join("script"), "#!/bin/bash\nexit 3\n").unwrap();
    assert!(stage.apply_for_helper().is_err());
    assert_eq!(bed.default_number(), 2);
}

#[test]
fn a_script_may_print_without_end_close_its_outputs_and_go_elsewhere() {
    for body in [
        "for i in {1..40000}; do echo \"line $i of many, many lines of output without any news\"; done",
        "exec >&- 2>&- <&-; cd /",
        "cd /usr; exec >/dev/null 2>&1; (while :; do :; done) & disown",
    ] {
        let bed = Bed::new(PLAIN);
        bed.stage("").detect().unwrap();
        Bed::hand_on_script(&format!("#!/bin/bash\n{body}\n"));
        bed.stage("").apply().unwrap();
        assert_eq!(bed.default_number(), 2, "{body}");
    }
}

#[test]
fn a_pinned_root_is_refused() {
    let bed = Bed::new(OVERLAY);
    Bed::hand_on_script(&script("exit 0"));
    let error = bed.stage("rootflags=subvol=@/x").apply().unwrap_err();
    assert!(format!("{error:#}").contains("rootflags=subvol="), "{error:#}");
}

#[test]
fn a_key_in_any_layer_of_etc_is_a_key() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n";
    for layout in LAYOUTS {
        let bed = Bed::new(layout);
        let asked = || trust::is_asked_for(&bed.stage("").machine).unwrap();
        assert!(!asked(), "{layout}");
        let disk = bed.disk();
        let number = disk.booted.id.number;
        drop(disk);
        let keys = bed.etc_of(number).join("health-checker/firstboot.keys");
        bed.writable(number, || {
            fs::create_dir_all(&keys).unwrap();
            fs::write(keys.join("admin.pub"), KEY).unwrap();
        });
        assert!(asked(), "{layout}");
        // One that cannot be read does not mean that there is none.
        bed.writable(number, || fs::write(keys.join("admin.pub"), "rubbish").unwrap());
        assert!(trust::is_asked_for(&bed.stage("").machine).is_err(), "{layout}");
    }
}
