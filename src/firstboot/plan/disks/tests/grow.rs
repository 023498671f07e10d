//! What grows.

use super::*;

fn growing(name: &str, growth: Option<Growth>) -> BTreeMap<String, Growing> {
    let growing =
        Growing { name: name.into(), is_mapped: name.starts_with("dm"), partition: growth };
    BTreeMap::from([("/".to_owned(), growing)])
}

#[test]
fn what_grows_and_what_is_said() {
    let growth = |table: &str, number, end: u64, is_last| {
        let (disk, disk_size) = ("vda".to_owned(), 10 * GIB);
        Some(Growth { disk, disk_size, table: table.into(), number, end, is_last })
    };
    let root = |kind: &str, size| {
        Some(RootFs { name: "vda3".into(), kind: kind.into(), size, device_size: 5 * GIB })
    };
    let asks = |is_asked| Disks {
        grow: Some(Grow { devices: vec![placed("/")], ignores_disabled: false, is_asked }),
        resize_root: Some(ResizeRoot { place: at(2), is_asked }),
        ..Disks::default()
    };
    let with = |growth: Option<Growth>, root: Option<RootFs>| Facts {
        growing: growing("vda3", growth),
        root,
        ..Facts::default()
    };
    let roomy = || growth("gpt", 3, 5 * GIB, true);
    let full = || growth("gpt", 3, 10 * GIB - (2 << 20) + 1, true);
    check(vec![
        (with(roomy(), root("btrfs", 5 * GIB)), asks(false), &["grow vda 3", "grow btrfs"]),
        (
            with(growth("dos", 3, 5 * GIB, true), root("btrfs", 5 * GIB)),
            asks(true),
            &["grow vda 3", "grow btrfs"],
        ),
        // Nothing to do, and not a word, also if it was asked for.
        (with(full(), root("btrfs", 5 * GIB)), asks(true), &[]),
        // The image was written to a larger partition.
        (with(full(), root("btrfs", 2 * GIB)), asks(false), &["grow btrfs"]),
        (
            with(roomy(), root("ext4", 5 * GIB)),
            asks(false),
            &["grow vda 3", "/usr/sbin/resize2fs /dev/vda3"],
        ),
        (
            with(full(), root("xfs", 5 * GIB)),
            asks(true),
            &["W the root file system does not grow: there is no program in the system for xfs"],
        ),
        (with(full(), root("xfs", 5 * GIB)), asks(false), &[]),
        // It cannot: told only if it was asked for.
        (with(growth("gpt", 3, 5 * GIB, false), None), asks(false), &[]),
        (
            with(growth("gpt", 3, 5 * GIB, false), root("btrfs", 5 * GIB)),
            asks(true),
            &["W the partition of / does not grow: another partition comes after partition 3"],
        ),
        (
            with(growth("dos", 5, 5 * GIB, true), root("btrfs", 5 * GIB)),
            asks(true),
            &["W the partition of / does not grow: it is a logical partition"],
        ),
        (
            with(growth("atari", 1, 5 * GIB, true), root("btrfs", 5 * GIB)),
            asks(true),
            &["W the partition of / does not grow: partition tables of type \"atari\""],
        ),
        (
            with(None, root("btrfs", 5 * GIB)),
            asks(true),
            &["W the partition of / does not grow: /dev/vda3 is no partition"],
        ),
        (
            Facts {
                growing: growing("dm-0", None),
                root: root("btrfs", 5 * GIB),
                ..Facts::default()
            },
            asks(true),
            &["W the partition of / does not grow: /dev/dm-0 is an encrypted or a logical volume"],
        ),
        (
            Facts::default(),
            asks(true),
            &[
                "W the partition of / does not grow: nothing is mounted",
                "W the root file system is on",
            ],
        ),
    ]);
    // An image that says so is left alone, unless it is asked for all the same.
    let mut files = PROGRAMS.to_vec();
    files.push(("/etc/growroot-disabled", ""));
    let facts = with(roomy(), None);
    for (ignores_disabled, steps) in [(false, 0), (true, 1)] {
        let grow = Grow { devices: vec![placed("/")], ignores_disabled, is_asked: true };
        let disks = Disks { grow: Some(grow), ..Disks::default() };
        assert_eq!(planned(&files, &disks, Some(&facts)).0.len(), steps);
    }
}
