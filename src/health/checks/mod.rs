//! The checks. A kind is one file with what it needs of the settings and how it
//! looks at the system, and one line in [`KINDS`]; `run` runs them all.
//!
//! This module and the kinds below it know nothing of settings files: `settings`
//! reads a kind's keys through [`KINDS`], `run` puts both together.

mod boot_time;
mod btrfs_errors;
mod command;
mod context;
mod dbus_name;
mod etc;
mod failed_units;
mod free_memory;
mod free_space;
pub mod greenboot;
mod http;
mod kernel;
mod mount;
mod network;
pub mod plugin;
mod podman;
mod rpmdb;
pub mod run;
mod schedule;
mod security;
mod size;
mod subvolumes;
mod tcp;
mod time_sync;
mod unit;
mod value;
mod writable;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_yaml::{Mapping, Value};

pub use context::Context;

use crate::sys::systemd::units::Unit;

/// Every kind there is. A new one is a line here.
pub const KINDS: &[Kind] = &[
    kind::<boot_time::BootTime>(),
    kind::<btrfs_errors::BtrfsErrors>(),
    kind::<command::Command>(),
    kind::<dbus_name::DbusName>(),
    kind::<etc::Etc>(),
    kind::<failed_units::FailedUnits>(),
    kind::<free_memory::FreeMemory>(),
    kind::<free_space::FreeSpace>(),
    kind::<http::Http>(),
    kind::<kernel::Kernel>(),
    kind::<mount::Mounted>(),
    kind::<network::Network>(),
    kind::<podman::Podman>(),
    kind::<rpmdb::RpmDb>(),
    kind::<security::Guards>(),
    kind::<subvolumes::Subvolumes>(),
    kind::<tcp::Tcp>(),
    kind::<time_sync::TimeSync>(),
    kind::<unit::UnitState>(),
    kind::<writable::Writable>(),
];

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// No answer within its time limit.
    Timeout,
    /// It was not run, and why is in the message.
    Skip,
}

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Outcome {
    /// Its name in the settings, or the plugin's path.
    pub name: String,
    /// `unit`, `command`, `plugin` …
    pub kind: String,
    /// Whether a failure makes the boot unhealthy.
    pub required: bool,
    /// How it ended.
    pub outcome: Ending,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What was seen.
    pub message: String,
    /// What the record shall remember of it if this boot is healthy.
    #[serde(skip)]
    pub observed: BTreeMap<String, String>,
}

impl Outcome {
    /// Whether it makes the boot unhealthy.
    pub fn condemns(&self) -> bool {
        self.required && matches!(self.outcome, Ending::Fail | Ending::Timeout)
    }
}

/// What one look at the system found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it ended.
    pub ending: Ending,
    /// What was seen.
    pub message: String,
    /// Whether what the check is about does not exist here at all. A check that
    /// somebody configured then fails; one that is only built in is skipped.
    pub absent: bool,
    /// What the record shall remember of it if this boot is healthy.
    pub observed: BTreeMap<String, String>,
}

impl Finding {
    fn new(ending: Ending, message: impl Into<String>) -> Self {
        Self { ending, message: message.into(), absent: false, observed: BTreeMap::new() }
    }

    /// It holds.
    pub fn pass(message: impl Into<String>) -> Self {
        Self::new(Ending::Pass, message)
    }

    /// It does not hold.
    pub fn fail(message: impl Into<String>) -> Self {
        Self::new(Ending::Fail, message)
    }

    /// It could not be looked at in time.
    pub fn timeout(message: impl Into<String>) -> Self {
        Self::new(Ending::Timeout, message)
    }

    /// There is nothing to look at, and that is fine.
    pub fn skip(message: impl Into<String>) -> Self {
        Self::new(Ending::Skip, message)
    }

    /// The system lacks what it is about.
    pub fn absent(message: impl Into<String>) -> Self {
        Self { absent: true, ..Self::fail(message) }
    }

    /// Passes if `fine`, fails otherwise.
    pub fn when(fine: bool, message: impl Into<String>) -> Self {
        Self::new(if fine { Ending::Pass } else { Ending::Fail }, message)
    }

    /// With something for the record to remember.
    #[must_use]
    pub fn noting(mut self, what: impl Into<String>, seen: impl Into<String>) -> Self {
        self.observed.insert(what.into(), seen.into());
        self
    }
}

impl From<anyhow::Error> for Finding {
    /// What cannot be found out has not passed.
    fn from(e: anyhow::Error) -> Self {
        Self::fail(format!("{e:#}"))
    }
}

/// A check as it is configured, ready to look at the system.
pub trait Check: Debug + Send + Sync {
    /// Whether a failure condemns the boot where the settings do not say. True
    /// for what a snapshot can break, false for the surroundings.
    fn required(&self) -> bool {
        true
    }

    /// The unit that must have been started before this can pass.
    fn after(&self) -> Option<String> {
        None
    }

    /// Looks, once.
    fn look(&self, context: &Context) -> Finding;

    /// A check that is about the state of a unit says so here: all of them are
    /// then asked for in one round trip, and it is not `look` that is called.
    fn unit(&self) -> Option<&dyn UnitCheck> {
        None
    }
}

/// A check that needs nothing but what systemd says of one unit.
pub trait UnitCheck {
    /// The unit's full name.
    fn name(&self) -> &str;

    /// Judges what systemd says.
    fn judge(&self, unit: &Unit) -> Finding;
}

/// What a kind's type must say so that it can be configured: its fields are the
/// keys that it knows, the one called [`Keyed::KEY`] among them.
trait Keyed: Check + Serialize + DeserializeOwned + 'static {
    /// The key that names the kind.
    const KEY: &'static str;
}

/// A check that was read, and its keys with the defaults filled in.
pub type Parsed = (Arc<dyn Check>, serde_json::Value);

/// A kind of check.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The key that names it in the settings.
    pub key: &'static str,
    parse: fn(Mapping) -> Result<Parsed, String>,
}

const fn kind<T: Keyed>() -> Kind {
    Kind { key: T::KEY, parse: parse::<T> }
}

fn parse<T: Keyed>(keys: Mapping) -> Result<Parsed, String> {
    let said = keys.get(T::KEY).map(short).unwrap_or_default();
    let check: T = serde_yaml::from_value(Value::Mapping(keys))
        .map_err(|e| format!("{}: {said}: {e}", T::KEY))?;
    let shown = serde_json::to_value(&check).map_err(|e| e.to_string())?;
    Ok((Arc::new(check), shown))
}

/// A value in one line, for an error's message.
fn short(value: &Value) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    json.chars().take(80).collect()
}

impl Kind {
    /// Reads a check of this kind from all the keys that are not common ones.
    ///
    /// # Errors
    /// A key that the kind does not know, or a wrong value.
    pub fn parse(&self, keys: Mapping) -> Result<Parsed, String> {
        (self.parse)(keys)
    }
}
