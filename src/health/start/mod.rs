//! What the initrd does before the root is entered: counts the start, looks at a
//! snapshot that has not been good yet, and goes back, in the same boot where it
//! can, before anything of a bad one runs.
//!
//! It gathers, decides by the same rules as the booted system, and acts; what is
//! left for that system to do, it is told in [`told`].

mod effects;
pub mod told;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::assess::policy;
use super::decide::Policy;
use super::execute::execute;
use super::facts::{Control, Facts, Mode, Occasion};
use super::gather;
use super::preflight::{Preflight, decide_looking};
use crate::record::SnapshotId;
use crate::record::store::{self, Store};
use crate::settings;
use crate::snapshot::disk::Disk;
use crate::snapshot::etc;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use effects::Initrd;

/// How long a kernel that has panicked waits before it restarts, in seconds: long
/// enough to read why, where nobody has said anything else.
const PANIC: &str = "30\n";
pub(super) const PANIC_FILE: &str = "/proc/sys/kernel/panic";
/// This program in the system that is about to be entered.
const PROGRAM: &str = "usr/bin/health-checker";

/// Does all that for the system that is mounted at `sysroot`. Never fails: a
/// start that cannot be counted goes on.
pub fn begin(root: &Root, sysroot: &Path) {
    if let Err(e) = assessed(root, sysroot) {
        log::warn!("this start is neither counted nor looked at: {e:#}");
    }
    read_ahead(&sysroot.join(PROGRAM));
}

fn assessed(root: &Root, sysroot: &Path) -> Result<()> {
    let cmdline = Cmdline::of_this_boot()?;
    let pinned = |it: &str| it.contains("subvol=") || it.contains("subvolid=");
    if cmdline.value("rootflags").is_some_and(pinned) {
        log::info!("the loader's entry names the snapshot: its starts are the loader's to count");
        return Ok(());
    }
    let Some(disk) = Disk::open(sysroot, true)? else { return Ok(()) };
    let booted = disk.snapshots.path(disk.booted.id.number);
    let layers = etc::layers_in(&booted, &disk.var)?;
    let settings = settings::read_layers(&Root::new(&booted), &layers);
    let control = gather::control_in_initrd(&settings, &cmdline);
    if control.mode != Mode::Off {
        decide_and_act(root, sysroot, &disk, control, policy(&settings))?;
    }
    disk.close()
}

fn decide_and_act(
    root: &Root,
    sysroot: &Path,
    disk: &Disk,
    control: Control,
    policy: Policy,
) -> Result<()> {
    let store = Store::in_places(in_var(disk, store::DIR), disk.snapshots.dir());
    let look = Preflight::of_disk(disk)?;
    let mut facts = facts(disk, &store, control);
    let is_good = |id: &SnapshotId| {
        facts.record.readable().is_some_and(|it| it.good(id).is_some_and(|good| good.as_default))
    };
    if !is_good(&disk.booted.id) && !facts.chosen_by_hand() {
        let good = facts.record.readable().map(|it| it.known_good.iter().map(|it| it.snapshot));
        let good: Vec<_> = good.into_iter().flatten().collect();
        facts.booted_problems = look.of_booted(&disk.booted.id, &good);
        for problem in &facts.booted_problems {
            log::error!("{}: {problem}", disk.booted.id);
        }
    }
    let mut plan = decide_looking(&mut facts, policy, |it| look.of_target(it));
    if !plan.healthy {
        // Tried with a file, which takes time: only where it matters.
        facts.durable = store.probe().map_err(|e| format!("{e:#}"));
        plan = decide_looking(&mut facts, policy, |it| look.of_target(it));
        log::warn!("{}: {}", plan.decision.action, plan.decision.reason);
    }
    arm_panic();
    execute(&plan, &mut Initrd::new(root, sysroot, disk, store, &plan.decision.reason));
    Ok(())
}

fn facts(disk: &Disk, store: &Store, control: Control) -> Facts {
    let list = gather::known("the snapshots", gather::list(&disk.snapshots));
    let default = gather::known("the default snapshot", disk.snapshots.default()).flatten();
    let default = default.map(|it| it.id);
    // Where /var is, whatever that is called here.
    let beside_var = Root::new(disk.var.parent().unwrap_or(Path::new("/")));
    Facts {
        occasion: Occasion::Start,
        boot: gather::boot_id(),
        soft_reboots: 0,
        now: Timestamp::now(),
        control,
        shutting_down: false,
        booted: Some(disk.booted.id),
        booted_problems: Vec::new(),
        given_up: None,
        default_at_start: default,
        default_now: default,
        default_descends: false,
        record: gather::record(&beside_var, store, &disk.snapshots, list.as_deref()),
        present: list.map(|list| list.iter().map(gather::candidate).collect()),
        durable: Ok(()),
        judged: None,
        checks: Vec::new(),
    }
}

/// A path below `/var`, which may be anywhere.
fn in_var(disk: &Disk, path: &str) -> std::path::PathBuf {
    disk.var.join(path.trim_start_matches("/var/"))
}

/// A system that panics before anybody can log in must not stand still for ever,
/// unless an administrator wants it to.
fn arm_panic() {
    let armed = || -> Result<()> {
        let path = Path::new(PANIC_FILE);
        let set = files::read_text(path)?.context("it is not there")?;
        if set.trim() == "0" {
            fs::write(path, PANIC)?;
        }
        Ok(())
    };
    if let Err(e) = armed() {
        log::warn!("after a panic, this kernel may stand still: {PANIC_FILE}: {e:#}");
    }
}

/// Has the kernel read the program while systemd leaves the initrd: its generator
/// and its service would wait for that page by page.
fn read_ahead(path: &Path) {
    let asked = || -> Result<()> {
        let file = fs::File::open(path)?;
        Ok(posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_WILLNEED)?)
    };
    if let Err(e) = asked() {
        log::debug!("{}: {e:#}", path.display());
    }
}
