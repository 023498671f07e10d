//! Runs the script in the new snapshot, with everything around it that the
//! booted system would have: its other subvolumes, `/etc`, the API file systems.
//!
//! All of it is mounted in a namespace of its own and gone with it, so nothing
//! can be left mounted that would keep the snapshot from being finished.

mod mounts;
mod programs;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

pub use programs::{Inside, prepare};

use super::resolv::NameServers;
use super::script::Script;
use crate::snapshot::disk::Disk;
use crate::snapshot::etc::Etc;
use crate::snapshot::transaction::Plan;
use crate::sys::mount::in_own_namespace;
use crate::sys::mountinfo::FstabEntry;
use mounts::Step;

const NEW_ROOT: &str = "/run/health-checker/newroot";

/// What a script is to see around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World(Vec<Step>);

impl World {
    /// The system as the snapshot that is being made will have it.
    ///
    /// # Errors
    /// A layer of its `/etc` is on another file system.
    pub fn of_snapshot(disk: &Disk, plan: &Plan) -> Result<Self> {
        let root = disk.snapshots.path(plan.number);
        let layers = match &plan.etc {
            Etc::Overlay(overlay) => Some(mounts::layers(disk, plan.number, overlay)?),
            Etc::Plain | Etc::Nested => None,
        };
        let mount = |entry: &FstabEntry| match disk.subvolume(entry) {
            Some(from) => Step::Bind { from, at: entry.target.clone() },
            None => Step::Other(entry.clone()),
        };
        Ok(Self(mounts::steps(root, layers, &disk.fstab, mount)))
    }

    /// The system itself, as it is mounted at `sysroot`.
    pub fn in_place(sysroot: &Path, fstab: &[FstabEntry]) -> Self {
        Self(mounts::steps(sysroot.to_owned(), None, fstab, |entry| Step::Other(entry.clone())))
    }

    /// Runs the script at `directory/script`, which is its working directory, to its
    /// end or to `limit`. Its standard input is empty; what it prints goes on to
    /// standard error. When it ends, all that it started is killed.
    ///
    /// # Errors
    /// Its world could not be made, its interpreter is not there, or it ended with
    /// anything but 0.
    pub fn run(&self, script: &Script, directory: &Path, limit: Duration) -> Result<()> {
        self.enter(|root| {
            if let Some(interpreter) = &script.interpreter {
                interpreter.check(root).context("combustion/script")?;
            }
            let names = NameServers::lend(root)?;
            let ran = programs::start(root, directory, limit);
            names.take_back();
            ran
        })
    }

    /// Changes the system by `work`, which sees it whole. Only the programs that it runs see the
    /// initrd's name servers: what is written to `/etc/resolv.conf` is to stay.
    ///
    /// # Errors
    /// Its world could not be made, or the work failed.
    pub(super) fn change(&self, work: impl FnOnce(&Inside<'_>) -> Result<()> + Send) -> Result<()> {
        self.enter(|root| work(&Inside { root, lends: true }))
    }

    /// Calls these programs, one after the other, each with its arguments.
    ///
    /// # Errors
    /// The world could not be made; what becomes of a program is only told.
    pub(super) fn call(&self, calls: &[(String, Vec<&str>)], limit: Duration) -> Result<()> {
        self.enter(|root| {
            for (program, arguments) in calls {
                let mut command = programs::inside(root, Path::new("/"));
                command.arg(program).args(arguments);
                if let Err(e) = programs::report(&mut command, program, limit) {
                    log::warn!("{e:#}");
                }
            }
            Ok(())
        })
    }

    fn enter(&self, work: impl FnOnce(&Path) -> Result<()> + Send) -> Result<()> {
        in_own_namespace(|| {
            let root = Path::new(NEW_ROOT);
            let mut others = Vec::new();
            for step in &self.0 {
                others.extend(mounts::execute(step, root)?);
            }
            let result = work(root);
            // Not left to the end of the namespace, which the kernel takes its time for: what
            // comes next may mount the same device, and must find what was written to it.
            for other in others.into_iter().rev() {
                if let Err(e) = other.unmount() {
                    log::warn!("{e:#}");
                }
            }
            result
        })
    }
}
