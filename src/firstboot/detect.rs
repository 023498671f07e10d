//! Is this a first boot? The facts, and the one function that answers.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use uuid::Uuid;

use super::instance::Smbios;
use super::machine::Machine;
use super::outcome::{Outcome, State};
use crate::record;
use crate::sys::cmdline::Cmdline;
use crate::sys::files;

/// The words on the kernel command line that ask for a first boot.
const ASKING: [&str; 2] = ["combustion.firstboot", "ignition.firstboot"];

/// `/etc/machine-id`, as systemd distinguishes it (machine-id(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineId {
    /// There is none.
    Missing,
    /// It is there, and empty.
    Empty,
    /// It says `uninitialized`.
    Uninitialized,
    /// The system has been started before.
    Set,
}

/// What is known of the system that is about to be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its machine-id.
    pub machine_id: MachineId,
    /// The word on the kernel command line that asks for a first boot.
    pub asked_by: Option<&'static str>,
    /// The snapshot that will be entered.
    pub snapshot: Option<Uuid>,
    /// The snapshot that the record says was configured.
    pub configured: Option<Uuid>,
    /// Whether the snapshot that will be entered is still marked as unfinished.
    pub unfinished: bool,
    /// Whether the record tells of an attempt whose changes outside were to be put back.
    pub to_settle: bool,
    /// The pristine snapshot of a configuration that failed.
    pub failed_on: Option<Uuid>,
    /// The machine that this is to its platform now, if another one was configured.
    pub other_instance: Option<String>,
    /// How the configuration of a system without snapshots ended.
    pub in_place: Option<State>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is, for this reason.
    FirstBoot(String),
    /// It would be, but the configuration is applied already: this start is the
    /// rest of one that was cut off.
    AlreadyApplied,
    /// It is not, but an earlier attempt was cut off: what it left is to be settled now.
    CutOff,
    /// It is not.
    Finished,
}

/// Answers. The first row that fits decides:
///
/// 1. A configured snapshot that has never been up is not configured twice,
///    whatever the command line says: the boot loader may not have noticed yet. One that is
///    still marked as unfinished has not been either, also where its configuration has set
///    the machine-id.
/// 2. The command line is obeyed: it is the one way to run first boot again.
/// 3. A system that has never been up has its first boot.
/// 4. A disk that was copied for another machine is configured for that one, when the
///    platform itself says that it is another.
/// 5. One that went on without its configuration, because that failed, still
///    has it before it.
/// 6. What an attempt left that was cut off is settled before the system is entered: what that
///    writes must not be lost when it is put back later.
pub fn decide(facts: &Facts) -> Answer {
    let is = |other: Option<Uuid>| facts.snapshot.is_some() && facts.snapshot == other;
    let reason = match facts.machine_id {
        MachineId::Set => None,
        MachineId::Missing => Some("/etc/machine-id is not there"),
        MachineId::Empty => Some("/etc/machine-id is empty"),
        MachineId::Uninitialized => Some("/etc/machine-id is uninitialized"),
    };
    let applied_in_place = facts.in_place == Some(State::Applied);
    let cut_off = facts.unfinished && is(facts.configured);
    if cut_off || reason.is_some() && (is(facts.configured) || applied_in_place) {
        return Answer::AlreadyApplied;
    }
    if let Some(word) = facts.asked_by {
        return Answer::FirstBoot(format!("{word} on the kernel command line"));
    }
    if let Some(reason) = reason {
        return Answer::FirstBoot(reason.to_owned());
    }
    if let Some(id) = &facts.other_instance {
        return Answer::FirstBoot(format!("to its platform this is another machine: {id}"));
    }
    if is(facts.failed_on) || facts.in_place == Some(State::Failed) {
        return Answer::FirstBoot("the configuration failed at the last one".to_owned());
    }
    if facts.unfinished || facts.to_settle { Answer::CutOff } else { Answer::Finished }
}

/// Gathers the facts: from these layers of `/etc`, topmost first, from the
/// record, and from the result in `state_dir`. What of the last two cannot be
/// read is unknown, and does not stop a start.
///
/// # Errors
/// The machine-id cannot be read.
pub fn gather(
    layers: &[PathBuf],
    state: &record::State,
    state_dir: &Path,
    snapshot: Option<Uuid>,
    machine: &Machine,
) -> Result<Facts> {
    if let record::State::Unknown(why) = state {
        log::warn!("whether first boot was done is not known, the record is unusable: {why}");
    }
    let done = state.readable().and_then(|record| record.firstboot.as_ref());
    let outcome = Outcome::read(state_dir).unwrap_or_else(|e| {
        log::warn!("the result of an earlier first boot is not known: {e:#}");
        None
    });
    let in_place = outcome.as_ref().filter(|_| snapshot.is_none()).and_then(in_place);
    let failed = outcome.filter(|outcome| outcome.state == State::Failed);
    Ok(Facts {
        machine_id: machine_id(layers)?,
        asked_by: asked_by(&machine.cmdline),
        snapshot,
        configured: done.map(|done| done.configured.uuid),
        unfinished: false,
        to_settle: state.readable().is_some_and(|record| record.outside.is_some()),
        other_instance: done
            .and_then(|done| Smbios::of(machine).other_than(done.instance.as_ref()?))
            .map(|instance| instance.id),
        failed_on: failed.and_then(|outcome| outcome.pristine).map(|id| id.uuid),
        in_place,
    })
}

/// What the result of a system without snapshots says of its configuration; one that was
/// applied to a snapshot came here with that snapshot's files.
pub(super) fn in_place(outcome: &Outcome) -> Option<State> {
    let is_own = outcome.in_place || outcome.state == State::Failed;
    is_own.then_some(outcome.state)
}

/// The word on this command line that asks for a first boot.
fn asked_by(cmdline: &Cmdline) -> Option<&'static str> {
    ASKING.into_iter().find(|word| cmdline.has(word))
}

/// The machine-id that these layers of `/etc` show, topmost first.
///
/// # Errors
/// It is there but cannot be read: then it is not known.
pub fn machine_id(layers: &[PathBuf]) -> Result<MachineId> {
    for layer in layers {
        let path = layer.join("machine-id");
        match fs::symlink_metadata(&path) {
            // A whiteout of overlayfs: deleted, whatever lies below.
            Ok(metadata) if metadata.file_type().is_char_device() => break,
            Ok(_) => return read_machine_id(&path),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(e) => return Err(e).with_context(|| format!("cannot stat {}", path.display())),
        }
    }
    Ok(MachineId::Missing)
}

fn read_machine_id(path: &Path) -> Result<MachineId> {
    Ok(match files::read(path)?.as_deref().map(<[u8]>::trim_ascii) {
        None => MachineId::Missing, // a link to nothing
        Some(b"") => MachineId::Empty,
        Some(b"uninitialized") => MachineId::Uninitialized,
        Some(_) => MachineId::Set,
    })
}

#[cfg(test)]
mod tests;
