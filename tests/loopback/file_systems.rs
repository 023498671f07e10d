//! File systems besides those of every system, by their own programs: made once, made anew where
//! what is there may be lost, and grown as a root.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bed::{path, run};
use crate::disks::{LoopDisk, MIB, STILL, done, grown, populate, said, unpopulate};

#[test]
fn each_kind_is_made_by_its_own_program() {
    let disk = LoopDisk::new(520);
    let node = &disk.node;
    let text = |data: &str, flash: &str, how: &str| {
        format!(
            "{STILL}disk_setup: {{{node}: {{table_type: gpt, layout: [60, 40]}}}}\nfs_setup:\n\
             - {{label: {data}, filesystem: xfs, device: {node}.1{how}}}\n\
             - {{label: {flash}, filesystem: f2fs, device: {node}.2{how}}}\n"
        )
    };
    let probed = |number| {
        let of = |tag| said("blkid", &["-p", "-s", tag, "-o", "value", &disk.part(number)]);
        (of("TYPE"), of("LABEL"))
    };
    let is = |kind: &str, label: &str| (kind.to_owned(), label.to_owned());
    let first = text("data", "flash", "");
    assert_eq!(done(&first, Path::new("/")).len(), 3);
    assert_eq!([probed(1), probed(2)], [is("xfs", "data"), is("f2fs", "flash")]);
    let before = disk.content();
    assert_eq!(done(&first, Path::new("/")), Vec::<String>::new());
    assert!(before == disk.content(), "the second try wrote");
    // Each program has an option of its own for what is there already.
    let anew = text("data2", "flash2", ", overwrite: true");
    assert_eq!(done(&anew, Path::new("/")).len(), 2);
    assert_eq!([probed(1), probed(2)], [is("xfs", "data2"), is("f2fs", "flash2")]);
}

/// `CAP_SYS_RESOURCE` (capabilities(7)), which ext4 asks for, and a container may not have.
fn may_use_more() -> bool {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
    u64::from_str_radix(mask, 16).unwrap() & (1 << 24) != 0
}

#[test]
fn a_mounted_root_of_another_kind_grows_too() {
    for kind in ["ext4", "xfs"] {
        let disk = LoopDisk::new(400);
        let script = disk.image.with_file_name("script");
        fs::write(&script, "label: gpt\nsize=16MiB\ntype=L\n").unwrap();
        run("sh", &["-c", &format!("sfdisk -q {} <{}", disk.node, path(&script))]);
        run("partx", &["--update", &disk.node]);
        let root = disk.part(2);
        run(&format!("mkfs.{kind}"), &["-q", &root]);
        let at = PathBuf::from(format!("/mnt/root-{kind}"));
        fs::create_dir_all(&at).unwrap();
        run("mount", &[&root, path(&at)]);
        populate(&at);
        // Their programs see for themselves whether there is anything to do.
        let as_it_is = [format!("let the root file system get as large as {root}")];
        assert_eq!(grown(&at), as_it_is, "{kind}");
        disk.enlarge(800);
        let made = grown(&at);
        let all_of_it = kind != "ext4" || may_use_more();
        // What cannot be done is told, and keeps no system from its start.
        assert_eq!(made.len(), if all_of_it { 2 } else { 1 }, "{kind}: {made:?}");
        let number = |format: &str| -> u64 {
            said("stat", &["-f", "-c", format, path(&at)]).parse().unwrap()
        };
        // Without what the file system keeps for itself.
        let is_larger = number("%b") * number("%S") > 650 * MIB;
        assert_eq!(is_larger, all_of_it, "{kind}");
        if all_of_it {
            assert_eq!(grown(&at), as_it_is, "{kind}");
        } else {
            eprintln!("{kind} cannot grow here: there is no CAP_SYS_RESOURCE");
        }
        unpopulate(&at);
        run("umount", &[path(&at)]);
        match kind {
            "xfs" => run("xfs_repair", &["-n", &root]),
            _ => run("e2fsck", &["-fn", &root]),
        };
    }
}
