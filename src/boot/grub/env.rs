//! GRUB's environment block, and the flag in it that SUSE's menu sets with each
//! entry: whoever finds it set at the next start knows that nobody cleared it.
//!
//! A block begins with a fixed line, holds `name=value` lines in which a backslash
//! takes the special meaning of what follows away, and is filled up with `#` (the
//! GRUB manual, "Environment block"). It is one of two things:
//!
//! - the file `grubenv`, 1024 bytes, where GRUB can write to its file system;
//! - on btrfs, where it cannot, sectors of the device that no file system uses. The
//!   file names them, as `env_block=512+1`, and what is saved is there alone.
//!
//! Either way GRUB overwrites the sectors that it was given and knows nothing of
//! journals, checksums or free space. So the block is overwritten here, too, and
//! never replaced by a new file: that would have other sectors, or none (a small new
//! file of btrfs is within its metadata), and until the journal is written back, which
//! GRUB does not read, its name could lead to blocks that are free already: at the next
//! start `save_env` would write into whatever took them. Nor is it emptied first, as
//! grub-editenv does: a power cut between the two would leave a block that GRUB
//! refuses. Setting the flag to 0 changes one byte of one sector.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::sys::files::{self, Root};
use crate::sys::mountinfo;

/// Set by each entry of the menu, cleared by us.
const FLAG: &str = "health_checker_flag";
/// Where the block on the device is, in sectors.
const ELSEWHERE: &str = "env_block";
const FILES: [&str; 2] = ["/boot/grub2/grubenv", "/boot/grub/grubenv"];
const SIGNATURE: &[u8] = b"# GRUB Environment Block\n";
const SIZE: usize = 1024;
const SECTOR: u64 = 512;
/// What btrfs leaves alone (its `BTRFS_BLOCK_RESERVED_1M_FOR_SUPER`): past its own
/// superblock, 4 KiB at 64 KiB, up to 1 MiB. Anything else there would be its data.
const FREE_ON_BTRFS: Range<u64> = (68 << 10)..(1 << 20);

/// Whether the menu sets the flag: `None` if no block knows of it, so no menu of
/// this machine follows the protocol; else whether it is set now.
///
/// # Errors
/// A block that is damaged, and no other one knows of the flag.
pub fn flag(root: &Root) -> Result<Option<bool>> {
    let (mut known, mut problems) = (None, Vec::new());
    for block in FILES.iter().filter_map(|path| open(&root.join(path)).transpose()) {
        match block.and_then(|block| Ok(value(&block.bytes, FLAG)?.map(|at| is_set(&block, at)))) {
            Ok(Some(set)) => known = Some(set || known == Some(true)),
            Ok(None) => {}
            Err(e) => problems.push(e),
        }
    }
    match problems.into_iter().next() {
        Some(problem) if known.is_none() => Err(problem),
        _ => Ok(known),
    }
}

/// Clears the flag wherever it is set.
///
/// # Errors
/// Each block in which it may still be set, and why.
pub fn clear(root: &Root) -> Result<()> {
    let mut problems = Vec::new();
    for path in FILES.map(|path| root.join(path)) {
        if let Err(e) = clear_in(&path) {
            problems.push(format!("{e:#}"));
        }
    }
    ensure!(problems.is_empty(), problems.join("; "));
    Ok(())
}

fn clear_in(path: &Path) -> Result<()> {
    let Some(block) = open(path)? else { return Ok(()) };
    let Some(at) = value(&block.bytes, FLAG)? else { return Ok(()) };
    if !is_set(&block, at.clone()) {
        return Ok(());
    }
    let device = block.path.display();
    let write = || -> std::io::Result<()> {
        let file = OpenOptions::new().write(true).open(&block.path)?;
        file.write_all_at(&with_zero(&block.bytes, at), block.offset)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {device}, at {}", block.offset))
}

/// A block and where it is.
#[derive(Debug)]
struct Block {
    path: PathBuf,
    offset: u64,
    bytes: Vec<u8>,
}

/// The block that the file at `path` is, or that it names; `None` without a file.
fn open(path: &Path) -> Result<Option<Block>> {
    let name = || path.display().to_string();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if [ErrorKind::NotFound, ErrorKind::NotADirectory].contains(&e.kind()) => {
            return Ok(None);
        }
        Err(e) => return Err(e).with_context(name),
    };
    let size = file.metadata().with_context(name)?.len();
    ensure!(size == SIZE as u64, "{}: {size} bytes are no environment block of {SIZE}", name());
    let bytes = read(&file, 0, SIZE).with_context(name)?;
    match value(&bytes, ELSEWHERE).with_context(name)? {
        None => {
            value(&bytes, FLAG).with_context(name)?;
            Ok(Some(Block { path: path.to_owned(), offset: 0, bytes }))
        }
        Some(at) => elsewhere(path, &bytes[at]).with_context(name).map(Some),
    }
}

fn elsewhere(path: &Path, place: &[u8]) -> Result<Block> {
    let text = String::from_utf8_lossy(place);
    let sectors =
        sectors(&text).with_context(|| format!("{ELSEWHERE}={text} is not understood"))?;
    let device = device_below(path)?;
    let name = device.display().to_string();
    let file = File::open(&device).with_context(|| name.clone())?;
    let size = usize::try_from(sectors.end - sectors.start)?;
    let bytes = read(&file, sectors.start, size).with_context(|| name.clone())?;
    value(&bytes, FLAG).with_context(|| format!("{name}, at {}", sectors.start))?;
    Ok(Block { path: device, offset: sectors.start, bytes })
}

