//! Reads what is. Decides nothing and changes nothing, but for one probe: that
//! a record can be written is only known once it was tried.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use uuid::Uuid;

use super::checks::Outcome;
use super::facts::{Candidate, Control, Entry, Facts, Mode, Occasion, Place};
use super::published::Published;
use super::start::told::Told;
use crate::boot::{self, Loader, bls, grub};
use crate::record::{KnownGood, Record, SnapshotId, State, handoff, store::Store};
use crate::settings::Settings;
use crate::snapshot::{Snapshot, Snapshots, snapper};
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use crate::sys::within::within;
use crate::sys::{btrfs, systemd};

/// How long systemd may take to answer.
const REQUEST: Duration = Duration::from_secs(10);

/// How long the disk may take for a small file: far longer than a slow one that is busy
/// does, shorter than the deadline. One that fails says so; one that hangs never does.
pub const DISK: Duration = Duration::from_secs(60);

/// Where the snapshots are in the booted system.
pub const SNAPSHOTS: &str = "/.snapshots";

/// The kernel's id of this boot; nil if it cannot be read, which is never
/// compared with another.
pub fn boot_id() -> Uuid {
    let read = || -> Result<Uuid> {
        let path = Path::new("/proc/sys/kernel/random/boot_id");
        let text = files::read_text(path)?.with_context(|| format!("no {}", path.display()))?;
        text.trim().parse().with_context(|| format!("{}: {text:?}", path.display()))
    };
    known("this boot's id", read()).unwrap_or_default()
}

/// What an earlier assessment of this boot left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// Its verdict, healthy or not.
    pub judged: Option<bool>,
    /// How often user space was started anew since the kernel was.
    pub soft_reboots: u32,
}

/// The verdict that this boot has already: from what was published in /run,
/// which ends with the kernel's boot but not with a soft-reboot, or, where that
/// could not be written, from the record.
pub fn before(root: &Root) -> Before {
    let boot = boot_id();
    let published = known("what was published", Published::read(root)).flatten();
    if let Some(published) = published.filter(|it| it.boot == boot) {
        // Asked only here: in the first assessment of a boot it would cost a process.
        let soft_reboots =
            known("the soft-reboots", systemd::soft_reboots(REQUEST)).unwrap_or_default();
        let judged = (published.soft_reboots == soft_reboots).then_some(published.healthy);
        return Before { judged, soft_reboots };
    }
    let state = Store::new(root).read();
    let verdict = state.readable().and_then(|record| record.verdict.as_ref());
    let judged = verdict.filter(|it| it.boot == boot && !boot.is_nil()).map(|it| it.healthy);
    Before { judged, soft_reboots: 0 }
}

/// Why the initrd gave this start up.
pub fn given_up(root: &Root) -> Option<String> {
    known("what the initrd decided", Told::read(root)).and_then(|told| told.given_up)
}

/// What settings and command line allow.
pub fn control(settings: &Settings, act_again: bool) -> Control {
    let cmdline = known("the kernel command line", Cmdline::of_this_boot()).unwrap_or_default();
    allowed(settings, &cmdline, cmdline.value("health-checker"), act_again)
}

/// What they allow in the initrd, for which there is a word of its own.
pub(super) fn control_in_initrd(settings: &Settings, cmdline: &Cmdline) -> Control {
    let word = cmdline.value("rd.health-checker").or_else(|| cmdline.value("health-checker"));
    allowed(settings, cmdline, word, false)
}

fn allowed(settings: &Settings, cmdline: &Cmdline, word: Option<&str>, act_again: bool) -> Control {
    let mode = match word {
        Some("off") => Mode::Off,
        Some("observe") => Mode::Observe,
        Some("enforce") => Mode::Enforce,
        Some(other) => {
            log::warn!(
                "health-checker={other} on the kernel command line is none of off, observe, enforce"
            );
            settings.policy.mode
        }
        None => settings.policy.mode,
    };
    let may_reboot = cmdline.value("health-checker-reboot") != Some("disabled");
    Control { mode, may_reboot, act_again }
}

