//! What is known of a machine's disks. Sizes in bytes.

use std::collections::BTreeMap;

use crate::firstboot::configuration::TableKind;

/// Types of what firmware and loaders read: the EFI system partition, the extended boot loader
/// partition, GRUB's own, `PReP`'s; by GUID and by number.
const FOR_STARTING: [&str; 6] = [
    "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "BC13C2FF-59E6-4262-A352-B275FD6F7172",
    "21686148-6449-6E6F-744E-656564454649",
    "9E1A2D38-C612-4316-AA26-8B49521E5A8B",
    "ef",
    "41",
];
/// Types of partitions that hold others, in a boot record.
const EXTENDED: [&str; 3] = ["5", "f", "85"];

/// What there is, as far as a configuration asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The kernel's names of devices that a configuration names, by how it names them. What is
    /// not there is not here.
    pub names: BTreeMap<String, String>,
    /// The disks that they are, or are on, with all of their partitions.
    pub disks: Vec<Disk>,
    /// What may grow, by how a configuration names it.
    pub growing: BTreeMap<String, Growing>,
    /// The root file system.
    pub root: Option<RootFs>,
    /// Where the swap file is to be.
    pub swap: Option<SwapFacts>,
    /// The machine's memory.
    pub memory: u64,
}

/// What is on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its type, as libblkid has it: `ext4`, `crypto_LUKS`, `swap` …
    pub kind: String,
    /// Its label.
    pub label: Option<String>,
    /// Its UUID.
    pub uuid: Option<String>,
}

/// A disk or a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The kernel's name: `vda1`.
    pub name: String,
    /// How large it is.
    pub size: u64,
    /// Who uses it, in words that follow "is"; `None` if nobody does.
    pub used: Option<String>,
    /// What is on it; `None` if that is nothing that is known.
    pub content: Option<Content>,
}

/// A disk, or another device that is no partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// The whole of it.
    pub device: Device,
    /// It cannot be written to.
    pub is_read_only: bool,
    /// Its partition table.
    pub table: Option<Table>,
}

impl Disk {
    /// Its partitions.
    pub fn partitions(&self) -> &[Partition] {
        self.table.as_ref().map_or(&[], |table| &table.partitions)
    }
}

/// A partition table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its kind, as libblkid has it: `gpt`, `dos`.
    pub kind: String,
    /// Its partitions.
    pub partitions: Vec<Partition>,
}

impl Table {
    /// Whether it is of this kind.
    pub fn is(&self, kind: TableKind) -> bool {
        self.kind == kind.name()
    }
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The device that it is.
    pub device: Device,
    /// Its number.
    pub number: u32,
    /// Its type, as the table has it: a GUID or a hexadecimal number.
    pub kind: String,
    /// Its own GUID, `PARTUUID`.
    pub guid: Option<String>,
}

impl Partition {
    /// Whether others are in it.
    pub fn is_extended(&self) -> bool {
        EXTENDED.contains(&self.kind.as_str())
    }

    /// Whether firmware or loaders read it.
    pub fn is_for_starting(&self) -> bool {
        FOR_STARTING.iter().any(|it| it.eq_ignore_ascii_case(&self.kind))
    }
}

/// A device that is to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growing {
    /// The kernel's name of it.
    pub name: String,
    /// It is an encrypted or a logical volume.
    pub is_mapped: bool,
    /// The partition that it is; `None` if it is none.
    pub partition: Option<Growth>,
}

/// A partition that is to grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The kernel's name of the disk.
    pub disk: String,
    /// How large the disk is.
    pub disk_size: u64,
    /// The kind of its table, as libblkid has it.
    pub table: String,
    /// The partition's number.
    pub number: u32,
    /// Where it ends.
    pub end: u64,
    /// No other partition comes after it.
    pub is_last: bool,
}

/// The root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootFs {
    /// The kernel's name of its device.
    pub name: String,
    /// Its type.
    pub kind: String,
    /// How large it is, as statfs(2) has it: of btrfs all of its devices.
    pub size: u64,
    /// How large its device is.
    pub device_size: u64,
}

/// Where a swap file is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapFacts {
    /// What is free there.
    pub free: u64,
    /// What is at its path.
    pub file: Option<OldFile>,
}

/// A file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldFile {
    /// How large it is.
    pub size: u64,
    /// mkswap(8) has made it.
    pub is_swap: bool,
}

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind)?;
        match &self.label {
            Some(label) => write!(f, " with the label {label:?}"),
            None => Ok(()),
        }
    }
}
