//! snapper's program: asked first, because it runs the plugins that others hang
//! on it, and never relied upon, because it is part of what an update may break.
//!
//! With `--no-dbus`, so that it works without snapperd and without a bus; only
//! what a running snapperd would not notice goes over it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{Snapshots, info::Info};
use crate::record::SnapshotId;
use crate::sys::command;
use crate::sys::systemd::bus;

const PROGRAM: &str = "/usr/bin/snapper";
/// Where snapper's own programs find the snapshots, and nowhere else.
const DIR: &str = "/.snapshots";
/// How long the bus may take to say who is there.
const ANSWER: Duration = Duration::from_secs(2);
/// Longer than snapper ever takes on a healthy system, short against a boot.
const LIMIT: Duration = Duration::from_secs(20);

/// The userdata key that says what this program knows of a snapshot.
pub const HEALTH: &str = "health-checker";

/// Makes a snapshot the default: through snapper where that works, through the
/// kernel otherwise. Either way the result is looked at.
///
/// # Errors
/// Neither way led there.
pub fn set_default(snapshots: &Snapshots, target: &SnapshotId) -> Result<()> {
    if let Err(e) = through_snapper(snapshots, target) {
        log::info!("snapper does not make {target} the default, doing it directly: {e:#}");
    }
    // Also after success: it costs an ioctl, and makes the change durable.
    snapshots.set_default(target)
}

/// `snapper --ambit transactional rollback N` sets the default subvolume and
/// nothing else (snapper(8)); without the ambit it would make new snapshots.
fn through_snapper(snapshots: &Snapshots, target: &SnapshotId) -> Result<()> {
    if snapshots.dir() != Path::new(DIR) || !Path::new(PROGRAM).exists() {
        bail!("not on this system");
    }
    let number = target.number.to_string();
    let output = command::run(
        Command::new(PROGRAM).args(["--no-dbus", "--ambit", "transactional", "rollback", &number]),
        LIMIT,
    )
    .context("cannot run snapper")?;
    if !output.success() {
        bail!("{}: {}", output.end, output.last_line());
    }
    Ok(())
}

/// Protects a known good snapshot from snapper's clean-up: no algorithm, marked
/// important, and marked as ours.
///
/// # Errors
/// It has no info.xml, or that cannot be replaced.
pub fn protect(snapshots: &Snapshots, number: u32) -> Result<()> {
    edit(snapshots, number, |info| {
        info.set_field("cleanup", None);
        info.set_user("important", Some("yes"));
        info.set_user(HEALTH, Some("known-good"));
    })
}

/// Gives a snapshot back to snapper's clean-up, as transactional-update leaves
/// an old one: algorithm `number`, important.
///
/// # Errors
/// As [`protect`].
pub fn release(snapshots: &Snapshots, number: u32) -> Result<()> {
    edit(snapshots, number, |info| {
        info.set_field("cleanup", Some("number"));
        info.set_user("important", Some("yes"));
        info.set_user(HEALTH, None);
    })
}

/// Marks a snapshot as one that was restarted because it failed; one that is
/// marked as known good keeps that.
///
/// # Errors
/// As [`protect`].
pub fn tag(snapshots: &Snapshots, number: u32) -> Result<()> {
    edit(snapshots, number, |info| {
        if info.user(HEALTH).is_none() {
            info.set_user(HEALTH, Some("restarted"));
        }
    })
}

/// The numbers of the snapshots that bear a mark of ours. A mark without a
/// record shows that a record was lost.
///
/// # Errors
/// The directory cannot be read.
pub fn marked(snapshots: &Snapshots) -> Result<Vec<u32>> {
    let is_marked = |number: &u32| match Info::read(&path(snapshots, *number)) {
        Ok(info) => info.is_some_and(|info| info.user(HEALTH).is_some()),
        Err(e) => {
            log::warn!("snapshot {number} is taken for unmarked: {e:#}");
            false
        }
    };
    Ok(snapshots.numbers()?.into_iter().filter(is_marked).collect())
}

fn path(snapshots: &Snapshots, number: u32) -> std::path::PathBuf {
    snapshots.dir().join(number.to_string()).join("info.xml")
}

/// Changes a snapshot's description. A running snapperd keeps all of them in its
/// memory and cleans up by that, so it is then told; what counts is the file.
fn edit(snapshots: &Snapshots, number: u32, change: impl Fn(&mut Info)) -> Result<()> {
    let path = path(snapshots, number);
    let changed = || -> Result<(Info, bool)> {
        let before =
            Info::read(&path)?.with_context(|| format!("{} is not there", path.display()))?;
        let mut info = before.clone();
        change(&mut info);
        let differs = info != before;
        Ok((info, differs))
    };
    let (info, differs) = changed()?;
    if !differs {
        return Ok(());
    }
    if snapperd_runs(snapshots)
        && let Err(e) = tell_snapperd(number, &info)
    {
        log::warn!("snapperd does not know of the change to snapshot {number}: {e:#}");
    }
    match changed()? {
        (info, true) => info.write(&path),
        (_, false) => Ok(()),
    }
}

/// Without a bus there is no snapperd that could be asked to clean up.
fn snapperd_runs(snapshots: &Snapshots) -> bool {
    let asked = || bus::has_owner("org.opensuse.Snapper", ANSWER);
    snapshots.dir() == Path::new(DIR) && asked().unwrap_or(false)
}

fn tell_snapperd(number: u32, info: &Info) -> Result<()> {
    let mut userdata: Vec<_> =
        info.userdata.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if info.user(HEALTH).is_none() {
        userdata.push(format!("{HEALTH}=")); // snapper takes this for "remove"
    }
    let output = command::run(
        Command::new(PROGRAM)
            .args(["modify", "--cleanup-algorithm", info.field("cleanup").unwrap_or("")])
            .args(["--userdata", &userdata.join(",")])
            .arg(number.to_string()),
        LIMIT,
    )
    .context("cannot run snapper")?;
    ensure!(output.success(), "{}: {}", output.end, output.last_line());
    Ok(())
}
