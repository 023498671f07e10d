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
