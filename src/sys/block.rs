//! Block devices, as the kernel has them in `/sys/class/block` (sysfs-block(5), the kernel's
//! Documentation/ABI). Reading only.

use std::fs::OpenOptions;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::files;

const CLASS: &str = "/sys/class/block";
/// What sysfs counts in, whatever the device's own sectors are, in bytes.
pub const SECTOR: u64 = 512;

/// A partition, as the kernel has it. In bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// The kernel's name of it.
    pub name: String,
    /// Its number in the table.
    pub number: u32,
    /// Where it begins on its disk.
    pub start: u64,
    /// How large it is.
    pub size: u64,
}

/// The kernel's name of the block device that a path leads to, such as `vda1`; `None` if there is
/// no block device.
///
/// # Errors
/// It cannot be looked at.
pub fn name(path: &Path) -> Result<Option<String>> {
    let shown = path.display();
    let real = match path.canonicalize() {
        Ok(real) => real,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot look for {shown}")),
    };
    let metadata = real.metadata().with_context(|| format!("cannot look at {shown}"))?;
    if !metadata.file_type().is_block_device() {
        return Ok(None);
    }
    Ok(real.file_name().map(|name| name.to_string_lossy().into_owned()))
}

/// Its size in bytes.
///
/// # Errors
/// There is no such device.
pub fn size(name: &str) -> Result<u64> {
    Ok(number(name, "size")?.saturating_mul(SECTOR))
}

/// Whether it cannot be written to.
///
/// # Errors
/// There is no such device.
pub fn is_read_only(name: &str) -> Result<bool> {
    Ok(number(name, "ro")? != 0)
}

/// The disk that a partition is on; `None` if it is no partition.
///
/// # Errors
/// There is no such device.
pub fn disk_of(name: &str) -> Result<Option<String>> {
    let at = Path::new(CLASS).join(name);
    if !at.join("partition").exists() {
        return Ok(None);
    }
    let real = at.canonicalize().with_context(|| format!("cannot look at {name}"))?;
    let disk = real.parent().and_then(Path::file_name);
    Ok(disk.map(|disk| disk.to_string_lossy().into_owned()))
}

/// Whether it is made of others by the device mapper: an encrypted or a logical volume.
pub fn is_mapped(name: &str) -> bool {
    Path::new(CLASS).join(name).join("dm").exists()
}

/// The name of a disk's partition: `vdb` and 1 are `vdb1`, `nvme0n1` and 1 are `nvme0n1p1`.
pub fn partition_name(disk: &str, number: u32) -> String {
    let between = if disk.ends_with(|c: char| c.is_ascii_digit()) { "p" } else { "" };
    format!("{disk}{between}{number}")
}

/// The partitions of a disk, by where they begin.
///
/// # Errors
/// There is no such disk.
pub fn partitions(disk: &str) -> Result<Vec<Partition>> {
    let mut found = Vec::new();
    for path in files::list(&Path::new(CLASS).join(disk))? {
        let Some(name) = path.file_name().map(|it| it.to_string_lossy().into_owned()) else {
            continue;
        };
        if !path.join("partition").exists() {
            continue;
        }
        found.push(Partition {
            number: u32::try_from(number(&name, "partition")?).unwrap_or(u32::MAX),
            start: number(&name, "start")?.saturating_mul(SECTOR),
            size: size(&name)?,
            name,
        });
    }
    found.sort_by_key(|it| it.start);
    Ok(found)
}

/// Whether somebody holds it for himself: it is mounted, or swap space, or part of another device.
/// Of a disk also, whether one of its partitions is. open(2): `O_EXCL` without `O_CREAT`.
///
/// # Errors
/// It cannot be opened for another reason.
pub fn is_in_use(name: &str) -> Result<bool> {
    let path = node(name);
    let exclusive = rustix::fs::OFlags::EXCL | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(exclusive.bits()).unwrap_or_default();
    match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
        Ok(_) => Ok(false),
        Err(e) if e.kind() == std::io::ErrorKind::ResourceBusy => Ok(true),
        Err(e) => Err(e).with_context(|| format!("cannot open {}", path.display())),
    }
}

/// What the device is part of, by the kernel's names.
///
/// # Errors
/// It cannot be found out.
pub fn holders(name: &str) -> Result<Vec<String>> {
    let found = files::list(&Path::new(CLASS).join(name).join("holders"))?;
    let names = found.iter().filter_map(|path| path.file_name());
    Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
}

/// Its node in devtmpfs. A `!` in the kernel's name is a directory there.
pub fn node(name: &str) -> PathBuf {
    Path::new("/dev").join(name.replace('!', "/"))
}

fn number(name: &str, attribute: &str) -> Result<u64> {
    let path = Path::new(CLASS).join(name).join(attribute);
    let text =
        files::read_text(&path)?.with_context(|| format!("there is no {}", path.display()))?;
    let text = text.trim();
    text.parse().with_context(|| format!("{}: {text:?} is no number", path.display()))
}
