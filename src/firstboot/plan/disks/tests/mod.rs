//! Decisions: a row each. What there is, what is asked for, what is done or said.

mod file_systems;
mod grow;
mod swap;
mod tables;

use std::collections::BTreeMap;

use super::*;
use crate::firstboot::configuration::{
    Disks, Grow, Layout, NewFileSystem, NewPartition, NewTable, ResizeRoot, SwapFile, SwapSize,
    TableKind, Target,
};
use crate::firstboot::plan::tests::{World, at, placed};
use crate::firstboot::plan::{Moment, plan_at};
use crate::firstboot::problem::{Problem, Problems};

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

fn planned(files: &[(&str, &str)], disks: &Disks, facts: Option<&Facts>) -> (Vec<Step>, Problems) {
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
fn at_the_desk_it_is_only_named() {
    let disks = Disks {
        tables: vec![table("/dev/vdb", &[40, 60], false)],
        file_systems: vec![file_system("/dev/vdb", Target::Number(1), "ext4", "data")],
        swap: Some(swap(None, SwapSize::Auto)),
        grow: Some(Grow { devices: vec![placed("/")], ignores_disabled: false, is_asked: false }),
        resize_root: Some(ResizeRoot { place: at(1), is_asked: true }),
    };
    let (steps, problems) = planned(&PROGRAMS, &disks, None);
    assert!(problems.is_empty(), "{problems:?}");
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
