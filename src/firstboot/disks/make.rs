//! Carries the steps out: one arm a step, no decisions. What is to be made is decided in
//! `plan::disks` alone.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::fs::{FallocateFlags, IFlags, fallocate, ioctl_getflags, ioctl_setflags};
use rustix::io::Errno;

use super::stays;
use crate::firstboot::chroot::Inside;
use crate::firstboot::plan::disks::{Action, Step};
use crate::sys::block;
use crate::sys::btrfs;
use crate::sys::tree::Tree;

/// For a partition table, or a file system that grows: seconds, and a busy disk.
const SHORT: Duration = Duration::from_secs(2 * 60);
/// For a file system on a large, slow disk.
const LONG: Duration = Duration::from_secs(30 * 60);

/// Does it, in the system that is at `inside`; returns what was done and stays, in words: not a
/// swap file, which is put back with the directory that it is in. What is optional and fails is
/// only told.
///
/// # Errors
/// The first step that failed, with what had been done before it; that stays ([`super::Made`]).
pub fn make(steps: &[Step], inside: &Inside<'_>, tree: &Tree) -> Result<Vec<String>> {
    let mut made = Vec::new();
    for step in steps {
        let Some(action) = &step.action else { continue };
        log::info!("disks: {step}");
        match carry_out(action, inside, tree) {
            Ok(()) if matches!(action, Action::Swap { .. }) => {}
            Ok(()) => made.push(step.what.clone()),
            Err(e) if action.is_optional() => {
                log::warn!("{step}: {e:#}; the system starts with the size that it has");
            }
            Err(e) => return Err(stays(e.context(step.what.clone()), &made)),
        }
    }
    Ok(made)
}

fn carry_out(action: &Action, inside: &Inside<'_>, tree: &Tree) -> Result<()> {
    match action {
        Action::Table { disk, script, partitions } => {
            let node = node(disk);
            // What once began where a partition begins now must not be taken for its content.
            let make = ["sfdisk", "--quiet", "--wipe=always", "--wipe-partitions=always"];
            call(inside, &[&make[..], &["--lock=yes", &node]].concat(), script, SHORT)?;
            appear(inside, &node, partitions)
        }
        Action::FileSystem { wiped, command } => {
            if let Some(disk) = wiped {
                call(inside, &["wipefs", "--quiet", "--all", "--lock=yes", disk], "", SHORT)?;
            }
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            call(inside, &command, "", LONG)
        }
        Action::GrowPartition { disk, number } => {
            let (node, number) = (node(disk), number.to_string());
            // It is in use, which --force says is meant, and cannot be read again as a whole.
            let grow =
                ["sfdisk", "--quiet", "--no-reread", "--force", "-N", number.as_str(), &node];
            call(inside, &grow, ", +\n", SHORT)?;
            call(inside, &["partx", "--update", "--nr", &number, &node], "", SHORT)
        }
        Action::GrowBtrfs => btrfs::grow(inside.root),
        Action::GrowRoot(command) => {
            let command: Vec<&str> = command.iter().map(String::as_str).collect();
            call(inside, &command, "", LONG)
        }
        Action::Swap { file, size } => swap(inside, tree, file, *size),
    }
}

/// The nodes of new partitions: devtmpfs has them as soon as the kernel has read the table, which
/// sfdisk lets it do, unless somebody else had the disk open then.
fn appear(inside: &Inside<'_>, node: &str, partitions: &[String]) -> Result<()> {
    let is_there = |name: &String| block::node(name).exists();
    if !partitions.iter().all(is_there) {
        call(inside, &["partx", "--update", node], "", SHORT)?;
    }
    let missing = partitions.iter().find(|it| !is_there(it));
    ensure!(missing.is_none(), "the kernel shows no {}", missing.map_or("partition", |it| it));
    Ok(())
}

/// Under another name until it is swap space: cut in between, nothing is left in its place.
fn swap(inside: &Inside<'_>, tree: &Tree, path: &Path, size: u64) -> Result<()> {
    let directory = path.parent().context("a swap file has a directory")?;
    let name = path.file_name().context("a swap file has a name")?.to_string_lossy();
    let unfinished = directory.join(format!(".{name}.unfinished"));
    if directory.parent().is_some() {
        tree.make_dirs(directory, 0o755)?;
    }
    tree.remove(&unfinished)?;
    let file = tree.create(&unfinished, 0o600)?;
    let allocate = || -> Result<()> {
        // The kernel refuses swap files whose blocks btrfs may move; only of an empty file this
        // can be said. Other file systems do not know it.
        if let Ok(flags) = ioctl_getflags(&file) {
            match ioctl_setflags(&file, flags | IFlags::NOCOW) {
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOTTY) => {}
                Err(e) => return Err(e).context("cannot keep it from being copied on write"),
            }
        }
        fallocate(&file, FallocateFlags::empty(), 0, size).context("cannot allocate it")?;
        file.sync_all().context("cannot write it")?;
        call(inside, &["mkswap", "--quiet", &unfinished.to_string_lossy()], "", SHORT)?;
        file.sync_all().context("cannot write it")
    };
    match allocate().with_context(|| format!("the swap file {}", path.display())) {
        Ok(()) => tree.rename(&unfinished, path),
        Err(e) => {
            if let Err(left) = tree.remove(&unfinished) {
                log::warn!("{left:#}");
            }
            Err(e)
        }
    }
}

fn node(name: &str) -> String {
    block::node(name).display().to_string()
}

fn call(inside: &Inside<'_>, command: &[&str], input: &str, limit: Duration) -> Result<()> {
    let words: Vec<String> = command.iter().map(|it| (*it).to_owned()).collect();
    let output = inside.ask(&words, input.as_bytes(), limit)?;
    let (name, last) = (words.join(" "), output.last_line());
    ensure!(output.success(), "{name} failed: {}; the last it said was: {last}", output.end);
    Ok(())
}
