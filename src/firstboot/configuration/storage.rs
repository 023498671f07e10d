//! Disks: what is mounted, and what is made on them before.

use super::Placed;
use crate::firstboot::problem::Place;

/// A line of fstab(5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its six fields; a mount point of `None` removes the device's line.
    pub device: Placed<String>,
    /// Where.
    pub target: Option<String>,
    /// Type, options, dump, pass.
    pub rest: [String; 4],
}

/// What is made on disks. They are outside of every transaction, and cannot be put back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disks {
    /// Partitions that get the free space behind them.
    pub grow: Option<Grow>,
    /// The root file system gets as large as its partition.
    pub resize_root: Option<ResizeRoot>,
    /// Partition tables, in order.
    pub tables: Vec<NewTable>,
    /// File systems, in order; on the partitions of the tables perhaps.
    pub file_systems: Vec<NewFileSystem>,
    /// A file for swap space.
    pub swap: Option<SwapFile>,
}

impl Disks {
    /// Whether nothing is asked for, neither by name nor by default.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Partitions that grow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grow {
    /// Mount points, or partitions.
    pub devices: Vec<Placed<String>>,
    /// Also where the image has `/etc/growroot-disabled`.
    pub ignores_disabled: bool,
    /// By name: only then is it worth a word that one cannot grow.
    pub is_asked: bool,
}

/// That the root file system grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResizeRoot {
    /// Where it was asked for.
    pub place: Place,
    /// By name: only then is it worth a word that it cannot grow.
    pub is_asked: bool,
}

/// A kind of partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// GUID partition table.
    Gpt,
    /// Of the master boot record: four partitions, disks of up to 2 TiB.
    Mbr,
}

impl TableKind {
    /// As libblkid and sfdisk call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gpt => "gpt",
            Self::Mbr => "dos",
        }
    }
}

/// What a partition is for, in the words of its table: a GUID, or a hexadecimal number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionType(pub String);

/// A partition to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartition {
    /// Its share of the disk, in hundredths of a percent. The last one gets what is left.
    pub share: u32,
    /// What it is for; Linux' file systems, if it is not said.
    pub kind: Option<PartitionType>,
}

/// How a disk is parted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One partition; a disk that has any is as it should be.
    One,
    /// These.
    Parts(Vec<NewPartition>),
}

/// A partition table to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTable {
    /// The disk.
    pub device: Placed<String>,
    /// Of which kind.
    pub kind: TableKind,
    /// With which partitions.
    pub layout: Layout,
    /// Whatever is on the disk is lost.
    pub overwrite: bool,
}

/// Where on a device a file system is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The partition that has it by label and type, else the first without anything.
    Auto,
    /// The partition that has it by type, else the first without anything.
    Any,
    /// The device itself.
    Whole,
    /// The partition of this number.
    Number(u32),
}

/// A file system to be there, or swap space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFileSystem {
    /// A disk or a partition, and the place of all of it.
    pub device: Placed<String>,
    /// Where on it.
    pub target: Target,
    /// `ext4`, `swap` …: what its `mkfs` is called after.
    pub kind: Placed<String>,
    /// Its label.
    pub label: Option<String>,
    /// Whatever is there is lost.
    pub overwrite: bool,
    /// What is lost if it is of this type.
    pub replace: Option<String>,
    /// Further arguments of its `mkfs`.
    pub options: Vec<String>,
}

/// How large swap space is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwapSize {
    /// By the memory that the machine has.
    Auto,
    /// In bytes.
    Bytes(u64),
}

/// A file for swap space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapFile {
    /// Where it was asked for.
    pub place: Place,
    /// An absolute path; by default `/swap.img`, or in `/var` if that is the place to write to.
    pub file: Option<Placed<String>>,
    /// How large.
    pub size: SwapSize,
    /// In bytes: not larger than this.
    pub most: Option<u64>,
}
