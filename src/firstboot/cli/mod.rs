//! `health-checker firstboot …`: the commands, and what they print.

mod detect;
mod network;
mod plan;
mod sources;
mod stages;
mod status;
mod validate;

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};

pub use stages::combustion;

use super::later;
use super::machine::{Facts, Machine};
use crate::settings;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::Root;

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
    /// One cloud-config of several, as YAML: the last is the strongest. It is made to be used:
    /// this prints secrets as they are
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

/// Says something beside the answer, on standard error. Where that is closed or full nobody reads
/// it, and what was asked for is done all the same: eprintln! would end the program half-way.
fn say(what: impl Display) {
    let _unheard = writeln!(io::stderr(), "{what}");
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
        FirstbootCommand::Status(format) => status::run(root, format),
        FirstbootCommand::Detect(asked) => detect::run(root, asked),
        FirstbootCommand::Sources(asked) => sources::run(&asked.machine(root)?, asked.json),
        FirstbootCommand::Plan { given, json } => plan::plan(root, given, *json),
        FirstbootCommand::Apply(given) => plan::apply(root, given),
        FirstbootCommand::Validate { files, json } => validate::validate(root, files, *json),
        FirstbootCommand::Network(asked) => network::run(asked),
        FirstbootCommand::Merge { files } => validate::merge(files),
        FirstbootCommand::Stage { stage, sysroot } => stages::run(*stage, root, sysroot),
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
