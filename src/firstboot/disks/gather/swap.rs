//! What the size and the place of a swap file are chosen by.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::fstatvfs;

use crate::firstboot::configuration::SwapFile;
use crate::firstboot::plan::disks::{OldFile, SwapFacts, swap_place};
use crate::sys::files;
use crate::sys::tree::Tree;

/// The machine's memory in bytes.
pub(super) fn memory() -> Result<u64> {
    let text = files::read_text(Path::new("/proc/meminfo"))?.unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<u64>().ok());
    let kib = number.context("/proc/meminfo has no MemTotal")?;
    Ok(kib.saturating_mul(1024))
}

/// What is free where the swap file is to be, and whether it is there. `None` if there is no place
/// for it, which the plan says.
pub(super) fn facts(tree: &Tree, swap: &SwapFile) -> Result<Option<SwapFacts>> {
    let fstab = tree.read("/etc/fstab")?.unwrap_or_default();
    let Ok(path) = swap_place(&String::from_utf8_lossy(&fstab), swap) else { return Ok(None) };
    let mut directory = None;
    for above in Path::new(&path).ancestors().skip(1) {
        directory = tree.open_for_reading(above)?;
        if directory.is_some() {
            break;
        }
    }
    let Some(directory) = directory else { return Ok(None) };
    let stat = fstatvfs(&directory).with_context(|| format!("cannot statfs {path}"))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let file = tree.open_for_reading(&path)?.map(|file| old_file(&file)).transpose()?;
    Ok(Some(SwapFacts { free, file }))
}

/// mkswap(8) ends the first page with a word; pages have 4 to 64 KiB.
fn old_file(file: &File) -> Result<OldFile> {
    const MAGIC: &[u8; 10] = b"SWAPSPACE2";
    let metadata = file.metadata()?;
    let mut found = [0; MAGIC.len()];
    let is_swap = metadata.is_file()
        && [4u64 << 10, 16 << 10, 64 << 10]
            .into_iter()
            .any(|page| file.read_exact_at(&mut found, page - 10).is_ok() && found == *MAGIC);
    Ok(OldFile { size: metadata.len(), is_swap })
}
