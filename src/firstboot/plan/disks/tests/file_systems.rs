//! File systems.

use super::*;

fn systems(file_systems: Vec<NewFileSystem>) -> Disks {
    Disks { file_systems, ..Disks::default() }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a row each")]
fn file_systems() {
    use Target::{Any, Auto, Number, Whole};
    let ext4 = |target, label: &str| file_system("/dev/vdb", target, "ext4", label);
    let two = |first: Option<Content>, second: Option<Content>| {
        facts(vec![parted("vdb", vec![part("vdb", 1, first), part("vdb", 2, second)])])
    };
    let whole = |it: Option<Content>| {
        let device = Device { content: it, ..device("vdb", GIB) };
        facts(vec![Disk { device, ..disk("vdb") }])
    };
    let mut esp = part("vda", 1, content("vfat", "EFI"));
    esp.kind = ESP.into();
    let system = || facts(vec![used(parted("vda", vec![esp.clone()]), "mounted at /, as vda2")]);
    let mut efi = content("vfat", "EFI").unwrap();
    efi.uuid = Some("ab-1".into());
    let replacing =
        |kind: &str| NewFileSystem { replace: Some(kind.to_owned()), ..ext4(Number(1), "a") };
    check(vec![
        // A number: made where nothing is, left where it is, refused where another is.
        (
            two(None, None),
            systems(vec![ext4(Number(2), "a")]),
            &["/usr/sbin/mkfs.ext4 -L a /dev/vdb2"],
        ),
        (two(content("ext4", "a"), None), systems(vec![ext4(Number(1), "a")]), &[]),
        (two(content("ext4", "a"), None), systems(vec![ext4(Number(1), "")]), &[]),
        (
            two(content("ext4", "b"), None),
            systems(vec![ext4(Number(1), "a")]),
            &["E /dev/vdb1 has ext4 with the label \"b\" on it: it is left as it is, unless"],
        ),
        (
            two(content("crypto_LUKS", ""), None),
            systems(vec![ext4(Number(1), "a")]),
            &["E /dev/vdb1 has crypto_LUKS on it"],
        ),
        (
            two(content("xfs", "b"), None),
            systems(vec![over(ext4(Number(1), "a"))]),
            &["/usr/sbin/mkfs.ext4 -L a -F /dev/vdb1"],
        ),
        (
            two(content("xfs", "b"), None),
            systems(vec![replacing("xfs")]),
            &["/usr/sbin/mkfs.ext4 -L a -F /dev/vdb1"],
        ),
        (
            two(content("ntfs", "b"), None),
            systems(vec![replacing("xfs")]),
            &["E /dev/vdb1 has ntfs"],
        ),
        (two(None, None), systems(vec![ext4(Number(3), "a")]), &["E /dev/vdb has no partition 3"]),
        // The first free one, and a second one takes the next; what is there is found first.
        (
            two(None, None),
            systems(vec![ext4(Auto, "a"), ext4(Auto, "b")]),
            &["/usr/sbin/mkfs.ext4 -L a /dev/vdb1", "/usr/sbin/mkfs.ext4 -L b /dev/vdb2"],
        ),
        (
            two(None, content("ext4", "a")),
            systems(vec![ext4(Auto, "a"), ext4(Auto, "b")]),
            &["/usr/sbin/mkfs.ext4 -L b /dev/vdb1"],
        ),
        (two(None, content("ext4", "x")), systems(vec![ext4(Any, "a")]), &[]),
        (
            two(content("xfs", ""), content("xfs", "")),
            systems(vec![over(ext4(Auto, "a"))]),
            &["E there is nothing free on /dev/vdb: write the partition's number"],
        ),
        // The device itself, by name or because it has no partitions.
        (whole(None), systems(vec![ext4(Any, "a")]), &["/usr/sbin/mkfs.ext4 -L a -F /dev/vdb"]),
        (whole(None), systems(vec![ext4(Whole, "a")]), &["/usr/sbin/mkfs.ext4 -L a -F /dev/vdb"]),
        (whole(content("ext4", "a")), systems(vec![ext4(Whole, "a")]), &[]),
        (
            whole(content("iso9660", "cidata")),
            systems(vec![ext4(Any, "a")]),
            &["E there is nothing free"],
        ),
        (two(None, None), systems(vec![ext4(Whole, "a")]), &["E /dev/vdb has partitions on it"]),
        (
            two(content("xfs", "b"), None),
            systems(vec![over(ext4(Whole, "a"))]),
            &["wipe /dev/vdb, /usr/sbin/mkfs.ext4 -L a -F /dev/vdb"],
        ),
        (
            two(None, None),
            systems(vec![file_system("/dev/vdb2", Any, "vfat", "V")]),
            &["/usr/sbin/mkfs.vfat -n V /dev/vdb2"],
        ),
        (
            two(None, None),
            systems(vec![file_system("/dev/vdb1", Whole, "swap", "s")]),
            &["/usr/sbin/mkswap -L s /dev/vdb1"],
        ),
        (
            two(None, None),
            systems(vec![file_system("/dev/vdb1", Number(1), "ext4", "")]),
            &["E a partition has no partition 1: name /dev/vdb, or none"],
        ),
        // Never: what the machine starts from, what the system mounts, what is in use.
        (
            system(),
            systems(vec![over(file_system("/dev/vda", Number(1), "ext4", "x"))]),
            &["E no file system can be made on /dev/vda1: /dev/vda1 is what the machine starts"],
        ),
        (
            two(Some(efi), None),
            systems(vec![over(ext4(Number(1), "x"))]),
            &["E no file system can be made on /dev/vdb1: /dev/vdb1 is what /etc/fstab mounts as \
               UUID=AB-1"],
        ),
        (
            facts(vec![used(disk("vdb"), "used as swap space")]),
            systems(vec![over(ext4(Whole, "x"))]),
            &["E no file system can be made on /dev/vdb: /dev/vdb is used as swap space"],
        ),
        (
            facts(vec![used(
                parted("vdb", vec![part("vdb", 1, None)]),
                "mounted at /srv, as vdb1",
            )]),
            systems(vec![over(ext4(Whole, "x"))]),
            &["E no file system can be made on /dev/vdb: /dev/vdb is mounted at /srv, as vdb1"],
        ),
        (
            two(None, None),
            systems(vec![file_system("/dev/vdb", Auto, "xfs", "x")]),
            &["E there is no mkfs.xfs in the system"],
        ),
        // Of what is wrong once it is told once.
        (
            whole(content("xfs", "photos")),
            Disks {
                tables: vec![table("/dev/vdb", &[50, 50], false)],
                file_systems: vec![ext4(Number(2), "a"), ext4(Auto, "b")],
                ..Disks::default()
            },
            &["E /dev/vdb has xfs with the label \"photos\" on it"],
        ),
        // On what is made just before.
        (
            facts(vec![disk("vdb")]),
            Disks {
                tables: vec![table("/dev/vdb", &[50, 50], false)],
                file_systems: vec![ext4(Number(2), "a"), ext4(Auto, "b")],
                ..Disks::default()
            },
            &[
                "vdb: label: gpt",
                "/usr/sbin/mkfs.ext4 -L a /dev/vdb2",
                "/usr/sbin/mkfs.ext4 -L b /dev/vdb1",
            ],
        ),
    ]);
}

#[test]
fn a_partition_that_is_used_by_itself_stays() {
    let mut root = part("vda", 2, content("btrfs", "X"));
    root.device.used = Some("mounted at /".into());
    let facts =
        facts(vec![used(parted("vda", vec![part("vda", 1, None), root]), "mounted at /, as vda2")]);
    let on =
        |number| systems(vec![over(file_system("/dev/vda", Target::Number(number), "ext4", "x"))]);
    check(vec![
        (
            facts.clone(),
            on(2),
            &["E no file system can be made on /dev/vda2: /dev/vda2 is mounted at /"],
        ),
        // Its neighbour is free.
        (facts, on(1), &["/usr/sbin/mkfs.ext4 -L x /dev/vda1"]),
    ]);
}
