//! A seed's meaning: user-data and vendor-data taken apart, merged and read, to the one
//! [`Configuration`] that is planned and applied. The same for `validate`, `plan`, `apply` and the
//! initrd: what passes at the desk is what the machine gets.

use std::sync::Arc;

use anyhow::Result;

use super::cloud_config::{self, Defaults};
use super::configuration::{Configuration, Script, When};
use super::network_config;
use super::problem::Problems;
use super::seed::{Named, Seed};
use super::userdata::{self, Effective, Kind, Layer, Layers, Part, Program};
use super::yaml::Node;

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
    let Effective { config, scripts, boothooks, mut problems } = merged(seed, fetch);
    let (mut configuration, more) = cloud_config::read(&config, seed, defaults);
    problems.extend(more);
    configuration.later.scripts = named(&scripts, &configuration.vendor_prefix);
    configuration.later.boothooks = named(&boothooks, &[]);
    if let Some(named) = &seed.network_config {
        let (network, more) = network_config::read(named);
        configuration.network = network;
        problems.extend(more);
    }
    problems.sort();
    Interpreted { configuration, config, problems }
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
mod tests {
    use super::*;
    use crate::firstboot::seed::{self, Overlay, Platform, Tree};

    /// Scripts of all kinds, by their MIME types.
    const SCRIPTS: &str = "Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\n\n\
        --b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n\
        --b\nContent-Type: text/x-shellscript-per-boot\n\n#!/bin/sh\n\
        --b\nContent-Type: text/cloud-boothook\n\n#!/bin/sh\n--b--\n";

    /// What its owner wants.
    const ARCHIVE: &str = "#cloud-config-archive\n- |\n  #cloud-config\n  \
        vendor_data: {prefix: [nice, -n, 19]}\n\
        - {type: text/x-shellscript, content: \"#!/bin/sh\"}\n";

    /// What of a vendor is heard, by the keys that are left of the user's and the vendor's.
    #[test]
    fn the_vendor_data_that_is_refused_is_the_one_that_was_named() {
        const LIST: &str = r##"["#cloud-config\nruncmd: [a]", "#cloud-config\nbootcmd: [b]"]"##;
        const TEXT: &str = r##""#cloud-config\ntimezone: UTC""##;
        let (first, second, both) = ("{enabled: false}", "{enabled: true}", "{}");
        for (files, keys, heard) in [
            (vec![("vendor_data2.json", TEXT)], [both, first], ""),
            (vec![("vendor_data2.json", TEXT)], [first, second], "timezone"),
            (vec![("vendor_data.json", LIST)], [first, second], ""),
            (vec![("vendor_data.json", LIST)], [both, first], "runcmd bootcmd"),
            (
                vec![("vendor_data.json", LIST), ("vendor_data2.json", TEXT)],
                [first, both],
                "timezone",
            ),
            (
                vec![("vendor_data.json", LIST), ("vendor_data2.json", TEXT)],
                [both, first],
                "runcmd bootcmd",
            ),
            (vec![("vendor-data", "#cloud-config\ntimezone: UTC")], [first, both], ""),
            (vec![("vendor-data", "#cloud-config\ntimezone: UTC")], [both, first], "timezone"),
        ] {
            let user =
                format!("#cloud-config\nvendor_data: {}\nvendor_data2: {}", keys[0], keys[1]);
            let is_nocloud = files.iter().all(|(name, _)| *name == "vendor-data");
            let (platform, directory) = if is_nocloud {
                (Platform::NoCloud, "")
            } else {
                (Platform::ConfigDrive, "openstack/latest/")
            };
            let own = [
                ("meta-data".to_owned(), Vec::new()),
                ("user-data".to_owned(), user.as_bytes().to_vec()),
                ("openstack/latest/user_data".to_owned(), user.as_bytes().to_vec()),
                ("openstack/latest/meta_data.json".to_owned(), b"{\"uuid\": \"u\"}".to_vec()),
            ];
            let theirs = files
                .iter()
                .map(|(name, text)| (format!("{directory}{name}"), text.as_bytes().to_vec()));
            let tree = Tree::memory(own.into_iter().chain(theirs).collect(), "seed");
            let seed = seed::read(&tree, platform, &Overlay::new()).unwrap();
            let it = interpret(&seed, &Defaults::of(""), &|url| anyhow::bail!("{url}?"));
            assert!(it.problems.is_empty(), "{files:?}: {:?}", it.problems);
            let found = ["runcmd", "bootcmd", "timezone"].into_iter();
            let found: Vec<&str> = found.filter(|key| it.config.get(key).is_some()).collect();
            assert_eq!(found.join(" "), heard, "{files:?} {keys:?}");
        }
    }

    /// Items of a list are parts of one message: a later one takes a key's value whole.
    #[test]
    fn a_list_of_vendor_data_is_merged_as_parts_are() {
        let list =
            r##"["#cloud-config\nntp: {servers: [a]}", "#cloud-config\nntp: {pools: [b]}"]"##;
        let files = [
            ("openstack/latest/meta_data.json", "{\"uuid\": \"u\"}"),
            ("openstack/latest/vendor_data.json", list),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        let tree = Tree::memory(files.into(), "seed");
        let seed = seed::read(&tree, Platform::ConfigDrive, &Overlay::new()).unwrap();
        let it = interpret(&seed, &Defaults::of(""), &|url| anyhow::bail!("{url}?"));
        let ntp = it.config.get("ntp").unwrap();
        assert!(ntp.get("servers").is_none() && ntp.get("pools").is_some(), "{ntp:?}");
    }

    #[test]
    fn a_prefix_is_for_the_vendors_scripts_of_an_instance() {
        let named = |source: &str, text: &str| Named {
            source: source.into(),
            bytes: text.as_bytes().to_vec(),
        };
        let seed = Seed {
            user_data: Some(named("user", ARCHIVE)),
            vendor_data: [vec![named("v1", SCRIPTS)], vec![named("v2", SCRIPTS)]],
            ..Seed::default()
        };
        let it = interpret(&seed, &Defaults::of(""), &|url| anyhow::bail!("{url}?"));
        assert!(it.problems.is_empty(), "{:?}", it.problems);
        let later = it.configuration.later;
        let found: Vec<(bool, When, usize)> = later
            .scripts
            .iter()
            .chain(&later.boothooks)
            .map(|it| (it.name.contains("vendor"), it.when, it.prefix.len()))
            .collect();
        let (vendor, user) = (true, false);
        assert_eq!(
            found,
            [
                (vendor, When::Instance, 3),
                (vendor, When::Boot, 0),
                (vendor, When::Instance, 3),
                (vendor, When::Boot, 0),
                (user, When::Instance, 0),
                (vendor, When::Boot, 0),
                (vendor, When::Boot, 0),
            ]
        );
    }
}
