//! What is done with the entries of a partition, in a directory that stands for one.

use super::*;

const KERNEL: &str = "/a/linux";

fn options(root: &str, snapshot: u32) -> String {
    format!("options root={root} rootflags=subvol=@/.snapshots/{snapshot}/snapshot\n")
}

/// A system whose /boot has these entries.
fn entries(files: &[(&str, String)]) -> (tempfile::TempDir, Entries) {
    let dir = tempfile::tempdir().unwrap();
    let boot = dir.path().join("boot");
    fs::create_dir_all(boot.join("a")).unwrap();
    fs::create_dir_all(boot.join(ENTRIES)).unwrap();
    fs::write(boot.join("a/linux"), "MZ").unwrap();
    for (file, text) in files {
        fs::write(boot.join(ENTRIES).join(file), format!("linux {KERNEL}\n{text}")).unwrap();
    }
    let read = read_again(dir.path());
    (dir, read)
}

fn read_again(dir: &Path) -> Entries {
    let root = Root::new(dir);
    Entries::read_of(&root, false, "UUID=1").unwrap()
}

fn names(dir: &Path) -> Vec<String> {
    let list = files::list(&dir.join("boot").join(ENTRIES)).unwrap();
    list.iter().map(|it| it.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn only_the_failed_snapshots_entries_of_this_system_are_marked() {
    let (dir, found) = entries(&[
        ("a-1.conf", options("UUID=1", 1)),
        ("a-2+2-1.conf", options("UUID=1", 2)),
        ("a-old-2.conf", options("UUID=1", 2)),
        ("a-22+3.conf", options("UUID=1", 22)),
        ("b-2+3.conf", options("UUID=2", 2)),
        ("windows.conf", String::new()),
        ("notes.txt", String::new()),
    ]);
    found.count_out(&Root::new(dir.path()), 2).unwrap();
    let expected = [
        "a-1.conf",
        "a-2+0-4.conf",
        "a-22+3.conf",
        "a-old-2+0-1.conf",
        "b-2+3.conf",
        "notes.txt",
        "windows.conf",
    ];
    assert_eq!(names(dir.path()), expected);
    let found = read_again(dir.path());
    assert!(found.gave_up(2) && !found.gave_up(1) && !found.gave_up(22) && !found.gave_up(3));
    // Done again, nothing is left to do.
    found.count_out(&Root::new(dir.path()), 2).unwrap();
    assert_eq!(names(dir.path()), expected);
}

#[test]
fn a_rename_that_was_cut_short_is_completed() {
    let (dir, found) =
        entries(&[("a-2+2-1.conf", options("UUID=1", 2)), ("a-2+0-4.conf", options("UUID=1", 2))]);
    assert!(!found.gave_up(2));
    found.count_out(&Root::new(dir.path()), 2).unwrap();
    assert_eq!(names(dir.path()), ["a-2+0-4.conf"]);
}

#[test]
fn what_the_loader_could_not_start_is_named() {
    let (dir, found) = entries(&[
        ("a-1.conf", options("UUID=1", 1)),
        ("a-2.conf", format!("initrd /a/initrd\n{}", options("UUID=1", 2))),
    ]);
    assert_eq!(found.problems(1), Vec::<String>::new());
    assert_eq!(found.problems(3), ["it has no boot entry"]);
    let gone = ["its boot entry a-2.conf needs /a/initrd, missing or empty"];
    assert_eq!(found.problems(2), gone);
    fs::write(dir.path().join("boot/a/initrd"), "").unwrap();
    assert_eq!(found.problems(2), gone);
    fs::write(dir.path().join("boot/a/initrd"), "x").unwrap();
    assert_eq!(found.problems(2), Vec::<String>::new());
}
