//! `/var/lib/misc/health-check.state`: what GRUB's script reads to offer the last
//! known good snapshot, two shell assignments, and what an older, shell
//! health-checker left behind.

pub mod env;

use anyhow::{Context, Result};

use crate::snapshot::Snapshot;
use crate::sys::files::{self, Root};

const PATH: &str = "/var/lib/misc/health-check.state";

/// Reads the id of the last working subvolume.
///
/// # Errors
/// It is there but cannot be read, or the id is no number.
pub fn last_working(root: &Root) -> Result<Option<u64>> {
    let Some(text) = files::read_text(&root.join(PATH))? else { return Ok(None) };
    id_in(&text).with_context(|| PATH.to_owned())
}

fn id_in(text: &str) -> Result<Option<u64>> {
    let value =
        text.lines().rev().find_map(|line| line.trim().strip_prefix("LAST_WORKING_BTRFS_ID="));
    let value = value.map(|value| value.trim_matches(['"', '\'']));
    value
        .filter(|value| !value.is_empty())
        .map(|value| {
            value
                .parse()
                .with_context(|| format!("LAST_WORKING_BTRFS_ID={value} is no subvolume id"))
        })
        .transpose()
}

/// The number of the snapshot that GRUB's script offers; `None` where there is no
/// such file, or it has a path in it, as the shell program wrote it, which GRUB
/// cannot find.
///
/// # Errors
/// It is there but cannot be read.
pub fn offered(root: &Root) -> Result<Option<u32>> {
    let Some(text) = files::read_text(&root.join(PATH))? else { return Ok(None) };
    let value =
        text.lines().rev().find_map(|line| line.trim().strip_prefix("LAST_WORKING_SNAPSHOT="));
    Ok(value.and_then(|value| value.trim_matches(['"', '\'']).parse().ok()))
}

/// Writes it: the snapshot's *number*, which is what GRUB's script looks for, in
/// `/.snapshots/N/grub-snapshot.cfg`. One that says so already is left alone: a
/// boot waits for what is made durable.
///
/// # Errors
/// As [`files::replace`].
pub fn keep(root: &Root, snapshot: &Snapshot) -> Result<()> {
    let (path, text) = (root.join(PATH), text(snapshot));
    if matches!(files::read(&path), Ok(Some(old)) if old == text.as_bytes()) {
        return Ok(());
    }
    files::replace(&path, text.as_bytes(), 0o644)
}

fn text(snapshot: &Snapshot) -> String {
    format!(
        "LAST_WORKING_BTRFS_ID={}\nLAST_WORKING_SNAPSHOT={}\n",
        snapshot.subvolume, snapshot.id.number
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::SnapshotId;

    #[test]
    fn what_the_shell_program_wrote_is_read_and_what_grub_wants_is_written() {
        let old = "LAST_WORKING_BTRFS_ID=267\nLAST_WORKING_SNAPSHOT=@/.snapshots/12/snapshot\n";
        assert_eq!(id_in(old).unwrap(), Some(267));
        assert_eq!(id_in("").unwrap(), None);
        assert_eq!(id_in("LAST_WORKING_BTRFS_ID=\n").unwrap(), None);
        let error = format!("{:#}", id_in("LAST_WORKING_BTRFS_ID=$(x)").unwrap_err());
        assert!(error.contains("$(x) is no subvolume id"), "{error}");
        let id = SnapshotId { number: 12, uuid: uuid::Uuid::nil() };
        let snapshot = Snapshot { id, subvolume: 267, parent: None, read_only: true };
        assert_eq!(text(&snapshot), "LAST_WORKING_BTRFS_ID=267\nLAST_WORKING_SNAPSHOT=12\n");
    }

    #[test]
    fn what_says_so_already_is_left_alone() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let id = SnapshotId { number: 12, uuid: uuid::Uuid::nil() };
        let mut snapshot = Snapshot { id, subvolume: 267, parent: None, read_only: true };
        let file = |snapshot: &Snapshot| {
            keep(&root, snapshot).unwrap();
            std::fs::metadata(root.join(PATH)).unwrap().ino()
        };
        let first = file(&snapshot);
        assert_eq!(file(&snapshot), first);
        snapshot.subvolume = 268;
        assert_eq!(offered(&root).unwrap(), Some(12));
        file(&snapshot);
        assert_eq!(last_working(&root).unwrap(), Some(268));
        let path = "LAST_WORKING_SNAPSHOT=@/.snapshots/12/snapshot\n";
        std::fs::write(root.join(PATH), path).unwrap();
        assert_eq!(offered(&root).unwrap(), None);
    }
}
