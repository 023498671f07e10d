//! The stages that the initrd's units call, one after the other.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::datasource::{self, Fetched};
use super::detect::{self, Answer, Facts};
use super::outcome::{Outcome, State};
use super::script::{self, Script};
use super::{chroot, notes};
use crate::boot;
use crate::record::SnapshotId;
use crate::record::handoff;
use crate::record::store::{self, Store};
use crate::snapshot::discard;
use crate::snapshot::disk::{self, Disk};
use crate::snapshot::etc::Etc;
use crate::snapshot::transaction::{self, Transaction};
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};

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
}

/// The world that the stages work in.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The initrd.
    pub root: Root,
    /// Where the system's root is mounted.
    pub sysroot: PathBuf,
    /// The kernel command line.
    pub cmdline: Cmdline,
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
        self.note_default();
        let disk = Disk::open(&self.sysroot, false)?;
        let facts = self.facts(disk.as_ref())?;
        if let Some(disk) = disk {
            disk.close()?;
        }
        match detect::decide(&facts) {
            Answer::Finished => {}
            Answer::FirstBoot(reason) => {
                log::info!("this is a first boot: {reason}");
                handoff::write(&self.root, PENDING, &Pending { reason })?;
            }
            Answer::AlreadyApplied => {
                log::info!("the first boot's configuration is applied already: going on");
                self.complete()?;
            }
        }
        Ok(())
    }

    /// For the verdict on this start. Where that fails, a unit of the booted
    /// system does it, or says why it cannot.
    fn note_default(&self) {
        if let Err(e) = boot::note_default(&self.root, &self.sysroot) {
            log::info!("the default of this start is noted later: {e:#}");
        }
    }

    fn facts(&self, disk: Option<&Disk>) -> Result<Facts> {
        let Some(disk) = disk else {
            let root = Root::new(&self.sysroot);
            let etc = Etc::of(&disk::fstab_of(&self.sysroot)?)?;
            let layers: Vec<_> = etc.layers().into_iter().map(|layer| root.join(layer)).collect();
            let state = Store::new(&root).read();
            return detect::gather(&layers, &state, &root.join(store::DIR), None, &self.cmdline);
        };
        let layer = |path: PathBuf| disk.place(disk.booted.id.number, &path);
        let layers: Vec<_> = Etc::of(&disk.fstab)?.layers().into_iter().filter_map(layer).collect();
        let (state, booted) = (notes::store(disk).read(), Some(disk.booted.id.uuid));
        detect::gather(&layers, &state, &notes::state_dir(disk), booted, &self.cmdline)
    }

    /// Does what a power cut after set-default left undone.
    fn complete(&self) -> Result<()> {
        let Some(disk) = Disk::open(&self.sysroot, true)? else { return Ok(()) };
        transaction::finish(&disk, disk.booted.id.number)?;
        notes::applied(&disk)?;
        disk.close()
    }

    /// Looks for a configuration, and copies it to where its script will run.
    ///
    /// # Errors
    /// There is one, and it cannot be used.
    pub fn fetch(&self) -> Result<()> {
        self.clean_up()?;
        let config = Path::new(CONFIG);
        for source in datasource::all(&self.root, &self.sysroot, &self.cmdline) {
            if let Some(fetched) = source.fetch(config)? {
                return self.fetched(fetched);
            }
        }
        log::info!("no configuration was found: the system starts as it is");
        self.concluded();
        self.conclude(|old| {
            // One that failed is still to be corrected.
            (old.state != State::Failed).then(|| {
                let reason = "no configuration was found".to_owned();
                Outcome { reason: Some(reason), ..Outcome::of(State::None) }
            })
        })
    }

    fn fetched(&self, Fetched { source, sha256 }: Fetched) -> Result<()> {
        log::info!("configuration found: {source}");
        let found = Found { source, sha256 };
        let checked = read_script().and_then(|script| {
            ensure!(
                !script.network,
                "combustion/script asks for \"network\", which health-checker cannot bring up in \
                 the initrd yet: remove the flag, and do in the booted system what needs it"
            );
            if script.prepare {
                chroot::prepare(&script, Path::new(CONFIG), self.limit)?;
            }
            Ok(())
        });
        checked.with_context(|| found.source.clone())?;
        handoff::write(&self.root, FOUND, &found)
    }

    /// Runs the configuration's script in a new snapshot, and makes that the
    /// default if the script ends with 0.
    ///
    /// # Errors
    /// It failed; the disk is then as it was.
    pub fn apply(&self) -> Result<SnapshotId> {
        let Some(found) = handoff::read::<Found>(&self.root, FOUND)? else {
            bail!("nothing was fetched: firstboot-fetch.service comes first");
        };
        let result = self.apply_found(&found).with_context(|| found.source.clone());
        // Keys and passwords are in it, and /dev is handed on to the system.
        remove_config()?;
        let configured = result?;
        self.concluded();
        Ok(configured)
    }

    fn apply_found(&self, found: &Found) -> Result<SnapshotId> {
        for word in ["subvol=", "subvolid="] {
            ensure!(
                !self.cmdline.value("rootflags").is_some_and(|flags| flags.contains(word)),
                "the kernel command line pins the root by rootflags={word}…: a new snapshot would \
                 not be started"
            );
        }
        let script = read_script()?;
        let disk = Disk::open(&self.sysroot, true)?.with_context(|| {
            format!(
                "{} is not a btrfs snapshot: this version cannot undo a failed script there, so it \
                 runs none",
                self.sysroot.display()
            )
        })?;
        let plan = transaction::plan(&disk, "First boot configuration")?;
        log::info!("snapshot {} is being configured", plan.number);
        let new = Transaction::begin(&disk, plan)?;
        if let Err(e) = chroot::run(&disk, new.plan(), &script, Path::new(CONFIG), self.limit) {
            new.abort().with_context(|| format!("{e:#}; and it cannot be undone"))?;
            return Err(e);
        }
        let pristine = new.plan().base;
        let id = new.commit(|id| notes::write_ahead(&disk, id, pristine, found))?;
        // It is done: nothing that fails from here on may make it look undone.
        if let Err(e) = notes::applied(&disk).and_then(|()| disk.close()) {
            log::warn!("{id} is the default, but: {e:#}");
        }
        Ok(id)
    }

    /// Goes on into the snapshot that was configured.
    ///
    /// # Errors
    /// As [`disk::enter`]. It is the default all the same.
    pub fn enter(&self, configured: &SnapshotId) -> Result<()> {
        disk::enter(&self.sysroot, configured)?;
        self.note_default();
        log::info!("first boot is done: going on into {configured}");
        Ok(())
    }

    /// Notes what failed, and returns whether the start shall go on all the same.
    pub fn failed(&self, error: &anyhow::Error) -> bool {
        let reason = format!("{error:#}");
        let source = handoff::read::<Found>(&self.root, FOUND).ok().flatten().map(|f| f.source);
        let noted = self.conclude(|_| {
            Some(Outcome { source, reason: Some(reason.clone()), ..Outcome::of(State::Failed) })
        });
        if let Err(e) = noted {
            log::warn!("that it failed could not be noted: {e:#}");
        }
        self.concluded();
        if let Err(e) = remove_config() {
            log::warn!("{e:#}");
        }
        let goes_on = self.cmdline.value("firstboot.on-failure") == Some("continue");
        if !goes_on && let Err(e) = handoff::write(&self.root, STOPPED, &reason) {
            log::warn!("what comes next will not know why this start stopped: {e:#}");
        }
        goes_on
    }

    /// Takes the hand-offs away: nothing is pending any more.
    fn concluded(&self) {
        for name in [PENDING, FOUND] {
            if let Err(e) = files::remove(&self.root.join(handoff::DIR).join(name)) {
                log::warn!("first boot will look unfinished: {e:#}");
            }
        }
    }

    /// Deletes what an interrupted first boot left.
    fn clean_up(&self) -> Result<()> {
        let Some(disk) = Disk::open(&self.sysroot, true)? else { return Ok(()) };
        for number in discard::left_over(&disk)? {
            log::info!("deleting snapshot {number}, which an interrupted first boot left");
            discard::discard(&disk, number)?;
        }
        disk.close()
    }

    /// Writes the result, made from the one before, if there is anything new.
    fn conclude(&self, new: impl FnOnce(&Outcome) -> Option<Outcome>) -> Result<()> {
        let Some(disk) = Disk::open(&self.sysroot, true)? else { return Ok(()) };
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
    match fs::remove_dir_all(MEMORY) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {MEMORY}"))
        }
        _ => Ok(()),
    }
}
