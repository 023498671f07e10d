//! What the initrd's units call, and what the console says of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;

use super::StageName;
use crate::firstboot::disks::Made;
use crate::firstboot::machine::Machine;
use crate::firstboot::stage::{Stage, Stays};
use crate::record::SnapshotId;
use crate::settings::{self, Policy};
use crate::sys::cmdline::Cmdline;
use crate::sys::files::Root;

/// Carries a stage out, and returns its exit status.
pub(super) fn run(name: StageName, root: &Root, sysroot: &Path) -> Result<u8> {
    let machine = Machine::new(root.clone(), sysroot.to_owned(), Cmdline::of_this_boot()?);
    let stage = Stage { machine, limit: limit(name, sysroot) };
    run_stage(name, &stage)
}

/// How long a script may run, as the settings of the system to come have it;
/// what is wrong in them is for `config check`, and stops nothing.
fn limit(stage: StageName, sysroot: &Path) -> Duration {
    match stage {
        // Every start calls it, and it runs no script.
        StageName::Detect => Policy::default().firstboot_deadline,
        StageName::Fetch | StageName::Apply => {
            settings::read(&Root::new(sysroot)).policy.firstboot_deadline
        }
    }
}

fn run_stage(name: StageName, stage: &Stage) -> Result<u8> {
    let result = match name {
        StageName::Detect => return stage.detect().map(|()| 0),
        StageName::Fetch => stage.fetch(),
        StageName::Apply => match stage.apply() {
            Ok(Some(configured)) => return Ok(enter(stage, &configured)),
            Ok(None) => Ok(()),
            Err(e) => Err(e),
        },
    };
    Ok(result.map_or_else(|e| failed(stage, &e), |()| 0))
}

fn enter(stage: &Stage, configured: &SnapshotId) -> u8 {
    match stage.enter(configured) {
        Ok(()) => 0,
        Err(e) => {
            log::error!(
                "the configuration is applied, but {configured} cannot be entered in this start: \
                 {e:#}. Restart the machine: the next start enters it"
            );
            1
        }
    }
}

/// What is called `combustion` in the initrd, for ignition-kargs-helper, which puts a script
/// where Combustion would look and calls it; `--prepare` is a unit's matter here. Returns the
/// exit status.
pub fn combustion(argument: Option<&OsStr>) -> u8 {
    if argument == Some(OsStr::new("--prepare")) {
        return 0;
    }
    let run = || -> Result<u8> {
        let sysroot = PathBuf::from("/sysroot");
        let machine = Machine::new(Root::new("/"), sysroot.clone(), Cmdline::of_this_boot()?);
        let stage = Stage { machine, limit: limit(StageName::Apply, &sysroot) };
        Ok(stage.apply_for_helper()?.map_or(0, |id| enter(&stage, &id)))
    };
    run().unwrap_or_else(|e| {
        log::error!("{e:#}");
        1
    })
}

/// The failure on the console, where somebody with the stick in hand looks.
fn failed(stage: &Stage, error: &anyhow::Error) -> u8 {
    log::error!("FIRST BOOT FAILED: {error:#}");
    if stage.failed(error) {
        log::error!(
            "firstboot.on-failure=continue: the system starts without its configuration; the next \
             start is a first boot again"
        );
        return 0;
    }
    let is_changed = error.is::<Stays>() || error.is::<Made>();
    let disk = if is_changed { "" } else { "The disk is as it was before. " };
    log::error!(
        "{disk}Correct the configuration and start again: it will be a first boot again. To start \
         without it: firstboot.on-failure=continue on the kernel command line"
    );
    1
}
