//! The script has ended with 0, and what comes then fails: the disk is full, the file system
//! has become read-only, a directory may not be written to. All is as it was before.

use std::collections::BTreeMap;
use std::path::PathBuf;

use health_checker::firstboot::outcome::State;
use health_checker::record;

use crate::bed::{Bed, OVERLAY};

/// What changes something in every place that a script can reach.
const CHANGES: &str = "set -e\necho changed >/etc/hostname\necho x >/usr/added\n\
    echo changed >/var/lib/kept\necho x >/var/added\necho x >/root/added\n";

/// A plugin that does this at this event.
fn at(event: &str, what: &str) -> String {
    format!("#!/bin/bash\n[ \"$1\" = {event} ] || exit 0\n{what}\n")
}

/// Writes until nothing fits any more, neither of data nor of metadata.
const FILL: &str = "for i in {1..400}; do printf %1048576s >>/var/filler || break; done\n\
    for i in {1..60000}; do printf %1500s >/var/full$i || break; done; exit 0";

struct Case {
    bed: Bed,
    before: BTreeMap<PathBuf, String>,
}

impl Case {
    fn new(plugin: &str) -> Self {
        let bed = Bed::new(OVERLAY);
        bed.nest_in_var("lib/machines");
        for program in ["/usr/bin/chattr", "/usr/bin/mount"] {
            bed.add_program(program);
        }
        if !plugin.is_empty() {
            bed.add_file("usr/lib/snapper/plugins/10-test", plugin.as_bytes(), 0o755);
        }
        Self { before: bed.fingerprint(), bed }
    }

    /// Applies this; the error.
    fn fails(&self, script: &str) -> String {
        let stage = self.bed.stage("");
        stage.detect().unwrap();
        Bed::hand_on_script(&format!("#!/bin/bash\n{CHANGES}{script}\n"));
        let error = stage.apply().unwrap_err();
        stage.failed(&error);
        format!("{error:#}")
    }

    fn is_as_before(&self) {
        assert_eq!(self.bed.default_number(), 1);
        let after = self.bed.fingerprint();
        let differs = |(path, print): &(&PathBuf, &String)| after.get(*path) != Some(*print);
        let changed: Vec<_> = self.before.iter().filter(differs).collect();
        let added: Vec<_> = after.keys().filter(|path| !self.before.contains_key(*path)).collect();
        assert!(changed.is_empty() && added.is_empty(), "{changed:?} {added:?}");
        let record::State::Readable(record) = self.bed.store().read() else { panic!() };
        assert_eq!(record.outside, None);
    }

    /// The next start applies the corrected one.
    fn goes_on(&self) {
        self.bed.restart();
        self.bed.stage("").detect().unwrap();
        assert!(Bed::pending());
        Bed::hand_on_script("#!/bin/bash\necho whole >/etc/hostname\n");
        self.bed.stage("").apply().unwrap();
        assert_eq!(self.bed.outcome().unwrap().state, State::Applied);
        assert_eq!(self.bed.default_number(), 2);
    }
}

#[test]
fn the_state_may_not_be_written_ahead() {
    let case = Case::new("");
    let said = case.fails("chattr +i /var/lib/health-checker /.snapshots/.health-checker");
    assert!(said.contains("cannot note what is about to become the default"), "{said}");
    assert!(
        said.contains("Operation not permitted") && !said.contains("cannot be undone"),
        "{said}"
    );
    case.is_as_before();
}

#[test]
fn what_may_not_be_renamed_is_put_back_all_the_same() {
    for what in ["/root", "/var", "/var/lib", "/"] {
        let case = Case::new("");
        let said = case.fails(&format!("chattr +i {what}; exit 3"));
        assert!(
            said.contains("exit status 3") && !said.contains("cannot be undone"),
            "{what}: {said}"
        );
        case.is_as_before();
        case.goes_on();
    }
}

#[test]
fn the_disk_is_full_when_it_is_to_become_the_default() {
    let case = Case::new(&at("create-snapshot-post", FILL));
    let said = case.fails("");
    assert!(said.contains("No space left on device"), "{said}");
    case.is_as_before();
    case.bed.add_file("usr/lib/snapper/plugins/10-test", b"", 0o644);
    case.goes_on();
}

#[test]
fn a_disk_that_is_full_after_the_write_ahead_does_not_matter() {
    let case = Case::new(&at("set-default-snapshot-post", FILL));
    Bed::hand_on_script(&format!("#!/bin/bash\n{CHANGES}\n"));
    case.bed.stage("").apply().unwrap();
    assert_eq!(case.bed.default_number(), 2);
    // What is left to note finds no room yet; that stops no start, and nothing is done twice.
    case.bed.restart();
    let error = format!("{:#}", case.bed.stage("").detect().unwrap_err());
    assert!(error.contains("No space left on device") && !Bed::pending(), "{error}");
    case.bed.remove_from_var(|name| name.starts_with("full") || name == "filler");
    case.bed.stage("").detect().unwrap();
    assert!(!Bed::pending(), "applied twice");
    assert_eq!(case.bed.outcome().unwrap().state, State::Applied);
}

#[test]
fn the_file_system_is_read_only_by_then_and_the_next_start_puts_all_back() {
    let case = Case::new(&at("set-default-snapshot-post", "mount -o remount,ro /var"));
    let said = case.fails("");
    assert!(said.contains("cannot be undone"), "{said}");
    case.bed.remount_writable();
    case.bed.restart();
    case.bed.stage("").clean_up().unwrap();
    case.is_as_before();
}
