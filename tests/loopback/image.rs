//! Seeds in the image that are not below its root yet when they are looked for.

use std::fs;
use std::path::Path;

use health_checker::firstboot::outcome;
use health_checker::record::State;

use crate::bed::{Bed, LAYOUTS, OVERLAY};

/// What `fetch` has handed on of a seed at this path below /var.
fn fetched(bed: &Bed, path: &str, cmdline: &str) -> String {
    for (name, text) in [("user-data", "#cloud-config\nusers: []\n"), ("meta-data", "")] {
        bed.add_to("@/var", &format!("{path}/{name}"), text.as_bytes(), 0o600);
    }
    let stage = bed.stage(cmdline);
    stage.detect().unwrap();
    stage.fetch().unwrap();
    let seed = fs::read_to_string("/dev/shm/combustion/seed/user-data").unwrap();
    assert!(seed.starts_with("#cloud-config"), "{seed}");
    let kept = fs::read_dir("/dev/shm").unwrap().count();
    assert_eq!(kept, 1, "a copy of it is left in memory");
    fs::read_to_string("/run/health-checker/firstboot-found.json").unwrap()
}

#[test]
fn a_seed_in_a_subvolume_of_its_own_is_found() {
    for layout in LAYOUTS {
        let bed = Bed::new(layout);
        let found = fetched(&bed, "lib/cloud/seed/nocloud", "");
        assert!(found.contains("/var/lib/cloud/seed/nocloud in the image"), "{found}");
        bed.stage("").apply().unwrap();
        assert_eq!(bed.outcome().unwrap().state, outcome::State::Applied);
    }
}

#[test]
fn so_is_one_that_the_command_line_names() {
    let bed = Bed::new(OVERLAY);
    let found = fetched(&bed, "seeds/mine", "ds=nocloud;s=/var/seeds/mine");
    assert!(found.contains("/var/seeds/mine"), "{found}");
}

#[test]
fn a_file_system_that_is_not_there_is_told() {
    let bed = Bed::new(OVERLAY);
    let stage = bed.stage("ds=nocloud;s=/data/seed");
    stage.detect().unwrap();
    let error = format!("{:#}", stage.fetch().unwrap_err());
    assert!(error.contains("/data/seed") && error.contains("cannot mount LABEL=NONE"), "{error}");
}

#[test]
fn a_word_that_stays_does_not_have_it_done_twice() {
    const ASKED: &str = "combustion.firstboot";
    let bed = Bed::new(OVERLAY);
    fetched(&bed, "lib/cloud/seed/nocloud", ASKED);
    bed.stage(ASKED).apply().unwrap();
    bed.restart();
    bed.write_machine_id();
    let starts = |count| {
        let State::Readable(mut record) = bed.store().read() else { panic!() };
        record.sequence += 1;
        record.set_starts(record.firstboot.as_ref().unwrap().configured, count);
        bed.store().write(&record).unwrap();
    };
    let is_found = |cmdline: &str| {
        bed.restart();
        let stage = bed.stage(cmdline);
        stage.detect().unwrap();
        assert!(Bed::pending());
        stage.fetch().unwrap();
        Path::new("/run/health-checker/firstboot-found.json").exists()
    };
    // The power went before there was a verdict.
    starts(Some(1));
    assert!(!is_found(ASKED));
    assert!(!Bed::pending() && !Path::new("/dev/shm/combustion").exists());
    assert!(is_found("combustion.firstboot firstboot.retry"));
    starts(None);
    assert!(is_found(ASKED), "it is up, and somebody wants it again");
}