/// Everything that the rules look at, for the running system. `before` is what an
/// earlier assessment of this boot left. Never fails: a machine where nothing can
/// be found out needs a decision most of all.
pub fn facts(root: &Root, control: Control, checks: Vec<Outcome>, before: Before) -> Facts {
    let store = Store::new(root);
    let failed = checks.iter().any(Outcome::condemns);
    let snapshots = Snapshots::at(root.join(SNAPSHOTS));
    let list = known("the snapshots", list(&snapshots));
    let booted = known("the booted snapshot", booted(root, list.as_deref()));
    let default = known("the default snapshot", snapshots.default()).flatten();
    let start = known("the default at the start", default_at_start(root, list.as_deref()));
    let start = start.or(default.as_ref().map(|it| it.id));
    let id = booted.as_ref().map(|it| it.id);
    // What a loader says is about the start of this kernel.
    let through_loader = before.soft_reboots == 0 && !boot::kexec();
    Facts {
        occasion: Occasion::Verdict,
        booted_problems: Vec::new(),
        given_up: given_up(root),
        boot: boot_id(),
        soft_reboots: before.soft_reboots,
        now: Timestamp::now(),
        control,
        shutting_down: failed && systemd::is_stopping(REQUEST),
        booted: id,
        default_at_start: start,
        default_now: default.as_ref().map(|it| it.id),
        entry: if through_loader { entry(root, id, start) } else { None },
        loader_offers: if through_loader && id != start {
            loader_offers(root, list.as_deref())
        } else {
            None
        },
        default_descends: descends(default.as_ref(), booted.as_ref(), list.as_deref()),
        record: record(root, &store, &snapshots, list.as_deref()),
        present: list.map(|list| list.iter().map(candidate).collect()),
        durable: if failed { durable(&store) } else { Ok(Place::Record) },
        reboots_in_firmware: reboots_in_firmware(root),
        judged: before.judged,
        checks,
    }
}

/// Whether a record written now would outlive a reboot, tried with a file.
pub(super) fn durable(store: &Store) -> Result<Place, String> {
    let store = store.clone();
    let tried = within(DISK, "probe", move || store.probe()).context("the disk");
    tried.flatten().map(|()| Place::Record).map_err(|e| format!("{e:#}"))
}

/// The firmware's count; none where it cannot be read, so that nothing is based on it.
pub(super) fn reboots_in_firmware(root: &Root) -> Option<u32> {
    let count = known("what the firmware counted", boot::firmware::reboots(root)).flatten();
    if let Some(reboots @ 1..) = count {
        log::warn!("the firmware has counted {reboots} automatic reboots since all was well");
    }
    count
}

/// What cannot be found out is logged, and stays unknown.
pub(super) fn known<T, E: Display>(what: &str, result: Result<T, E>) -> Option<T> {
    result.map_err(|e| log::warn!("cannot find out {what}: {e:#}")).ok()
}

pub(super) fn list(snapshots: &Snapshots) -> Result<Vec<Snapshot>> {
    let list = snapshots.list()?;
    if list.is_empty() {
        bail!("{} holds none", snapshots.dir().display());
    }
    Ok(list)
}

fn default_at_start(root: &Root, list: Option<&[Snapshot]>) -> Result<SnapshotId> {
    let start: handoff::Start = handoff::read(root, handoff::Start::FILE)?
        .context("neither the initrd nor health-checker-start.service has noted it")?;
    let id = start.default_subvolume;
    let found = list.into_iter().flatten().find(|snapshot| snapshot.subvolume == id);
    Ok(found.with_context(|| format!("it was subvolume {id}, which is no snapshot now"))?.id)
}

