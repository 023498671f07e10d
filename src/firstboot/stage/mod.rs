//! The stages that the initrd's units call, one after the other. The first, detect, is
//! here, with what all of them hand on and leave behind.

mod apply;
mod fetch;
mod in_place;
mod interrupted;
mod seeds;
mod work;

pub(in crate::firstboot) use seeds::take as take_seed;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::copy;
use super::datasource::{Format, Ignored};
use super::detect::{self, Answer, Facts, MachineId};
use super::machine::Machine;
use super::notes;
use super::outcome::{Outcome, State};
use super::script::{self, Script};
use super::seed::Overlay;
use crate::boot;
use crate::record::store::{self, Store};
use crate::record::{Instance, handoff};
use crate::snapshot::disk::{self, Disk};
use crate::snapshot::etc::Etc;
use crate::snapshot::mounted::mount_at;
use crate::snapshot::transaction;
use crate::sys::files::{self, Root};
use crate::sys::mount::in_own_namespace;

/// The hand-off of `detect`: there is a first boot. Also a condition of units.
pub const PENDING: &str = "firstboot.json";
/// The hand-off of `fetch`: there is a configuration. Also a condition of units.
const FOUND: &str = "firstboot-found.json";
/// Left where a first boot that failed ends the start.
const STOPPED: &str = "firstboot-stopped.json";
/// Where scripts expect their configuration, and find themselves.
const CONFIG: &str = "/dev/shm/combustion/config";
/// What is removed with it.
const MEMORY: &str = "/dev/shm/combustion";
/// Where a seed is kept between the stages: beside the script's directory, and removed as it.
const SEED: &str = "/dev/shm/combustion/seed";

/// Whether a first boot is under way: what will be entered is not settled yet.
pub fn is_pending(root: &Root) -> bool {
    root.join(handoff::DIR).join(PENDING).exists()
}

/// Whether a first boot has failed and stopped this start, with its reason: it is
/// not an initrd that cannot go on, and nothing is to be tried about it.
pub fn has_stopped(root: &Root) -> bool {
    root.join(handoff::DIR).join(STOPPED).exists()
}

/// What `detect` hands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Why this is a first boot.
    pub reason: String,
}

/// What `fetch` hands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) source: String,
    pub(super) sha256: String,
    /// How often it will have been applied to this system.
    pub(super) applications: u32,
    /// The key that signed it, where it had to be signed.
    pub(super) signed_by: Option<String>,
    /// What else was there.
    pub(super) ignored: Vec<Ignored>,
    /// What sort of configuration it is.
    #[serde(default)]
    pub(super) format: Format,
    /// Which machine a seed says that this is.
    #[serde(default)]
    pub(super) instance: Option<Instance>,
    /// Meta-data that was said elsewhere, and wins over a seed's own.
    #[serde(default)]
    pub(super) overlay: Overlay,
}

/// A failure after which the disk is not as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stays(String);

impl fmt::Display for Stays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stays {}

/// The world that the stages work in. What they mount for themselves, nobody else sees, for the
/// reason that [`in_own_namespace`] has.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The initrd, the system, and the kernel command line.
    pub machine: Machine,
    /// How long a script may run.
    pub limit: Duration,
}

impl Stage {
    /// Finds out whether this is a first boot.
    ///
    /// # Errors
    /// It could not be found out. Nothing is handed on then, and the start goes
    /// on: a finished machine must not be kept from starting by this.
    pub fn detect(&self) -> Result<()> {
        in_own_namespace(|| self.find_out())
    }

    fn find_out(&self) -> Result<()> {
        self.note_default();
        if !self.is_on_disk()? {
            log::info!("the root is on no disk, as an installer's: no first boot");
            return Ok(());
        }
        let disk = self.machine.disk(false)?;
        let facts = self.facts(disk.as_ref())?;
        if let Some(disk) = disk {
            disk.close()?;
        }
        match detect::decide(&facts) {
            Answer::Finished => {}
            Answer::CutOff => self.clean_up_or_give_up()?,
            Answer::FirstBoot(reason) => {
                log::info!("this is a first boot: {reason}");
                handoff::write(&self.machine.root, PENDING, &Pending { reason })?;
            }
            Answer::AlreadyApplied => {
                log::info!("the first boot's configuration is applied already: going on");
                self.complete()?;
            }
        }
        Ok(())
    }

    /// What is mounted from no device is not the machine's own system: a live medium's is
    /// in memory, and gone after it.
    fn is_on_disk(&self) -> Result<bool> {
        let mount = mount_at(&self.machine.sysroot)?;
        Ok(mount.is_some_and(|it| it.source.starts_with("/dev")))
    }

