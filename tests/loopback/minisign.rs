//! What minisign itself signed, from the files in the image to the result: taken where it is
//! right, refused where anything of it is not.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use health_checker::firstboot::outcome::State;
use health_checker::sys::command;

use crate::bed::{self, Bed, NESTED};

const SOURCE: &str = "usr/lib/health-checker/firstboot";
const SCRIPT: &str = "#!/bin/bash\necho signed >/etc/hostname\n";

/// A directory with keys, and a manifest to be signed.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir_in("/tmp").unwrap());
        for name in ["admin", "other"] {
            let (public, secret) = (desk.path(&format!("{name}.pub")), desk.path(name));
            bed::run("minisign", &["-G", "-W", "-p", &public, "-s", &secret]);
        }
        desk
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The signature of a manifest by this key, as minisign makes it.
    fn sign(&self, manifest: &str, key: &str, options: &[&str]) -> String {
        let (file, signature) = (self.path("SHA256SUMS"), self.path("SHA256SUMS.minisig"));
        fs::write(&file, manifest).unwrap();
        let key = self.path(key);
        let sign = ["-S", "-s", &key, "-m", &file, "-x", &signature, "-t", "for this machine"];
        bed::run("minisign", &[&sign, options].concat());
        self.read("SHA256SUMS.minisig")
    }
}

/// As the documentation has it, by sha256sum itself.
fn manifest(script: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("combustion")).unwrap();
    fs::write(dir.path().join("combustion/script"), script).unwrap();
    let mut sum = Command::new("sha256sum");
    let output = command::run(
        sum.current_dir(dir.path()).arg("./combustion/script"),
        Duration::from_secs(10),
    );
    output.unwrap().stdout
}

/// A machine whose image has this key and this configuration.
fn machine(key: &str, script: &str, manifest: &str, signature: &str) -> Bed {
    let bed = Bed::new(NESTED);
    for (path, text) in [
        ("usr/lib/health-checker/firstboot.keys/admin.pub".into(), key),
        (format!("{SOURCE}/combustion/script"), script),
        (format!("{SOURCE}/SHA256SUMS"), manifest),
        (format!("{SOURCE}/SHA256SUMS.minisig"), signature),
    ] {
        bed.add_file(&path, text.as_bytes(), 0o644);
    }
    bed
}

#[test]
fn what_minisign_signed_is_applied_and_who_signed_it_is_told() {
    let desk = Desk::new();
    let manifest = manifest(SCRIPT);
    let signature = desk.sign(&manifest, "admin", &[]);
    let whole = desk.read("admin.pub");
    let line = whole.lines().nth(1).unwrap().to_owned();
    // A key is the file that minisign writes, or the line that people copy out of it.
    for key in [whole, line] {
        let bed = machine(&key, SCRIPT, &manifest, &signature);
        let stage = bed.stage("firstboot.sources=directory");
        stage.detect().unwrap();
        stage.fetch().unwrap();
        let id = stage.apply().unwrap().unwrap();
        assert_eq!(fs::read_to_string(bed.etc_of(id.number).join("hostname")).unwrap(), "signed\n");
        let outcome = bed.outcome().unwrap();
        assert_eq!(outcome.state, State::Applied);
        assert_eq!(outcome.signed_by.as_deref(), Some("admin.pub"));
    }
}

#[test]
fn anything_else_is_refused() {
    let desk = Desk::new();
    let key = desk.read("admin.pub");
    let sums = manifest(SCRIPT);
    let signature = desk.sign(&sums, "admin", &[]);
    let other = SCRIPT.replace("signed", "forged");
    let swapped = signature.replace("for this machine", "for all machines");
    let begun = signature.lines().next().unwrap().to_owned();
    let by_nobody = "SHA256SUMS is not signed by any of this machine's keys: admin.pub";
    for (what, script, sums, signature, says) in [
        ("another key", SCRIPT, sums.clone(), desk.sign(&sums, "other", &[]), by_nobody),
        ("another manifest", &other, manifest(&other), signature.clone(), by_nobody),
        ("another trusted comment", SCRIPT, sums.clone(), swapped, by_nobody),
        (
            "another script",
            &other,
            sums.clone(),
            signature,
            "combustion/script is not what was signed",
        ),
        (
            "a legacy signature",
            SCRIPT,
            sums.clone(),
            desk.sign(&sums, "admin", &["-l"]),
            "sign without -l",
        ),
        ("half a signature", SCRIPT, sums.clone(), begun, "it is no signature of minisign's"),
        ("none", SCRIPT, sums.clone(), String::new(), "it is no signature of minisign's"),
    ] {
        let bed = machine(&key, script, &sums, &signature);
        let before = bed.fingerprint();
        let stage = bed.stage("firstboot.sources=directory");
        stage.detect().unwrap();
        let error = stage.fetch().unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(says), "{what}: {text}");
        assert!(!stage.failed(&error));
        assert_eq!(bed.fingerprint(), before, "{what}");
        assert!(!Path::new("/dev/shm/combustion").exists(), "{what}: it stays in memory");
    }
}
