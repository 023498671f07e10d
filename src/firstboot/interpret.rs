//! A seed's meaning: user-data and vendor-data taken apart, merged and read, to the one
//! [`Configuration`] that is planned and applied. The same for `validate`, `plan`, `apply` and the
//! initrd: what passes at the desk is what the machine gets.

use std::sync::Arc;

use anyhow::Result;

use super::cloud_config::{self, Defaults};
use super::configuration::{Configuration, FileContent, Script, SigningKey, When};
use super::network_config;
use super::problem::{Place, Problem, Problems};
use super::seed::{Named, Seed};
use super::userdata::{self, Effective, Kind, Layer, Layers, Part, Program};
use super::yaml::Node;
use crate::sys::fetch::{Summed, must_have_sum, without_secrets};

/// What a seed means.
#[derive(Debug)]
pub struct Interpreted {
    /// All of it.
    pub configuration: Configuration,
    /// The cloud-config that all parts come to.
    pub config: Node,
    /// What is wrong, by place. If one is an error, nothing is to be applied.
    pub problems: Problems,
}

impl Interpreted {
    /// Whether nothing is to be applied.
    pub fn is_unusable(&self) -> bool {
        self.problems.have_error()
    }
}

/// Gets what is at an address, within a time and a size.
pub type Fetch<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>>;

/// Interprets it; `fetch` gets what `#include` names.
pub fn interpret(seed: &Seed, defaults: &Defaults, fetch: Fetch<'_>) -> Interpreted {
    let fetch = |url: &str| {
        must_be_known(seed, url)?;
        fetch(url)
    };
    let Effective { config, scripts, boothooks, mut problems } = merged(seed, &fetch);
    let (mut configuration, more) = cloud_config::read(&config, seed, defaults);
    problems.extend(more);
    configuration.later.scripts = named(&scripts, &configuration.vendor_prefix);
    configuration.later.boothooks = named(&boothooks, &[]);
    if let Some(named) = &seed.network_config {
        let (network, more) = network_config::read(named);
        configuration.network = network;
        problems.extend(more);
    }
    for problem in unknown(seed, &configuration) {
        problems.push(problem);
    }
    problems.sort();
    Interpreted { configuration, config, problems }
}

/// Whether what is at an address may be taken: behind a signature nothing unsigned may come in.
/// A sum that is none is refused in any seed.
fn must_be_known(seed: &Seed, url: &str) -> Result<()> {
    if seed.signed { must_have_sum(url) } else { Summed::of(url).map(drop) }
}

/// The addresses of files and keys that [`must_be_known`] refuses, before anything is fetched.
fn unknown(seed: &Seed, configuration: &Configuration) -> Vec<Problem> {
    let files = configuration.files.iter().filter_map(|file| match &file.content {
        FileContent::Fetched { uri, .. } => Some((&file.path.place, uri)),
        FileContent::Bytes(_) => None,
    });
    let keys = configuration.software.repositories.iter().flat_map(|it| &it.keys);
    let keys = keys.filter_map(|key| match &key.value {
        SigningKey::Url(url) => Some((&key.place, url)),
        SigningKey::File(_) => None,
    });
    let refused = |(place, url): (&Place, &String)| {
        let e = must_be_known(seed, url).err()?;
        Some(Problem::error(place, format!("{}: {e:#}", without_secrets(url))))
    };
    files.chain(keys).filter_map(refused).collect()
}

/// All parts, and what is wrong with any.
fn merged(seed: &Seed, fetch: Fetch<'_>) -> Effective {
    let launch_index = seed.meta_data.get("launch-index").and_then(serde_json::Value::as_i64);
    merge(seed.user_data.as_slice(), &seed.vendor_data, launch_index, fetch)
}

/// Merges pieces of user-data, the last the strongest, and those of vendor-data and of
/// vendor-data2.
pub fn merge(
    user: &[Named],
    vendor: &[Vec<Named>; 2],
    launch_index: Option<i64>,
    fetch: Fetch<'_>,
) -> Effective {
    let mut problems = Problems::default();
    let mut parts = |data| {
        let (parts, more) = userdata::parts(data, launch_index, fetch);
        problems.extend(more);
        parts
    };
    let user: Vec<Part> = user.iter().flat_map(&mut parts).collect();
    // By their position the owner's answer finds them: one that is not there has no parts.
    let vendor = vendor.each_ref().map(|it| it.iter().flat_map(&mut parts).collect::<Vec<Part>>());
    let layers = Layers { user: &user, vendor: &vendor, datasource: None, base: None };
    let mut effective = userdata::effective(&layers);
    problems.extend(std::mem::take(&mut effective.problems));
    Effective { problems, ..effective }
}

/// Scripts run in the order of their names: the vendor's first, the user's by the names that
/// they have, and `runcmd` among them, as in cloud-init. The prefix is for those scripts of the
/// vendor's that run once an instance: its `cc_scripts_vendor` runs no others.
fn named(programs: &[Program], vendor_prefix: &[String]) -> Vec<Script> {
    let mut scripts: Vec<Script> = Vec::new();
    for (at, program) in programs.iter().enumerate() {
        let when = match program.part.kind {
            Kind::ScriptPer(when) => when,
            Kind::Boothook => When::Boot,
            _ => When::Instance,
        };
        let mut name = match program.layer {
            Layer::User => program.part.name.clone(),
            Layer::Vendor(_) => format!("00-vendor-{at:03}-{}", program.part.name),
        };
        if name == "runcmd" || scripts.iter().any(|it| it.name == name) {
            name = format!("{name}-{at:03}");
        }
        let prefix = match (program.layer, when) {
            (Layer::Vendor(_), When::Instance) if program.part.kind == Kind::Script => {
                vendor_prefix.to_vec()
            }
            _ => Vec::new(),
        };
        scripts.push(Script { name, when, text: program.part.program(), prefix });
    }
    scripts
}

/// A single file of user-data, as at the desk.
pub fn alone(source: impl Into<Arc<str>>, bytes: Vec<u8>) -> Seed {
    let named = Named { source: source.into(), bytes };
    Seed {
        datasource: "NoCloud".to_owned(),
        instance_id: "nocloud".to_owned(),
        user_data: Some(named),
        ..Seed::default()
    }
}

#[cfg(test)]
mod tests;
