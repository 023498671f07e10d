//! What has run: a file for each script that runs once a machine or once an instance.
//!
//! A mark is made, and durable, before its script begins, and completed when that has ended. So
//! wherever the power is cut, what has completed is never run again, and what has not begun is
//! never lost. What was cut in between is not run again either, since nobody knows how far it
//! came: it is named as failed, with the mark to remove if it shall.
//!
//! They are in `/var`, which no rollback touches, as what the scripts did there is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::order::Task;
use super::report::Failure;
use crate::firstboot::configuration::{Later, When};
use crate::record::store;
use crate::sys::files::{self, Root};

/// In the record's directory.
pub(super) const DIR: &str = "firstboot";
/// No file's name is longer in what systems use (`NAME_MAX` less what a temporary one adds).
const LONGEST: usize = 200;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Mark {
    name: String,
    begun: Timestamp,
    ended: Option<Timestamp>,
    /// What became of it, if it failed.
    problem: Option<String>,
}

/// The marks that count for one instance.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    machine: PathBuf,
    instance: PathBuf,
}

impl Marks {
    /// Those of the instance, and of the application, that this belongs to.
    pub(super) fn of(root: &Root, later: &Later) -> Self {
        let dir = root.join(store::DIR).join(DIR);
        let mut instance = file_name(&later.instance_id);
        if !later.application.is_empty() {
            instance = file_name(&format!("{}@{}", later.instance_id, later.application));
        }
        Self { machine: dir.join("once"), instance: dir.join("instance").join(instance) }
    }

    /// Whether it is still to be done.
    pub(super) fn is_due(&self, task: &Task) -> bool {
        // Not `exists()`: a mark that cannot be looked at is no reason to run a script again.
        self.path(task).is_none_or(|path| {
            path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound)
        })
    }

    /// It begins.
    pub(super) fn begin(&self, task: &Task) -> Result<()> {
        let Some(path) = self.path(task) else { return Ok(()) };
        let dir = path.parent().unwrap_or(Path::new("/"));
        make_durable(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        write(
            &path,
            &Mark { name: task.name.clone(), begun: Timestamp::now(), ended: None, problem: None },
        )
    }

    /// It has ended.
    pub(super) fn end(&self, task: &Task, problem: Option<String>) -> Result<()> {
        let Some(path) = self.path(task) else { return Ok(()) };
        let ended = Some(Timestamp::now());
        let begun = read(&path)?.map_or_else(Timestamp::now, |mark| mark.begun);
        write(&path, &Mark { name: task.name.clone(), begun, ended, problem })
    }

    /// What failed of all that was ever run.
    pub(super) fn failures(&self) -> Result<Vec<Failure>> {
        let mut marks = Vec::new();
        for dir in [&self.machine, &self.instance] {
            for path in files::list(dir)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if name.starts_with(files::TEMPORARY) {
                    continue;
                }
                match read(&path) {
                    Ok(Some(mark)) => marks.push((mark.begun, mark.failure(&path))),
                    Ok(None) => {}
                    Err(e) => {
                        let reason = format!("whether it has run is unknown: {e:#}");
                        marks.push((Timestamp::MIN, Some(Failure { name, reason })));
                    }
                }
            }
        }
        marks.sort_by_key(|(begun, _)| *begun);
        Ok(marks.into_iter().filter_map(|(_, failure)| failure).collect())
    }

    /// `None` for what runs at every boot.
    fn path(&self, task: &Task) -> Option<PathBuf> {
        let dir = match task.when {
            When::Once => &self.machine,
            When::Instance => &self.instance,
            When::Boot => return None,
        };
        Some(dir.join(file_name(&task.name)))
    }
}

impl Mark {
    fn failure(&self, path: &Path) -> Option<Failure> {
        let interrupted = || {
            let path = path.display();
            format!(
                "the machine went down while it ran; it is not run again, unless {path} is removed"
            )
        };
        let reason = match self.ended {
            Some(_) => self.problem.clone()?,
            None => interrupted(),
        };
        Some(Failure { name: self.name.clone(), reason })
    }
}

fn read(path: &Path) -> Result<Option<Mark>> {
    files::read(path)?
        .map(|json| serde_json::from_slice(&json).with_context(|| path.display().to_string()))
        .transpose()
}

fn write(path: &Path, mark: &Mark) -> Result<()> {
    let mut json = serde_json::to_vec_pretty(mark)?;
    json.push(b'\n');
    files::replace(path, &json, 0o600)
}

/// Makes a directory, so that a power cut does not take it away with the marks in it.
fn make_durable(dir: &Path) -> std::io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(dir)?;
    // The mark's own directory is synced with the mark; above it, as far as it can be new.
    dir.ancestors().skip(1).take(4).filter(|it| it.is_dir()).try_for_each(files::sync_dir)
}

/// A file's name for any text: two texts never share one, and none leaves the directory.
pub(super) fn file_name(text: &str) -> String {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@' | b':');
    // A dot only within: `.` and `..` are directories, `.new-` is about to be replaced.
    let name: String = text
        .bytes()
        .enumerate()
        .map(|(at, byte)| {
            if safe(byte) || (byte == b'.' && at > 0) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect();
    match name.len() {
        0 => "%".to_owned(),
        1..=LONGEST => name,
        _ => {
            let hash = base16ct::lower::encode_string(&Sha256::digest(text));
            format!("{}%{hash}", &name[..100])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_has_a_name_of_its_own() {
        let long = "x".repeat(300);
        for (text, name) in [
            ("i-0abc.1", "i-0abc.1"),
            ("scripts/part-001", "scripts%2Fpart-001"),
            ("..", "%2E."),
            ("", "%"),
            ("%", "%25"),
            ("ä", "%C3%A4"),
        ] {
            assert_eq!(file_name(text), name);
        }
        assert!(file_name(&long).len() <= LONGEST);
        assert_ne!(file_name(&long), file_name(&(long.clone() + "x")));
    }
}