/// What the loader says of this start. The boot partition is only looked at where the
/// loader has started another snapshot than the default: that may have to be mounted.
pub(super) fn entry(
    root: &Root,
    booted: Option<SnapshotId>,
    default: Option<SnapshotId>,
) -> Option<Entry> {
    if boot::loader(root) != Loader::Bls || boot::kexec() {
        return None;
    }
    let cmdline = known("the kernel command line", Cmdline::of_this_boot())?;
    if booted?.number != bls::named_snapshot(&cmdline)? {
        return None; // entered in place of what the loader had started
    }
    let counted = known("what the loader says", bls::booted(root))?.counted;
    let gave_up = |default: SnapshotId| -> Result<bool> {
        let entries = bls::Entries::read(root, false)?;
        let gave_up = entries.gave_up(default.number);
        entries.close()?;
        Ok(gave_up)
    };
    let other = default.filter(|it| booted != Some(*it));
    let default_counted_out =
        other.and_then(|it| known("what the loader gave up", gave_up(it))).unwrap_or(false);
    Some(Entry { counted, default_counted_out })
}

/// What GRUB's menu goes back to, where one follows the protocol: its block knows of
/// the flag. Not that it is set: the menu may take it back when it goes back. What an
/// older GRUB has left where entries name the snapshot tells nothing.
fn loader_offers(root: &Root, list: Option<&[Snapshot]>) -> Option<SnapshotId> {
    if boot::loader(root) == Loader::Bls {
        return None;
    }
    known("whether GRUB's menu sets its flag", grub::env::flag(root)).flatten()?;
    let number = known("what GRUB is told", grub::offered(root)).flatten()?;
    list?.iter().map(|it| it.id).find(|it| it.number == number)
}

fn booted(root: &Root, list: Option<&[Snapshot]>) -> Result<Snapshot> {
    let id = btrfs::info(root.dir())?.uuid;
    let found = list.into_iter().flatten().find(|snapshot| snapshot.id.uuid == id);
    found.cloned().with_context(|| format!("the root, subvolume {id}, is none of them"))
}

/// Whether `younger` was made from `older`, directly or over others that are
/// still there.
fn descends(
    younger: Option<&Snapshot>,
    older: Option<&Snapshot>,
    list: Option<&[Snapshot]>,
) -> bool {
    let (Some(mut at), Some(older), Some(list)) = (younger, older, list) else { return false };
    // Bounded by the list's length: a loop of parents cannot be, but would be one here.
    for _ in list {
        let Some(parent) = at.parent else { return false };
        if parent == older.id.uuid {
            return true;
        }
        let Some(next) = list.iter().find(|snapshot| snapshot.id.uuid == parent) else {
            return false;
        };
        at = next;
    }
    false
}

pub(super) fn candidate(snapshot: &Snapshot) -> Candidate {
    Candidate { snapshot: snapshot.id, problems: Vec::new(), fits_kernel: true }
}

/// Reads the record; none, where snapshots bear its marks, is one that was lost,
/// and where an older health-checker left its state, that is imported.
pub(super) fn record(
    root: &Root,
    store: &Store,
    snapshots: &Snapshots,
    list: Option<&[Snapshot]>,
) -> State {
    let state = store.read();
    if state != State::Absent {
        return state;
    }
    let marked = known("which snapshots are marked", snapper::marked(snapshots));
    match marked.unwrap_or_default().as_slice() {
        [] => imported(root, list).map_or(State::Absent, State::Readable),
        marked => State::Unknown(format!(
            "there is none, but snapshots bear its marks ({marked:?}): it was lost"
        )),
    }
}

fn imported(root: &Root, list: Option<&[Snapshot]>) -> Option<Record> {
    let id = known("what an older health-checker left", grub::last_working(root)).flatten()?;
    let found = list?.iter().find(|snapshot| snapshot.subvolume == id);
    let Some(found) = found else {
        log::warn!("the last working snapshot of an older health-checker, subvolume {id}, is gone");
        return None;
    };
    log::info!("{} was the last working one of an older health-checker", found.id);
    let good = KnownGood { snapshot: found.id, as_default: true, at: Timestamp::now() };
    Some(Record { known_good: vec![good], ..Record::default() })
}
