//! Decisions: a row each. What there is, what is asked for, what is done or said.

use std::collections::BTreeMap;

use super::*;
use crate::firstboot::configuration::{
    Disks, Grow, Layout, NewFileSystem, NewPartition, NewTable, ResizeRoot, SwapFile, SwapSize,
    TableKind, Target,
};
use crate::firstboot::plan::tests::{World, at, placed};
use crate::firstboot::plan::{Moment, plan_at};
use crate::firstboot::problem::Problem;

const GIB: u64 = 1 << 30;
const LINUX: &str = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
const ESP: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";
const PROGRAMS: [(&str, &str); 7] = [
    ("/usr/sbin/sfdisk", ""),
    ("/usr/sbin/mkfs.ext4", ""),
    ("/usr/sbin/mkfs.vfat", ""),
    ("/usr/sbin/mkswap", ""),
    ("/usr/sbin/resize2fs", ""),
    ("/etc/fstab", FSTAB),
    ("/usr/sbin/mkfs.btrfs", ""),
];
const FSTAB: &str = "LABEL=ROOT / btrfs ro 0 0\nLABEL=ROOT /var btrfs subvol=@/var 0 0\n\
    UUID=AB-1 /boot/efi vfat defaults 0 0\n";

fn device(name: &str, size: u64) -> Device {
    Device { name: name.into(), size, used: None, content: None }
}

#[allow(clippy::unnecessary_wraps, reason = "as the field has it")]
fn content(kind: &str, label: &str) -> Option<Content> {
    let label = (!label.is_empty()).then(|| label.to_owned());
    Some(Content { kind: kind.into(), label, uuid: None })
}

fn disk(name: &str) -> Disk {
    Disk { device: device(name, GIB), is_read_only: false, table: None }
}

fn part(disk: &str, number: u32, content: Option<Content>) -> Partition {
    let device = device(&block::partition_name(disk, number), GIB / 4);
    Partition { device: Device { content, ..device }, number, kind: LINUX.into(), guid: None }
}

fn parted(name: &str, partitions: Vec<Partition>) -> Disk {
    let table = Some(Table { kind: "gpt".into(), partitions });
    Disk { table, ..disk(name) }
}

fn facts(disks: Vec<Disk>) -> Facts {
    let names = disks.iter().flat_map(|disk| {
        let parts = disk.partitions().iter().map(|it| it.device.name.clone());
        parts.chain([disk.device.name.clone()]).collect::<Vec<_>>()
    });
    let names = names.map(|name| (format!("/dev/{name}"), name)).collect();
    Facts { names, disks, memory: GIB, ..Facts::default() }
}

fn table(device: &str, shares: &[u32], overwrite: bool) -> NewTable {
    let part = |share: &u32| NewPartition { share: share * 100, kind: None };
    let layout = match shares {
        [] => Layout::One,
        shares => Layout::Parts(shares.iter().map(part).collect()),
    };
    NewTable { device: placed(device), kind: TableKind::Gpt, layout, overwrite }
}

fn file_system(device: &str, target: Target, kind: &str, label: &str) -> NewFileSystem {
    NewFileSystem {
        device: placed(device),
        target,
        kind: placed(kind),
        label: (!label.is_empty()).then(|| label.to_owned()),
        overwrite: false,
        replace: None,
        options: Vec::new(),
    }
}

fn over(file_system: NewFileSystem) -> NewFileSystem {
    NewFileSystem { overwrite: true, ..file_system }
}

fn swap(file: Option<&str>, size: SwapSize) -> SwapFile {
    SwapFile { place: at(3), file: file.map(placed), size, most: None }
}

fn planned(
    files: &[(&str, &str)],
    disks: &Disks,
    facts: Option<&Facts>,
) -> (Vec<Step>, Vec<Problem>) {
    let world = World::with(files);
    let configuration = Configuration { disks: disks.clone(), ..Configuration::default() };
    let moment = Moment { today: Some(1), salt: Box::new(|| Ok([0; 12])) };
    let (plan, problems) = plan_at(&configuration, &world.tree, facts, &moment);
    (plan.disks, problems)
}

/// Steps as scripts and commands, and problems without their places.
fn told(disks: &Disks, facts: &Facts) -> Vec<String> {
    let (steps, problems) = planned(&PROGRAMS, disks, Some(facts));
    let shown = |step: &Step| match &step.action {
        Some(Action::Table { disk, script, partitions }) => {
            format!("{disk}: {} -> {}", script.trim().replace('\n', "; "), partitions.join(" "))
        }
        Some(Action::FileSystem { wiped, command }) => {
            let wiped = wiped.as_ref().map(|it| format!("wipe {it}, ")).unwrap_or_default();
            wiped + &command.join(" ")
        }
        Some(Action::GrowRoot(command)) => command.join(" "),
        Some(Action::GrowPartition { disk, number }) => format!("grow {disk} {number}"),
        Some(Action::GrowBtrfs) => "grow btrfs".to_owned(),
        Some(Action::Swap { file, size }) => format!("{} {}", file.display(), size >> 20),
        None => "nothing decided".to_owned(),
    };
    let what = |it: &Problem| format!("{}{}", if it.is_error() { "E " } else { "W " }, it.what);
    steps.iter().map(shown).chain(problems.iter().map(what)).collect()
}