/// `512+1`: from which sector, how many; in bytes.
fn sectors(text: &str) -> Option<Range<u64>> {
    let (first, count) = text.split_once('+')?;
    let (first, count): (u64, u64) = (first.parse().ok()?, count.parse().ok()?);
    let start = first.checked_mul(SECTOR)?;
    let end = start.checked_add(count.checked_mul(SECTOR)?)?;
    let free = FREE_ON_BTRFS.contains(&start) && end <= FREE_ON_BTRFS.end && start < end;
    free.then_some(start..end)
}

/// The device whose btrfs the file is on.
fn device_below(path: &Path) -> Result<PathBuf> {
    let path = path.canonicalize()?;
    let table = files::read_text(Path::new("/proc/thread-self/mountinfo"))?.unwrap_or_default();
    let mounts = mountinfo::parse(&table);
    let mount = path.ancestors().find_map(|dir| mountinfo::at(&mounts, dir));
    match mount {
        Some(mount) if mount.fstype == "btrfs" => Ok(mount.source.clone()),
        Some(mount) => bail!("{ELSEWHERE} is set on {}, where it means nothing", mount.fstype),
        None => Err(anyhow!("it is not known what it is on")),
    }
}

fn read(file: &File, offset: u64, size: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; size];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn is_set(block: &Block, at: Range<usize>) -> bool {
    !matches!(&block.bytes[at], b"" | b"0")
}

/// Where a variable's value is in a block.
fn value(block: &[u8], name: &str) -> Result<Option<Range<usize>>> {
    ensure!(block.starts_with(SIGNATURE), "damaged: it does not begin as environment blocks do");
    let mut start = SIGNATURE.len();
    while start < block.len() {
        let end = end_of_line(block, start);
        let line = &block[start..end];
        if line.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")) {
            ensure!(end < block.len(), "damaged: {name} has no end");
            return Ok(Some(start + name.len() + 1..end));
        }
        start = end + 1;
    }
    Ok(None)
}

/// A line break after a backslash belongs to a value.
fn end_of_line(block: &[u8], start: usize) -> usize {
    let mut at = start;
    while at < block.len() && block[at] != b'\n' {
        at += if block[at] == b'\\' { 2 } else { 1 };
    }
    at.min(block.len())
}

/// The block with `0` for the value at this place, and as long as it was.
fn with_zero(block: &[u8], at: Range<usize>) -> Vec<u8> {
    let mut changed = [&block[..at.start], b"0", &block[at.end..]].concat();
    changed.resize(block.len(), b'#');
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Vec<u8> {
        let mut bytes = [SIGNATURE, text.as_bytes()].concat();
        bytes.resize(SIZE, b'#');
        bytes
    }

    fn machine(bytes: &[u8]) -> (tempfile::TempDir, Root, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let path = root.join(FILES[1]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        (dir, root, path)
    }

    #[test]
    fn clearing_changes_nothing_but_the_value_and_keeps_the_file() {
        use std::os::unix::fs::MetadataExt;
        for (before, after) in [
            ("health_checker_flag=1\n", "health_checker_flag=0\n"),
            ("a=1\nhealth_checker_flag=1\nb=2\n", "a=1\nhealth_checker_flag=0\nb=2\n"),
            ("health_checker_flag=yes\nb=2\n", "health_checker_flag=0\nb=2\n"),
            // A value with a line break in it, which looks like the flag.
            (
                "a=x\\\nhealth_checker_flag=1\nhealth_checker_flag=1\n",
                "a=x\\\nhealth_checker_flag=1\nhealth_checker_flag=0\n",
            ),
        ] {
            let (_dir, root, path) = machine(&block(before));
            let inode = std::fs::metadata(&path).unwrap().ino();
            assert_eq!(flag(&root).unwrap(), Some(true), "{before}");
            clear(&root).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), block(after), "{before}");
            assert_eq!(flag(&root).unwrap(), Some(false));
            assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
        }
    }

    #[test]
    fn what_does_not_know_of_the_flag_is_left_alone() {
        for text in ["", "saved_entry=x\n", "not_health_checker_flag=1\n"] {
            let (_dir, root, path) = machine(&block(text));
            assert_eq!(flag(&root).unwrap(), None);
            clear(&root).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), block(text));
        }
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert_eq!(flag(&root).unwrap(), None);
        clear(&root).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_bad_block_is_named_and_not_touched() {
        let mut cut_short = block("health_checker_flag=1\n");
        cut_short.truncate(512);
        let endless = [SIGNATURE, b"health_checker_flag=1"].concat();
        let mut endless_block = endless.clone();
        endless_block.resize(SIZE, b'1');
        for bytes in [Vec::new(), cut_short, vec![0; SIZE], endless, endless_block] {
            let (_dir, root, path) = machine(&bytes);
            for error in [flag(&root).unwrap_err(), clear(&root).unwrap_err()] {
                assert!(format!("{error:#}").contains("grub/grubenv"), "{error:#}");
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
    }

    #[test]
    fn of_two_blocks_the_whole_one_is_cleared() {
        let (_dir, root, path) = machine(&block("health_checker_flag=1\n"));
        let other = root.join(FILES[0]);
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        std::fs::write(&other, "rubbish").unwrap();
        assert_eq!(flag(&root).unwrap(), Some(true));
        assert!(clear(&root).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), block("health_checker_flag=0\n"));
    }

    #[test]
    fn only_what_btrfs_leaves_alone_is_written_on_the_device() {
        assert_eq!(sectors("512+1"), Some((256 << 10)..(256 << 10) + 512));
        assert_eq!(sectors("136+1912"), Some((68 << 10)..(1 << 20)));
        for bad in ["128+1", "135+1", "2047+2", "2048+1", "512+0", "512", "-1+1", "+1", "512+x"] {
            assert_eq!(sectors(bad), None, "{bad}");
        }
        let huge = format!("{}+{}", u64::MAX, u64::MAX);
        assert_eq!(sectors(&huge), None);
    }
}
