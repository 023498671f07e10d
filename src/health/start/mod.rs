//! What the initrd does before the root is entered: counts the start, looks at a
//! snapshot that has not been good yet, and goes back, in the same boot where it
//! can, before anything of a bad one runs.
//!
//! It gathers, decides by the same rules as the booted system, and acts; what is
//! left for that system to do, it is told in [`told`].

mod effects;
pub mod emergency;
pub mod told;
mod watchdog;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use jiff::Timestamp;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

use super::assess::policy;
use super::execute::execute;
use super::facts::{Control, Facts, Mode, Occasion, Place};
use super::gather;
use super::plan::End;
use super::preflight::{Preflight, decide_looking};
use crate::boot::{self, Loader};
use crate::record::SnapshotId;
use crate::record::store::{self, Store};
use crate::settings::{self, Settings, Watchdog};
use crate::snapshot::disk::Disk;
use crate::snapshot::etc;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use crate::sys::mount::{Namespace, in_own_namespace};
use effects::{Initrd, System};

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
    if is_pinned(&cmdline) && boot::loader(root) != Loader::Bls {
        log::info!("the command line names the snapshot, and no loader counts: left alone");
        return Ok(());
    }
    let outside = Namespace::of_this_thread()?;
    in_own_namespace(|| {
        let Some(disk) = Disk::open(sysroot, true)? else { return Ok(()) };
        let here = Circumstances::of(&disk, &cmdline);
        if here.control.mode != Mode::Off {
            decide_and_act(root, sysroot, here, &outside)?;
        }
        disk.close()
    })
}

/// Whether the command line names a subvolume: another default changes nothing then.
fn is_pinned(cmdline: &Cmdline) -> bool {
    let flags = cmdline.value("rootflags").unwrap_or_default();
    flags.contains("subvol=") || flags.contains("subvolid=")
}

fn decide_and_act(
    root: &Root,
    sysroot: &Path,
    here: Circumstances,
    outside: &Namespace,
) -> Result<()> {
    let disk = here.disk;
    let look = Preflight::of_disk(disk)?;
    let mut facts = here.facts(root, Occasion::Start);
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
    let policy = policy(&here.settings);
    let mut plan = decide_looking(&mut facts, policy, |it| look.of_target(it));
    if !plan.healthy {
        // Tried with a file, which takes time: only where it matters.
        facts.durable = gather::durable(&here.store);
        plan = decide_looking(&mut facts, policy, |it| look.of_target(it));
        log::warn!("{}: {}", plan.decision.action, plan.decision.reason);
    }
    arm_panic();
    let (control, watchdog) = (here.control, here.settings.policy.watchdog);
    let system = System { sysroot, outside, disk, store: here.store };
    let end = execute(&plan, &mut Initrd::new(root, Some(system), &plan.decision.reason));
    // Not where this may not reboot anything, nor where the start is given up.
    let watchdog = match end {
        End::GoOn => watchdog,
        End::Enter(snapshot) => settings_of(disk, snapshot.number).policy.watchdog,
        End::Reboot | End::SafeMode => Watchdog::Off,
    };
    if control.mode == Mode::Enforce && control.may_reboot {
        gather::known("whether the watchdog will be armed", watchdog::arm(root, watchdog));
    }
    Ok(())
}

/// The settings of a snapshot that is not running.
fn settings_of(disk: &Disk, number: u32) -> Settings {
    let snapshot = disk.snapshots.path(number);
    // An fstab that cannot be read is for pre-flight to find.
    let layers = gather::known("the layers of /etc", etc::layers_in(&snapshot, &disk.var));
    settings::read_layers(&Root::new(&snapshot), &layers.unwrap_or_default())
}

/// What the initrd knows of the system on a disk.
struct Circumstances<'a> {
    disk: &'a Disk,
    settings: Settings,
    control: Control,
    store: Store,
}

impl<'a> Circumstances<'a> {
    fn of(disk: &'a Disk, cmdline: &Cmdline) -> Self {
        let settings = settings_of(disk, disk.booted.id.number);
        let control = gather::control_in_initrd(&settings, cmdline);
        let store = Store::in_places(in_var(disk, store::DIR), disk.snapshots.dir());
        Self { disk, settings, control, store }
    }

    fn facts(&self, root: &Root, occasion: Occasion) -> Facts {
        let disk = self.disk;
        let list = gather::known("the snapshots", gather::list(&disk.snapshots));
        let default = gather::known("the default snapshot", disk.snapshots.default()).flatten();
        let default = default.map(|it| it.id);
        // Where /var is, whatever that is called here.
        let beside_var = Root::new(disk.var.parent().unwrap_or(Path::new("/")));
        Facts {
            occasion,
            boot: gather::boot_id(),
            soft_reboots: 0,
            now: Timestamp::now(),
            control: self.control,
            shutting_down: false,
            booted: Some(disk.booted.id),
            booted_problems: Vec::new(),
            given_up: None,
            default_at_start: default,
            default_now: default,
            entry: gather::entry(root, Some(disk.booted.id), default),
            loader_offers: None, // the block is on a file system that is not mounted yet
            default_descends: false,
            record: gather::record(&beside_var, &self.store, &disk.snapshots, list.as_deref()),
            present: list.map(|list| list.iter().map(gather::candidate).collect()),
            durable: Ok(Place::Record),
            reboots_in_firmware: gather::reboots_in_firmware(root),
            judged: None,
            checks: Vec::new(),
        }
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
