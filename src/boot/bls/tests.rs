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

/// Kernels of their own, and a directory for the copies.
fn with_kernels() -> (tempfile::TempDir, copies::Copies, Root) {
    let entry = |snapshot: u32| {
        let options = options("UUID=1", snapshot);
        format!("linux /a/linux-{snapshot}\ninitrd /a/initrd\n{options}")
    };
    let (dir, _) = entries(&[("a-1.conf", entry(1)), ("a-2+3.conf", entry(2))]);
    for (file, text) in [("linux-1", "one"), ("linux-2", "two"), ("initrd", "shared")] {
        fs::write(dir.path().join("boot/a").join(file), text).unwrap();
    }
    let copies = copies::Copies::beside(&dir.path().join("snapshots"));
    let root = Root::new(dir.path());
    (dir, copies, root)
}

fn copied(dir: &Path) -> Vec<String> {
    let list = files::list(&dir.join("snapshots/.health-checker/boot")).unwrap();
    list.iter().map(|it| it.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn what_the_loader_has_lost_is_brought_back() {
    let (dir, copies, root) = with_kernels();
    copies.keep_of("UUID=1", &root, &[1, 2]).unwrap();
    assert_eq!(copied(dir.path()), ["1", "2"]);
    // What is let go is deleted, a copy that was cut short too.
    fs::create_dir(dir.path().join("snapshots/.health-checker/boot/7.new")).unwrap();
    copies.keep_of("UUID=1", &root, &[1]).unwrap();
    assert_eq!(copied(dir.path()), ["1"]);

    let boot = dir.path().join("boot");
    fs::remove_file(boot.join("loader/entries/a-1.conf")).unwrap();
    fs::remove_file(boot.join("a/linux-1")).unwrap();
    let found = read_again(dir.path());
    assert!(copies.can_bring_back(&found, 1, Some(2)).is_ok());
    assert!(copies.can_bring_back(&found, 2, None).is_err(), "there is no copy of it");
    copies.keep_of("UUID=1", &root, &[1]).unwrap();
    assert_eq!(names(dir.path()), ["a-1.conf", "a-2+3.conf"]);
    assert_eq!(fs::read_to_string(boot.join("a/linux-1")).unwrap(), "one");
    // A file that lost its content is replaced as well, and its entry stays.
    fs::write(boot.join("a/linux-1"), "").unwrap();
    copies.keep_of("UUID=1", &root, &[1]).unwrap();
    assert_eq!(fs::read_to_string(boot.join("a/linux-1")).unwrap(), "one");
    assert_eq!(read_again(dir.path()).problems(1), Vec::<String>::new());
}

#[test]
fn a_new_kernel_is_copied_anew_and_half_a_copy_is_none() {
    let (dir, copies, root) = with_kernels();
    copies.keep_of("UUID=1", &root, &[1]).unwrap();
    let copy = dir.path().join("snapshots/.health-checker/boot/1/a/linux-1");
    fs::write(dir.path().join("boot/a/linux-1"), "newer").unwrap();
    copies.keep_of("UUID=1", &root, &[1]).unwrap();
    assert_eq!(fs::read_to_string(&copy).unwrap(), "newer");
    fs::remove_file(&copy).unwrap();
    fs::remove_file(dir.path().join("boot/a/linux-1")).unwrap();
    let error = copies.keep_of("UUID=1", &root, &[1]).unwrap_err();
    assert!(format!("{error:#}").contains("linux-1 is gone"), "{error:#}");
}

#[test]
fn only_what_no_other_entry_names_makes_room() {
    let (dir, _) = entries(&[
        ("a-1.conf", options("UUID=1", 1)),
        ("a-2+0-4.conf", format!("linux /a/own\n{}", options("UUID=1", 2))),
        ("b.conf", format!("initrd /a/theirs\n{}", options("UUID=2", 2))),
        ("a-3+0-4.conf", format!("initrd /a/theirs\n{}", options("UUID=1", 3))),
    ]);
    let found = read_again(dir.path());
    let boot = dir.path().join("boot");
    let alone = |snapshot: u32| {
        let (partition, entry) = found.of(snapshot).next().unwrap();
        found.files_of_this_alone(partition, entry).unwrap()
    };
    assert_eq!(alone(2), [boot.join("a/own")]);
    assert_eq!(alone(3), Vec::<PathBuf>::new());
}

#[test]
fn an_entry_names_nothing_outside_of_its_partition() {
    for path in ["/../x", "a/../../x", "/.."] {
        let entry = entry::parse("a.conf", &format!("linux {path}\n")).unwrap();
        assert!(copies::paths(&entry).is_err(), "{path}");
    }
}
