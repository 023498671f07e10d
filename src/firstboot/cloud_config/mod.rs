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
mod users;
mod vendor;
mod zypper;

use anyhow::Result;
pub use keys::{KEYS, Support};

use super::configuration::{Configuration, Placed};
use super::os_release;
use super::problem::{Place, Problems, shown};
use super::seed::Seed;
use super::yaml::{Node, Value};
use crate::sys::tree::Tree;
use reader::{Fields, Reader};

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
    let Some(fields) = top_level(&mut reader, config) else {
        return (configuration, reader.problems);
    };
    let context = Context { fields, seed, defaults };
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
    fields: Fields<'a>,
    seed: &'a Seed,
    defaults: &'a Defaults,
}

impl Context<'_> {
    fn get(&self, key: &str) -> Option<&Node> {
        self.fields.get(key)
    }

    /// Where it is, for what has no place of its own.
    fn place(&self) -> &Place {
        self.fields.place()
    }

    /// What the platform says, with its name as place.
    fn of_platform(&self, value: impl Into<String>) -> Placed<String> {
        let place = Place::whole(format!("meta-data of {}", self.seed.datasource));
        Placed { value: value.into(), place }
    }
}

/// Says of each key what becomes of it, if that is not what was asked for.
fn top_level<'a>(reader: &mut Reader, config: &'a Node) -> Option<Fields<'a>> {
    if config.is_null() {
        // An empty one asks for what is done without being asked for.
        return Some(Fields::empty());
    }
    let Value::Map(pairs) = &config.value else {
        let what =
            format!("a cloud-config is a mapping of keys to values, and this is {}", config.kind());
        reader.error(&config.place, what);
        return None;
    };
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    for (key, value) in pairs {
        let written = key.text().unwrap_or_default();
        match KEYS.iter().find(|it| it.name == written).map(|it| &it.support) {
            Some(Support::Full | Support::Part(_)) => {}
            _ if value.is_null() => {}
            Some(Support::Refused(why)) => {
                reader.error(&key.place, format!("{written:?} is not supported: {why}"));
            }
            Some(Support::Ignored(why)) => {
                reader.warn(&key.place, format!("{written:?} is ignored: {why}"));
            }
            None => {
                let hint = reader.did_you_mean(&written, &names);
                let shown = shown(&written);
                let what = format_args!("there is no key {shown:?}, so it is ignored{hint}");
                reader.warn(&key.place, what);
            }
        }
    }
    Some(Fields::of(config))
}
