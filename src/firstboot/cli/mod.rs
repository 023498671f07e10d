//! `health-checker firstboot …`: the commands, and what they print.

mod network;
mod plan;
mod sources;
mod validate;

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::detect::{self, Answer};
use super::disks::Made;
use super::later::{self, Report, Stand};
use super::machine::{Facts, Machine};
use super::outcome::{Outcome, State};
use super::stage::{self, Stage, Stays};
use crate::record::store::{self, Store};
use crate::record::{SnapshotId, handoff};
use crate::settings::{self, Policy};
use crate::snapshot::disk;
use crate::snapshot::etc::Etc;
use crate::sys::btrfs;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::Root;

/// Where there are no snapshots.
const IN_PLACE: &str = "the system has no snapshots: what the script did cannot be undone";

/// What can be asked of first boot.
#[derive(Debug, Subcommand)]
pub enum FirstbootCommand {
    /// What first boot did
    Status(Format),
    /// Would the next start be a first boot? Exit status 0 if so, else 1
    Detect(Asked),
    /// Where a configuration may come from, in order, and what is there now
    Sources(Asked),
    /// Is a configuration valid? Problems as file, line and column; exit status 1 for an error
    Validate {
        /// User-data of any type, a seed's or a drive's directory, or combustion/script
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// One cloud-config of several, as YAML: the last is the strongest
    Merge {
        /// User-data
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// What a configuration would change in the system (below --root), as a diff; no secrets
    Plan {
        /// Which
        #[command(flatten)]
        given: plan::Given,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Apply a configuration to a directory tree, below --root
    Apply(plan::Given),
    /// The files that a network configuration comes to, below a directory; problems as file, line
    /// and column
    Network(network::Asked),
    /// What the initrd's units call
    #[command(hide = true)]
    Stage {
        /// Which one
        stage: StageName,
        /// Where the system's root is mounted
        #[arg(long, default_value = "/sysroot")]
        sysroot: PathBuf,
    },
    /// Boothooks and bootcmd (called by health-checker-boot.service)
    #[command(hide = true)]
    BootStage,
    /// Scripts and what follows them (called by health-checker-final.service)
    #[command(hide = true)]
    FinalStage,
    /// What becomes of the machine in the end (called by health-checker-power.service)
    #[command(hide = true)]
    PowerStage,
}

/// How to print it.
#[derive(Debug, Args)]
pub struct Format {
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// About which machine, and how to print it.
#[derive(Debug, Args)]
pub struct Asked {
    /// As one JSON object
    #[arg(long)]
    json: bool,
    /// A JSON file that stands in for the machine: cmdline, dmi, drives, virtualization …
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
}

impl Asked {
    fn machine(&self, root: &Root) -> Result<Machine> {
        if let Some(path) = &self.facts {
            return Ok(Machine::described(Facts::read(path)?, root.dir().to_owned()));
        }
        let cmdline = if root.is_live() { Cmdline::of_this_boot()? } else { Cmdline::default() };
        Ok(Machine::new(root.clone(), root.dir().to_owned(), cmdline))
    }
}

/// A stage.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum StageName {
    /// Is this a first boot?
    Detect,
    /// Find the configuration
    Fetch,
    /// Apply it
    Apply,
}

/// Carries a command out, and returns its exit status.
///
/// # Errors
/// It could not be found out.
pub fn run(command: &FirstbootCommand, root: &Root) -> Result<u8> {
    match command {
        FirstbootCommand::Status(format) => status(root, format),
        FirstbootCommand::Detect(asked) => would_be(root, asked),
        FirstbootCommand::Sources(asked) => sources::run(&asked.machine(root)?, asked.json),
        FirstbootCommand::Plan { given, json } => plan::plan(root, given, *json),
        FirstbootCommand::Apply(given) => plan::apply(root, given),
        FirstbootCommand::Validate { files, json } => validate::validate(root, files, *json),
        FirstbootCommand::Network(asked) => network::run(asked),
        FirstbootCommand::Merge { files } => validate::merge(files),
        FirstbootCommand::Stage { stage, sysroot } => {
            let cmdline = Cmdline::of_this_boot()?;
            let machine = Machine::new(root.clone(), sysroot.clone(), cmdline);
            let stage_of = Stage { machine, limit: limit(*stage, sysroot) };
            run_stage(*stage, &stage_of)
        }
        FirstbootCommand::BootStage => {
            let policy = settings::read(root).policy;
            // Nothing else of the system starts before it: what hangs in it must not use up the
            // time that the boot has for its verdict.
            let limit = policy.firstboot_deadline.min(policy.deadline / 2);
            later::boot_stage(root, limit).map(|well| u8::from(!well))
        }
        FirstbootCommand::FinalStage => {
            let limit = settings::read(root).policy.firstboot_deadline;
            later::final_stage(root, limit).map(|well| u8::from(!well))
        }
        FirstbootCommand::PowerStage => later::power_stage(root).map(|()| 0),
    }
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

fn status(root: &Root, format: &Format) -> Result<u8> {
    let mut outcome =
        Outcome::read(&root.join(store::DIR))?.unwrap_or_else(|| Outcome::of(State::None));
    if let Some(pending) = handoff::read::<stage::Pending>(root, stage::PENDING)? {
        outcome = Outcome { reason: Some(pending.reason), ..Outcome::of(State::Pending) };
    }
    let mut out = io::stdout().lock();
    if format.json {
        serde_json::to_writer_pretty(&mut out, &outcome)?;
        writeln!(out)?;
        return Ok(0);
    }
    let state = match outcome.state {
        State::None => "no configuration was applied",
        State::Pending => "under way",
        State::Applied => "configuration applied",
        State::Failed => "the configuration FAILED",
    };
    writeln!(out, "First boot: {state}")?;
    let lines = [
        ("source", outcome.source),
        ("instance", outcome.instance_id),
        ("signed by", outcome.signed_by),
        ("reason", outcome.reason),
        ("in place", outcome.in_place.then(|| IN_PLACE.to_owned())),
        ("snapshot", outcome.snapshot.map(|id| id.number.to_string())),
        ("made from", outcome.pristine.map(|id| format!("snapshot {}", id.number))),
        ("SHA-256", outcome.sha256),
        ("at", outcome.at.map(|at| at.to_string())),
    ];
    for (name, value) in lines {
        if let Some(value) = value {
            writeln!(out, "{name:>12}: {value}")?;
        }
    }
    for made in outcome.disks {
        writeln!(out, "{:>12}: {made}", "on disks")?;
    }
    for other in outcome.ignored {
        writeln!(out, "{:>12}: {}: {}", "not used", other.source, other.reason)?;
    }
    if let Some(report) = outcome.later {
        write_later(&mut out, &report)?;
    }
    Ok(0)
}

/// What came of it in the started system.
fn write_later(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let state = match report.state {
        Stand::Running => "under way".to_owned(),
        Stand::Done => "done".to_owned(),
        Stand::Failed => format!("{} FAILED", report.failed.len()),
    };
    writeln!(out, "{:>12}: {state}, of instance {}", "scripts", report.instance_id)?;
    for failure in &report.failed {
        writeln!(out, "{:>12}: {}: {}", "failed", failure.name, failure.reason)?;
    }
    Ok(())
}

fn would_be(root: &Root, asked: &Asked) -> Result<u8> {
    // In the running system the layers of /etc are mounted over each other.
    let etc = if root.is_live() { Etc::Plain } else { Etc::of(&disk::fstab_of(root.dir())?)? };
    let layers: Vec<PathBuf> = etc.layers().iter().map(|layer| root.join(layer)).collect();
    let machine = asked.machine(root)?;
    let on_btrfs = btrfs::is_btrfs(root.dir())?;
    let snapshot = on_btrfs.then(|| btrfs::info(root.dir())).transpose()?.map(|info| info.uuid);
    let state = Store::new(root).read();
    let facts = detect::gather(&layers, &state, &root.join(store::DIR), snapshot, &machine)?;
    let (first_boot, reason) = match detect::decide(&facts) {
        Answer::FirstBoot(reason) => (true, reason),
        Answer::AlreadyApplied => (false, "its configuration is applied already".to_owned()),
        Answer::Finished => (false, "the system has been started before".to_owned()),
    };
    let mut out = io::stdout().lock();
    if asked.json {
        let answer = json!({"schema": 1, "first_boot": first_boot, "reason": reason});
        serde_json::to_writer_pretty(&mut out, &answer)?;
        writeln!(out)?;
    } else {
        let answer = if first_boot { "a first boot" } else { "not a first boot" };
        writeln!(out, "{answer}: {reason}")?;
    }
    Ok(u8::from(!first_boot))
}
