//! A file for swap space, where the system that is being made can write.

use std::path::Path;

use anyhow::Result;

use super::{Action, Facts, OldFile, Step, amount, program};
use crate::firstboot::configuration::{Mount, Placed, SwapFile, SwapSize};
use crate::firstboot::plan::Planner;
use crate::sys::mountinfo::{FstabEntry, parse_fstab};

/// cloud-init's, and the same where the root is read-only or of snapshots.
const NAMES: [&str; 2] = ["/swap.img", "/var/swap.img"];
/// What the kernel can have swap files on.
const ABLE: [&str; 7] = ["auto", "btrfs", "ext2", "ext3", "ext4", "xfs", "f2fs"];
/// Gone with the next start, or not the root's own.
const NEVER: [&str; 6] = ["/run", "/tmp", "/proc", "/sys", "/.snapshots", "/etc"];
const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// Where the file is to be, in a system with this fstab; or why it cannot be where it was asked
/// for. Swap space in a subvolume keeps that from being snapshotted (btrfs(5)), so where the root
/// is btrfs, of which every update makes a snapshot, it is in `/var`.
///
/// # Errors
/// In words: why it cannot be where it was asked for, and what to write.
pub fn place(fstab: &str, swap: &SwapFile) -> Result<String, String> {
    let entries = parse_fstab(fstab).unwrap_or_default();
    let root = entries.iter().find(|it| it.target == Path::new("/"));
    let has_var = entries.iter().any(|it| it.target == Path::new("/var"));
    let is_of_snapshots = has_var && root.is_some_and(|it| it.fstype == "btrfs");
    let is_kept = is_of_snapshots || root.is_some_and(|it| it.has("ro"));
    let by_default = NAMES[usize::from(is_kept)];
    let path = swap.file.as_ref().map_or(by_default, |it| &it.value);
    let covers = |it: &&FstabEntry| Path::new(path).starts_with(&it.target);
    let over = entries.iter().filter(covers).max_by_key(|it| it.target.components().count());
    let Some(over) = over else { return Ok(path.to_owned()) };
    let at = over.target.display();
    let why = if over.has("ro") {
        format!("on {at}, which is read-only")
    } else if is_of_snapshots && over.target == Path::new("/") {
        "in a snapshot of the root, of which no other could be made any more".to_owned()
    } else if !ABLE.contains(&over.fstype.as_str())
        || over.has("_netdev")
        || NEVER.iter().any(|it| Path::new(path).starts_with(it))
    {
        format!("on {at}, where no swap file can be")
    } else {
        return Ok(path.to_owned());
    };
    let instead = if has_var { NAMES[1] } else { "a file where the system can write" };
    Err(format!("{path} would be {why}: write {instead}"))
}

/// Plans it; its line of fstab.
pub(super) fn plan(planner: &mut Planner<'_>, swap: &SwapFile) -> Result<Option<Mount>> {
    let at = swap.file.as_ref().map_or(&swap.place, |it| &it.place).clone();
    let fstab = planner.view.text("/etc/fstab")?.unwrap_or_default();
    let file = match place(&fstab, swap) {
        Ok(file) => file,
        Err(says) => {
            planner.error(&at, says);
            return Ok(None);
        }
    };
    if program(planner, "mkswap")?.is_none() {
        planner.error(&at, "there is no mkswap in the system that could make swap space");
        return Ok(None);
    }
    match planner.facts {
        None => {
            let size = match swap.size {
                SwapSize::Auto => "a size that fits the machine's memory".to_owned(),
                SwapSize::Bytes(bytes) => amount(bytes.min(swap.most.unwrap_or(u64::MAX))),
            };
            let what = format!("make the swap file {file} of {size}");
            planner.disks.push(Step { what, action: None });
        }
        Some(facts) => match decide(facts, swap, &file) {
            Ok(None) => log::debug!("the swap file {file} is there already"),
            Ok(Some(size)) => {
                let what = format!("make the swap file {file} of {}", amount(size));
                let action = Some(Action::Swap { file: file.clone().into(), size });
                planner.disks.push(Step { what, action });
            }
            Err(says) => {
                planner.error(&at, says);
                return Ok(None);
            }
        },
    }
    let rest = ["swap", "sw", "0", "0"].map(str::to_owned);
    let device = Placed { value: file, place: at };
    Ok(Some(Mount { device, target: Some("none".to_owned()), rest }))
}

/// Its size in bytes; `None` if it is there; or why it cannot be made.
fn decide(facts: &Facts, swap: &SwapFile, file: &str) -> Result<Option<u64>, String> {
    let Some(there) = &facts.swap else {
        return Err(format!("the directory of {file} could not be looked at"));
    };
    match there.file {
        Some(OldFile { is_swap: true, .. }) => return Ok(None),
        Some(OldFile { is_swap: false, .. }) => {
            return Err(format!(
                "{file} is there already, and is no swap space: name another file"
            ));
        }
        None => {}
    }
    let most = there.free / 10 * 9;
    let size = match swap.size {
        SwapSize::Auto => suggested(facts.memory, there.free).min(swap.most.unwrap_or(u64::MAX)),
        SwapSize::Bytes(bytes) => bytes.min(swap.most.unwrap_or(u64::MAX)),
    };
    let size = size / MIB * MIB;
    if size == 0 || size > most {
        return Err(format!(
            "there is no room for the swap file {file}: {} are free, of which nine tenths may be \
             used; write size: {}M",
            amount(there.free),
            (most / MIB / 2).max(1)
        ));
    }
    Ok(Some(size))
}

/// As cloud-init has it: as much as there is memory, less of it where there is much, and never
/// more than a quarter of what is free.
fn suggested(memory: u64, free: u64) -> u64 {
    let wanted = match memory {
        ..0x1_0000_0000 => memory,
        0x1_0000_0000..0x4_0000_0000 => 4 * GIB,
        _ => rounded_root(memory / GIB) * GIB,
    };
    wanted.min(free / 4).min(memory.saturating_mul(2))
}

/// The square root, rounded.
fn rounded_root(number: u64) -> u64 {
    let root = number.isqrt();
    if number - root * root > root { root + 1 } else { root }
}
