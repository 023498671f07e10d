//! Partition tables.

use super::*;

#[test]
fn partition_tables() {
    let with = |kind: &str, label: &str| Disk {
        device: Device { content: content(kind, label), ..device("vdb", GIB) },
        ..disk("vdb")
    };
    let one = || tables(vec![table("/dev/vdb", &[], false)]);
    let anyway = || tables(vec![table("/dev/vdb", &[], true)]);
    let mut large = disk("vdb");
    large.device.size = 3 << 40;
    let mut tiny = disk("vdb");
    tiny.device.size = 2 << 20;
    let mbr = NewTable { kind: TableKind::Mbr, ..table("/dev/vdb", &[], false) };
    let mut fixed = disk("vdb");
    fixed.is_read_only = true;
    let system = used(
        parted("vdb", vec![part("vdb", 1, content("vfat", "")), part("vdb", 2, None)]),
        "mounted at /, as vdb2",
    );
    check(vec![
        (
            facts(vec![disk("vdb")]),
            one(),
            &["vdb: label: gpt; type=0FC63DAF-8483-4772-8E79-3D69D8477DE4 -> vdb1"],
        ),
        (
            facts(vec![disk("nvme0n1")]),
            tables(vec![table("/dev/nvme0n1", &[50, 25], false)]),
            &["nvme0n1: label: gpt; size=511MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4; \
               type=0FC63DAF-8483-4772-8E79-3D69D8477DE4 -> nvme0n1p1 nvme0n1p2"],
        ),
        (
            facts(vec![disk("vdb")]),
            tables(vec![mbr.clone()]),
            &["vdb: label: dos; type=83 -> vdb1"],
        ),
        // As asked for already: nothing, whatever is on it, and also if it may be overwritten.
        (facts(vec![parted("vdb", vec![part("vdb", 1, content("ext4", "x"))])]), anyway(), &[]),
        (facts(vec![used(parted("vdb", vec![part("vdb", 1, None)]), "mounted at /x")]), one(), &[]),
        // A table without partitions holds nothing.
        (facts(vec![parted("vdb", vec![])]), one(), &["vdb: label: gpt"]),
        // Data stays, unless it says otherwise.
        (
            facts(vec![with("ext4", "photos")]),
            one(),
            &["E /dev/vdb has ext4 with the label \"photos\" on it: it is left as it is, unless \
               overwrite: true"],
        ),
        (facts(vec![with("ext4", "photos")]), anyway(), &["vdb: label: gpt"]),
        (facts(vec![with("LVM2_member", "")]), one(), &["E /dev/vdb has LVM2_member on it"]),
        (
            facts(vec![parted("vdb", vec![part("vdb", 1, None)])]),
            tables(vec![table("/dev/vdb", &[50, 50], false)]),
            &["E /dev/vdb has the partitions /dev/vdb1 on it"],
        ),
        // What is in use stays in any case.
        (
            facts(vec![system]),
            tables(vec![table("/dev/vdb", &[100], true)]),
            &["E the partitions of /dev/vdb cannot be changed: /dev/vdb is mounted at /, as vdb2"],
        ),
        (
            facts(vec![used(with("LVM2_member", ""), "part of dm-0")]),
            anyway(),
            &["E the partitions of /dev/vdb cannot be changed: /dev/vdb is part of dm-0"],
        ),
        (
            facts(vec![with("btrfs", "ROOT")]),
            anyway(),
            &[
                "E the partitions of /dev/vdb cannot be changed: /dev/vdb is what /etc/fstab mounts \
               as LABEL=ROOT",
            ],
        ),
        (
            facts(vec![fixed]),
            one(),
            &["E the partitions of /dev/vdb cannot be changed: /dev/vdb is read-only"],
        ),
        (facts(vec![]), one(), &["E there is no device /dev/vdb"]),
        (
            facts(vec![parted("vdb", vec![part("vdb", 1, None)])]),
            tables(vec![table("/dev/vdb1", &[], false)]),
            &["E /dev/vdb1 is a partition: name the disk that it is on, /dev/vdb"],
        ),
        (
            facts(vec![large]),
            tables(vec![mbr]),
            &["E /dev/vdb has 3.0 TiB, and a table of type mbr"],
        ),
        (facts(vec![tiny]), one(), &["E /dev/vdb has 2.0 MiB: there is no room for partition 1"]),
    ]);
}
