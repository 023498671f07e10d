//! The command line: types only.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use log::LevelFilter;

use crate::drive::DriveCommand;
use crate::firstboot::cli::FirstbootCommand;

/// Boot assessment, rollback and first boot configuration.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, disable_help_subcommand = true)]
#[command(after_help = "Exit status: 0 yes or done; 1 the answer is no (unhealthy, invalid, \
    refused); 2 wrong usage; 3 could not be found out.")]
pub struct Cli {
    /// Work on the system below DIR instead of the running one
    #[arg(long, global = true, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub root: PathBuf,
    /// How much to say: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "LEVEL", default_value = "info")]
    pub log_level: LevelFilter,
    /// No colour, also on a terminal
    #[arg(long, global = true)]
    pub no_color: bool,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What is, what happened at this boot, and what a failure would lead to
    Status {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run the checks now; acts on nothing
    Check {
        /// Only these checks
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Run the checks, decide, and act: what the service calls, once a boot
    Assess {
        /// Show the plan and carry out nothing
        #[arg(long, conflicts_with = "act")]
        dry_run: bool,
        /// Act although there is a verdict for this boot already
        #[arg(long)]
        act: bool,
    },
    /// Make the last known good snapshot, or snapshot N, the default
    Rollback {
        /// Its number
        number: Option<u32>,
        /// Show the plan and carry out nothing
        #[arg(long)]
        dry_run: bool,
        /// Reboot into it at once
        #[arg(long)]
        reboot: bool,
    },
    /// Record a snapshot, by default the booted one, as known good
    MarkGood {
        /// Its number
        number: Option<u32>,
    },
    /// Forget that a snapshot, by default the booted one, is known good
    MarkBad {
        /// Its number
        number: Option<u32>,
    },
    /// Note the default snapshot of this start (called by health-checker-start.service)
    #[command(hide = true)]
    Start,
    /// A start ends in order (called when health-checker-unfinished.service stops)
    #[command(hide = true)]
    Ended,
    /// The initrd cannot go on (called by dracut's emergency hooks)
    #[command(hide = true)]
    Emergency {
        /// Where the root would be mounted
        #[arg(long, value_name = "DIR", default_value = "/sysroot")]
        sysroot: PathBuf,
    },
    /// Keep known good snapshots from clean-up (called before snapper's)
    #[command(hide = true)]
    Protect,
    /// The time for a verdict is over (called by health-checker-deadline.service)
    #[command(hide = true)]
    Deadline,
    /// First boot: the configuration from outside
    Firstboot {
        /// What to do
        #[command(subcommand)]
        command: FirstbootCommand,
    },
    /// Config drives
    Drive {
        /// What to do
        #[command(subcommand)]
        command: DriveCommand,
    },
    /// Services are down because the checks failed: the way out
    SafeMode {
        /// What to do
        #[command(subcommand)]
        command: SafeModeCommand,
    },
    /// The settings
    Config {
        /// What to do with them
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

/// What can be done in safe mode.
#[derive(Debug, Subcommand)]
pub enum SafeModeCommand {
    /// Start the services again and take the alerts back
    Leave,
}

/// What can be asked of the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Are they valid? Names file, line and value of what is not
    Check,
    /// The settings in force, with the file that each value came from
    Show {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
}
