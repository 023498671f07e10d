//! cloud-config: a mapping, as its parts have been merged, to a [`Configuration`].
//!
//! The rule for what is not supported: a key without which the machine would be another one than
//! was asked for is an error, so nothing is applied; a key that changes nothing on such a
//! machine, or that cloud-init does not know either, is a warning. Nothing is dropped in
//! silence. docs/cloud-config.md has all keys.

mod authorized;
mod ca_certs;
mod commands;
mod doubts;
mod fields;
mod files;
mod host;
mod keys;
mod packages;
mod passwords;
mod random_seed;
pub(super) mod reader;
mod ssh;
mod storage;
#[cfg(test)]
mod tests;
mod top_level;
mod users;
mod vendor;
mod zypper;

use anyhow::Result;
pub use keys::{KEYS, Support};

use super::configuration::{Configuration, Placed};
use super::os_release;
use super::problem::{Place, Problems};
use super::seed::Seed;
use super::yaml::Node;
use crate::sys::tree::Tree;
use reader::Reader;
use top_level::TopLevel;

/// What of the system a configuration's meaning depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// The name of the default user.
    pub user: String,
}

impl Defaults {
    /// Of a system with this os-release(5): the default user is called as cloud images of it
    /// have it, by the first word of `ID`.
    pub fn of(os_release: &str) -> Self {
        let id = os_release::value(os_release, "ID");
        let word = id.split(['-', '_']).next().unwrap_or_default();
        let user = if word.is_empty() { "cloud" } else { word };
        Self { user: user.to_owned() }
    }

    /// Of the system in this tree.
    ///
    /// # Errors
    /// Its os-release cannot be read.
    pub fn of_tree(tree: &Tree) -> Result<Self> {
        Ok(Self::of(&os_release::read(|path| tree.read(path))?))
    }
}

/// Reads it; with the configuration comes all that is wrong.
pub fn read(config: &Node, seed: &Seed, defaults: &Defaults) -> (Configuration, Problems) {
    let mut reader = Reader::default();
    let mut configuration =
        Configuration { instance_id: seed.instance_id.clone(), ..Configuration::default() };
    configuration.random_seed.clone_from(&seed.random_seed);
    let Some(top) = TopLevel::read(&mut reader, config) else {
        return (configuration, reader.problems);
    };
    let context = Context { top, seed, defaults };
    host::read(&mut reader, &context, &mut configuration);
    let default = users::read(&mut reader, &context, &mut configuration);
    passwords::read(&mut reader, &context, default.as_deref(), &mut configuration);
    ssh::read(&mut reader, &context, &mut configuration);
    files::read(&mut reader, &context, &mut configuration);
    storage::read(&mut reader, &context, &mut configuration);
    ca_certs::read(&mut reader, &context, &mut configuration);
    zypper::read(&mut reader, &context, &mut configuration);
    packages::read(&mut reader, &context, &mut configuration);
    random_seed::read(&mut reader, &context, &mut configuration);
    vendor::read(&mut reader, &context, &mut configuration);
    commands::read(&mut reader, &context, &mut configuration);
    doubts::find(&mut reader, &context, &configuration);
    reader.problems.sort();
    (configuration, reader.problems)
}

/// What the readers of single keys look at.
struct Context<'a> {
    top: TopLevel<'a>,
    seed: &'a Seed,
    defaults: &'a Defaults,
}

impl Context<'_> {
    fn get(&self, key: &str) -> Option<&Node> {
        self.top.get(key)
    }

    /// Where it is, for what has no place of its own.
    fn place(&self) -> &Place {
        self.top.place()
    }

    /// What the platform says, with its name as place.
    fn of_platform(&self, value: impl Into<String>) -> Placed<String> {
        let place = Place::whole(format!("meta-data of {}", self.seed.datasource));
        Placed { value: value.into(), place }
    }
}
