//! The quota group by which snapper's clean-up knows how much space all snapshots take
//! together (snapper-configs(5): `QGROUP`, `SPACE_LIMIT`): one that is not in it is not counted.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::sys::btrfs::QuotaGroup;
use crate::sys::files;

/// The root's configuration, below `/etc`.
const CONFIG: &str = "snapper/configs/root";

/// The group that snapper would put a new snapshot into, by the directories of `/etc`, topmost
/// first.
///
/// # Errors
/// The configuration cannot be read, or names no group.
pub(super) fn group(etc: &[PathBuf]) -> Result<Option<QuotaGroup>> {
    for dir in etc {
        let path = dir.join(CONFIG);
        if let Some(text) = files::read_text(&path)? {
            return configured(&text).with_context(|| path.display().to_string());
        }
    }
    Ok(None)
}

/// Lines of `KEY="value"`, as a shell would read them; the last one counts.
fn configured(text: &str) -> Result<Option<QuotaGroup>> {
    let value = |line: &str| {
        let value = line.trim().strip_prefix("QGROUP=")?;
        Some(value.trim().trim_matches(['"', '\'']).to_owned())
    };
    match text.lines().rev().find_map(value) {
        Some(value) if !value.is_empty() => parse(&value).map(Some),
        _ => Ok(None),
    }
}

fn parse(value: &str) -> Result<QuotaGroup> {
    let says =
        || format!("QGROUP: {value:?} is no quota group: it is a level and a number, as 1/0");
    let (level, number) = value.split_once('/').with_context(says)?;
    let (level, number): (u16, u64) =
        (level.parse().with_context(says)?, number.parse().with_context(says)?);
    ensure!(level > 0 && number < 1 << 48, says());
    Ok(QuotaGroup { level, number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_read_as_snapper_reads_it() {
        let group = |level, number| Some(QuotaGroup { level, number });
        for (text, expected) in [
            ("", None),
            ("# QGROUP=\"1/0\"\nSUBVOLUME=\"/\"\n", None),
            ("QGROUP=\"\"\n", None),
            ("SUBVOLUME=\"/\"\nQGROUP=\"1/0\"\n", group(1, 0)),
            ("QGROUP=2/17", group(2, 17)),
            ("QGROUP='1/0'\nQGROUP='1/5'\n", group(1, 5)),
        ] {
            assert_eq!(configured(text).unwrap(), expected, "{text}");
        }
        for wrong in ["1", "0/5", "a/b", "1/", "70000/1", "1/281474976710656", "-1/0"] {
            let error = configured(&format!("QGROUP=\"{wrong}\"")).unwrap_err();
            assert!(format!("{error:#}").contains(wrong), "{wrong}: {error:#}");
        }
    }
}
