//! health-checker: first boot configuration and boot assessment for systems
//! with atomic updates.
//!
//! One way through, in both halves of the program:
//!
//! ```text
//!  command line  /proc  settings  btrfs  systemd  config drive
//!        │  reads only
//!        ▼
//!     facts    what is, with "unknown" as a value of its own, never a default
//!        │  decide(&Facts, &Settings) -> Plan     pure, total, cannot fail
//!        ▼
//!     plan     steps in order, printable: no choice is left
//!        │  execute(plan)                         one arm a step, no decisions
//!        ▼
//!     effects  set-default, record, files, reboot, alert
//! ```
//!
//! Whatever must be known later goes through a typed file: the *record* across
//! boots (`record`), the *hand-off* from the initrd to the booted system
//! (`record::handoff`).
//!
//! The halves, `health` and `firstboot`, never import each other. Only `sys`
//! touches the machine, and only `sys::raw` holds unsafe code.

pub mod boot;
pub mod cli;
pub mod drive;
pub mod firstboot;
pub mod generator;
pub mod health;
pub mod record;
pub mod report;
pub mod settings;
pub mod snapshot;
pub mod sys;