fn check(rows: Vec<(Facts, Disks, &[&str])>) {
    let mut wrong = Vec::new();
    for (facts, disks, expected) in rows {
        let got = told(&disks, &facts);
        let is_it = |(got, expected): (&String, &&str)| got.starts_with(expected);
        if got.len() != expected.len() || !got.iter().zip(expected).all(is_it) {
            wrong.push(format!("{disks:?}\n  expected {expected:#?}\n  got {got:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn tables(tables: Vec<NewTable>) -> Disks {
    Disks { tables, ..Disks::default() }
}

fn used(mut disk: Disk, how: &str) -> Disk {
    disk.device.used = Some(how.to_owned());
    disk
}

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

#[test]
fn swap_files() {
    let there = |free, file| Facts {
        swap: Some(SwapFacts { free, file }),
        memory: 2 * GIB,
        ..Facts::default()
    };
    let old = |is_swap| Some(OldFile { size: 1 << 20, is_swap });
    let asks = |file, size| Disks { swap: Some(swap(file, size)), ..Disks::default() };
    let at_most = |most| Disks {
        swap: Some(SwapFile { most: Some(most), ..swap(None, SwapSize::Auto) }),
        ..Disks::default()
    };
    let bytes = SwapSize::Bytes(GIB);
    check(vec![
        (there(10 * GIB, None), asks(None, bytes), &["/var/swap.img 1024"]),
        (there(10 * GIB, None), asks(Some("/var/lib/s"), bytes), &["/var/lib/s 1024"]),
        // As much as there is memory, a quarter of what is free, what it may be.
        (there(100 * GIB, None), asks(None, SwapSize::Auto), &["/var/swap.img 2048"]),
        (there(4 * GIB, None), asks(None, SwapSize::Auto), &["/var/swap.img 1024"]),
        (there(100 * GIB, None), at_most(100 << 20), &["/var/swap.img 100"]),
        // There already.
        (there(0, old(true)), asks(None, bytes), &[]),
        (
            there(10 * GIB, old(false)),
            asks(None, bytes),
            &["E /var/swap.img is there already, and is no swap space: name another file"],
        ),
        (
            there(GIB, None),
            asks(None, bytes),
            &["E there is no room for the swap file /var/swap.img: 1.0 GiB are free"],
        ),
        (
            there(10 * GIB, None),
            asks(Some("/swapfile"), bytes),
            &["E /swapfile would be on /, which is read-only: write /var/swap.img"],
        ),
    ]);
    // Its line comes with it, and does not without it.
    let world = World::with(&PROGRAMS);
    let disks = asks(None, bytes);
    let configuration = Configuration { disks, ..Configuration::default() };
    world.configure(&configuration);
    let line = "/var/swap.img\tnone\tswap\tsw,comment=cloudconfig\t0\t0\n";
    assert_eq!(world.text("/etc/fstab"), format!("{FSTAB}{line}"));
}

#[test]
fn where_a_swap_file_can_be() {
    let root = "LABEL=R / btrfs defaults 0 0\nLABEL=R /var btrfs subvol=@/var 0 0\n\
        overlay /etc overlay lowerdir=/etc 0 0\nnas:/h /home nfs defaults 0 0\n\
        tmpfs /scratch tmpfs defaults 0 0\nLABEL=D /data ext4 ro 0 0\n";
    for (fstab, file, expected) in [
        (root, None, Ok("/var/swap.img")),
        ("", None, Ok("/swap.img")),
        ("LABEL=R / ext4 rw 0 1\n", None, Ok("/swap.img")),
        ("LABEL=R / ext4 ro 0 1\n", None, Err("read-only: write a file where")),
        ("LABEL=R / ext4 ro 0 1\nLABEL=V /var xfs rw 0 1\n", None, Ok("/var/swap.img")),
        ("LABEL=R / btrfs rw 0 1\n", Some("/swap.img"), Ok("/swap.img")),
        ("LABEL=R / btrfs rw 0 1\n", None, Ok("/swap.img")),
        (root, Some("/var/x"), Ok("/var/x")),
        (root, Some("/swap.img"), Err("would be in a snapshot of the root")),
        (root, Some("/etc/swap"), Err("no swap file can be")),
        (root, Some("/home/swap"), Err("no swap file can be")),
        (root, Some("/scratch/swap"), Err("no swap file can be")),
        (root, Some("/data/swap"), Err("which is read-only")),
        ("LABEL=R / ext4 rw 0 1\n", Some("/run/swap"), Err("no swap file can be")),
        ("LABEL=R / ext4 rw 0 1\n", Some("/opt/swap"), Ok("/opt/swap")),
    ] {
        let got = swap_place(fstab, &swap(file, SwapSize::Auto));
        match (&got, expected) {
            (Ok(path), Ok(expected)) => assert_eq!(path, expected, "{fstab}"),
            (Err(says), Err(expected)) => assert!(says.contains(expected), "{says}"),
            _ => panic!("{file:?} in {fstab}: {got:?}"),
        }
    }
}

#[test]
fn at_the_desk_it_is_only_named() {
    let disks = Disks {
        tables: vec![table("/dev/vdb", &[40, 60], false)],
        file_systems: vec![file_system("/dev/vdb", Target::Number(1), "ext4", "data")],
        swap: Some(swap(None, SwapSize::Auto)),
        grow: Some(Grow { devices: vec![placed("/")], ignores_disabled: false, is_asked: false }),
        resize_root: Some(ResizeRoot { place: at(1), is_asked: true }),
    };
    let (steps, problems) = planned(&PROGRAMS, &disks, None);
    assert_eq!(problems, []);
    assert!(steps.iter().all(|step| step.action.is_none()));
    let told: Vec<_> = steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "make partitions on /dev/vdb: gpt, 40 % + 60 %",
            "make ext4 with the label \"data\" on partition 1 of /dev/vdb",
            "let the root file system get as large as its partition",
            "make the swap file /var/swap.img of a size that fits the machine's memory",
        ]
    );
    // What is missing in the system is said all the same.
    let (_, problems) = planned(&[], &disks, None);
    let errors = crate::firstboot::plan::tests::errors(&problems);
    assert_eq!(errors.len(), 3, "{errors:?}");
}