    /// For the verdict on this start. Where that fails, a unit of the booted
    /// system does it, or says why it cannot.
    fn note_default(&self) {
        if let Err(e) = boot::note_default(&self.machine.root, &self.machine.sysroot) {
            log::info!("the default of this start is noted later: {e:#}");
        }
    }

    fn facts(&self, disk: Option<&Disk>) -> Result<Facts> {
        let Some(disk) = disk else {
            let root = Root::new(&self.machine.sysroot);
            let etc = Etc::of(&disk::fstab_of(&self.machine.sysroot)?)?;
            let layers: Vec<_> = etc.layers().into_iter().map(|layer| root.join(layer)).collect();
            let state = Store::new(&root).read();
            let dir = root.join(store::DIR);
            let mut facts = detect::gather(&layers, &state, &dir, None, &self.machine)?;
            // On every later start /var would be mounted in vain.
            if facts.machine_id != MachineId::Set || self.goes_on() {
                facts.in_place = self.noted_in_place()?.as_ref().and_then(detect::in_place);
            }
            return Ok(facts);
        };
        let layer = |path: PathBuf| disk.place(disk.booted.id.number, &path);
        let layers: Vec<_> = Etc::of(&disk.fstab)?.layers().into_iter().filter_map(layer).collect();
        let (state, booted) = (notes::store(disk).read(), Some(disk.booted.id.uuid));
        let dir = notes::state_dir(disk);
        let mut facts = detect::gather(&layers, &state, &dir, booted, &self.machine)?;
        let marked = transaction::is_in_progress(disk, disk.booted.id.number);
        facts.unfinished = marked.unwrap_or_else(|e| {
            log::warn!("whether it is complete is not known: {e:#}");
            false
        });
        Ok(facts)
    }

    /// Notes what failed, and returns whether the start shall go on all the same.
    pub fn failed(&self, error: &anyhow::Error) -> bool {
        let reason = format!("{error:#}");
        let found = handoff::read::<Found>(&self.machine.root, FOUND).ok().flatten();
        let in_place = error.is::<Stays>();
        let noted = self.conclude(|_| {
            let reason = Some(reason.clone());
            let outcome = Outcome { in_place, reason, ..Outcome::of(State::Failed) };
            Some(found.iter().fold(outcome, Outcome::with))
        });
        if let Err(e) = noted {
            log::warn!("that it failed could not be noted: {e:#}");
        }
        self.concluded();
        if let Err(e) = remove_config() {
            log::warn!("{e:#}");
        }
        let goes_on = self.goes_on();
        if goes_on && let Err(e) = self.give_up() {
            log::warn!("the next first boot may put back what is written from now on: {e:#}");
        }
        if !goes_on && let Err(e) = handoff::write(&self.machine.root, STOPPED, &reason) {
            log::warn!("what comes next will not know why this start stopped: {e:#}");
        }
        goes_on
    }

    /// Whether a start goes on without the configuration that failed.
    fn goes_on(&self) -> bool {
        self.machine.cmdline.value("firstboot.on-failure") == Some("continue")
    }

    /// Takes the hand-offs away: nothing is pending any more.
    fn concluded(&self) {
        for name in [PENDING, FOUND] {
            if let Err(e) = files::remove(&self.machine.root.join(handoff::DIR).join(name)) {
                log::warn!("first boot will look unfinished: {e:#}");
            }
        }
    }

    /// Writes the result, made from the one before, if there is anything new.
    fn conclude(&self, new: impl FnOnce(&Outcome) -> Option<Outcome>) -> Result<()> {
        let Some(disk) = self.machine.disk(true)? else {
            self.conclude_in_place(new);
            return Ok(());
        };
        let dir = notes::state_dir(&disk);
        let old = Outcome::read(&dir).ok().flatten();
        if let Some(mut outcome) = new(&old.unwrap_or_else(|| Outcome::of(State::None))) {
            outcome.pristine = Some(disk.booted.id);
            outcome.at = Some(Timestamp::now());
            outcome.write(&dir)?;
        }
        disk.close()
    }
}

fn read_script() -> Result<Script> {
    let path = Path::new(CONFIG).join("script");
    let bytes = files::read(&path)?.context("combustion/script is a link to nothing")?;
    script::parse(&bytes).context("combustion/script")
}

fn remove_config() -> Result<()> {
    copy::remove(Path::new(MEMORY))
}
