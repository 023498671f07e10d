//! A seed says before what it writes to: that is kept, and nothing else.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use health_checker::firstboot::configuration::Owner;
use health_checker::firstboot::plan::{Change, Content, NewFile, Plan};
use health_checker::record::State;
use health_checker::snapshot::outside;
use health_checker::sys::btrfs;
use health_checker::sys::tree::Tree;

use crate::bed::{Bed, LAYOUTS, OVERLAY, PLAIN};

/// The bed's system, with who may own files.
fn bed(layout: &str) -> Bed {
    let bed = Bed::new(layout);
    let (etc, disk) = (bed.etc_of(1), bed.disk());
    let snapshot = disk.snapshots.path(1);
    btrfs::set_read_only(&snapshot, false).unwrap();
    for (name, text) in [("passwd", "root:x:0:0::/root:/bin/bash\n"), ("group", "root:x:0:\n")] {
        fs::write(etc.join(name), text).unwrap();
    }
    btrfs::set_read_only(&snapshot, true).unwrap();
    drop(disk);
    bed
}

fn files(paths: &[&str]) -> String {
    let files = paths.iter().map(|path| format!("  - {{path: {path}, content: new}}\n"));
    format!("#cloud-config\nusers: []\nwrite_files:\n{}", files.collect::<String>())
}

fn plan(path: &str) -> Plan {
    let owner = Owner { user: "root".to_owned(), group: None };
    let content = Content::Bytes(Vec::new());
    let file = NewFile { content, mode: 0o644, owner, secret: false };
    Plan { base: vec![Change::File { path: path.into(), file }], ..Plan::default() }
}

#[test]
fn where_a_plan_writes_to_is_found_through_links() {
    let bed = Bed::new(OVERLAY);
    let disk = bed.disk();
    // The top level's main directory has all the subvolumes where they belong.
    let system = disk.top().join("@");
    symlink("root/sub", system.join("srv")).unwrap();
    symlink("/var/lib", system.join("opt")).unwrap();
    fs::create_dir(system.join("root/sub")).unwrap();
    let tree = Tree::open(system).unwrap();
    for (path, expected) in [
        ("/new/directory/file", None),
        ("/root/new/file", Some("@/root")),
        ("/root", Some("@/root")),
        ("/srv/file", Some("@/root")),
        ("/opt/kept", Some("@/var")),
        ("/opt/new/file", Some("@/var")),
    ] {
        let reach = plan(path).reach(&tree).unwrap();
        let found = outside::look(&disk).unwrap().within(&disk, &reach);
        let kept: Vec<PathBuf> = found.unwrap().kept.into_iter().map(|kept| kept.path).collect();
        let expected: Vec<&Path> = expected.map(Path::new).into_iter().collect();
        assert_eq!(kept, expected, "{path}");
    }
}

#[test]
fn what_is_not_written_to_is_not_kept() {
    // A record for the new default, one before and one after where something is kept for it.
    for (paths, records) in [(vec!["/etc/new"], 1), (vec!["/etc/new", "/root/new"], 3)] {
        let bed = bed(OVERLAY);
        Bed::hand_on_seed(&files(&paths));
        bed.stage("").apply().unwrap();
        let State::Readable(record) = bed.store().read() else { panic!("{paths:?}") };
        assert_eq!((record.sequence, record.outside), (records, None), "{paths:?}");
        assert_eq!(fs::read_to_string(bed.etc_of(2).join("new")).unwrap(), "new");
    }
}

#[test]
fn what_it_has_written_is_put_back() {
    for layout in LAYOUTS {
        let bed = bed(layout);
        fs::create_dir_all(bed.disk().var.join("lib/YaST2")).unwrap();
        fs::write(bed.disk().var.join("lib/YaST2/reconfig_system"), "").unwrap();
        for paths in [&["/etc/new", "/usr/new"][..], &["/root/a/b"], &["/var/lib/kept", "/root/c"]]
        {
            let before = bed.fingerprint();
            Bed::hand_on_seed(&files(paths));
            // The last thing that can be refused, after all has been written.
            let stage = bed.stage("rootflags=subvol=@/.snapshots/1/snapshot");
            let error = format!("{:#}", stage.apply().unwrap_err());
            assert!(error.contains("a new snapshot would not be started"), "{error}");
            // What is not written to is not told of.
            assert!(!error.contains("/data"), "{error}");
            assert_eq!(bed.fingerprint(), before, "{layout} {paths:?}");
        }
    }
}

/// The name servers that programs of the system are lent must not be taken for its own.
#[test]
fn its_own_resolv_conf_stays() {
    assert!(Path::new("/etc/resolv.conf").exists(), "this system has none to lend");
    for link in [None, Some("../run/netconfig/resolv.conf")] {
        let bed = bed(PLAIN);
        bed.writable(1, || {
            if let Some(link) = link {
                symlink(link, bed.etc_of(1).join("resolv.conf")).unwrap();
            }
        });
        Bed::hand_on_seed(&files(&["/etc/resolv.conf"]));
        bed.stage("").apply().unwrap();
        let path = bed.etc_of(2).join("resolv.conf");
        assert!(!path.is_symlink(), "{link:?}");
        assert_eq!(fs::read_to_string(path).unwrap(), "new", "{link:?}");
    }
}

/// As [`Bed::hand_on_seed`], of one that was taken because it is signed.
fn hand_on_signed(user_data: &str) {
    Bed::hand_on_seed(user_data);
    let found = Path::new("/run/health-checker/firstboot-found.json");
    let unsigned = fs::read_to_string(found).unwrap();
    let signed = unsigned.replace("\"signed_by\": null", "\"signed_by\": \"admin.pub\"");
    assert_ne!(signed, unsigned);
    fs::write(found, signed).unwrap();
}

#[test]
fn what_a_signed_seed_names_elsewhere_carries_a_sum() {
    // printf new | sha256sum
    let sum = "#sha256=11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437";
    let bed = bed(OVERLAY);
    let server = tempfile::tempdir_in("/tmp").unwrap();
    fs::write(server.path().join("new"), "new").unwrap();
    let user_data = |sum: &str| {
        let uri = format!("file://{}/new{sum}", server.path().display());
        format!(
            "#cloud-config\nusers: []\nwrite_files:\n- {{path: /etc/new, source: {{uri: '{uri}'}}}}\n"
        )
    };
    let before = bed.fingerprint();
    for (wrong, says) in [
        ("", "user-data:4:3: error: file:///"),
        ("", "write #sha256= and the 64 digits of its SHA-256 behind it"),
        (
            &*sum.replace("11507", "11607"),
            "what is there is not what its address says: its SHA-256 is 1150",
        ),
    ] {
        hand_on_signed(&user_data(wrong));
        let error = format!("{:#}", bed.stage("").apply().unwrap_err());
        assert!(error.contains(says), "{error}");
        assert_eq!(bed.fingerprint(), before, "{error}");
    }
    hand_on_signed(&user_data(sum));
    bed.stage("").apply().unwrap();
    assert_eq!(fs::read_to_string(bed.etc_of(2).join("new")).unwrap(), "new");
}
