//! `firstboot plan` and `apply`: what a configuration would change below a root, and the change
//! itself, offline. The same functions as in the initrd, so that what is seen here is what a machine
//! gets.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use crate::firstboot::apply;
use crate::firstboot::chroot::Inside;
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configure::{self, Ready, Source};
use crate::firstboot::datasource::{self, Format, Offer};
use crate::firstboot::machine::{Facts, Machine};
use crate::firstboot::network_word;
use crate::firstboot::plan::show;
use crate::firstboot::seed::{self, Overlay, Seed, Tree};
use crate::sys::files::Root;
use crate::sys::tree;

/// Which configuration, and for which machine.
#[derive(Debug, Args)]
pub struct Given {
    /// A seed's directory, the root of a config drive, or a file of user-data
    #[arg(long, value_name = "PATH", required_unless_present = "facts")]
    source: Option<PathBuf>,
    /// A JSON file that stands in for the machine: cmdline, dmi, drives …; without --source, the
    /// configuration is the one that it would choose
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
}

impl Given {
    fn seed(&self, root: &Root) -> Result<Seed> {
        let Some(facts) = &self.facts else {
            let source = self.source.as_ref().context("--source or --facts is needed")?;
            return seed::given(source);
        };
        let machine = Machine::described(Facts::read(facts)?, root.dir().to_owned());
        if let Some(source) = &self.source {
            let said = with_network(&machine, datasource::names(&machine));
            return network_word::apply(&said, |said| seed::given_with(source, said));
        }
        let (offer, ignored) = datasource::choose(&datasource::in_order(&machine))?;
        for other in ignored {
            eprintln!("not used: {}: {}", other.source, other.reason);
        }
        let offer = offer.context("that machine would find no configuration")?;
        eprintln!("configuration found: {}", offer.source);
        let seed = seed_of(&machine, &offer);
        let source = offer.source.clone();
        offer.close()?;
        seed.context(source)
    }
}

fn seed_of(machine: &Machine, offer: &Offer) -> Result<Seed> {
    let Format::Seed(platform) = offer.format else {
        bail!("it is a script, which only a first boot can run: there is nothing to plan");
    };
    let tree = Tree::directory(&offer.dir, offer.dir.display().to_string());
    let said = with_network(machine, offer.overlay.clone());
    network_word::apply(&said, |said| seed::read(&tree, platform, said))
}

fn with_network(machine: &Machine, mut said: Overlay) -> Overlay {
    network_word::note(&machine.cmdline, &mut said);
    said
}

/// Shows what a seed would change below `root`; exit status 1 if it cannot be
/// applied.
pub(super) fn plan(root: &Root, given: &Given, as_json: bool) -> Result<u8> {
    let tree = tree::Tree::open(root.dir())?;
    let ready = ready(&given.seed(root)?, &tree)?;
    let mut out = io::stdout().lock();
    if as_json {
        let problems: Vec<_> = ready.problems.iter().map(ToString::to_string).collect();
        let answer = json!({
            "schema": 1, "valid": ready.is_applicable(), "problems": problems,
            "left_out": ready.problems.left_out(), "plan": ready.plan.json(),
        });
        serde_json::to_writer_pretty(&mut out, &answer)?;
        writeln!(out)?;
    } else {
        tell(&ready);
        if ready.is_applicable() {
            write!(out, "{}", show(&ready.plan, &tree))?;
        }
    }
    Ok(u8::from(!ready.is_applicable()))
}

/// Changes the tree below `root`.
pub(super) fn apply(root: &Root, given: &Given) -> Result<u8> {
    if root.is_live() {
        bail!(
            "the running system is configured at its first boot alone; for another one name it: \
             --root DIR"
        );
    }
    let tree = tree::Tree::open(root.dir())?;
    let mut ready = ready(&given.seed(root)?, &tree)?;
    tell(&ready);
    if !ready.is_applicable() {
        return Ok(1);
    }
    let net = net();
    ready.plan.fetch(&|url, headers| net.get(url, headers))?;
    for step in &ready.plan.disks {
        eprintln!("disks are left alone, the machine would: {step}");
    }
    let inside = Inside { root: root.dir() };
    apply::apply(&ready.plan, &tree, &|run| inside.run(run))?;
    Ok(0)
}

fn net() -> Source {
    Source::new(vec![Root::new("/")])
}

fn ready(seed: &Seed, tree: &tree::Tree) -> Result<Ready> {
    let (net, defaults) = (net(), Defaults::of_tree(tree)?);
    Ok(configure::ready(seed, &defaults, tree, "", &|url| net.include(url), None))
}

fn tell(ready: &Ready) {
    for problem in &ready.problems {
        eprintln!("{problem}");
    }
    if let Some(rest) = ready.problems.rest() {
        eprintln!("{rest}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files;

    #[test]
    fn a_described_machine_chooses_and_its_names_count() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, text) in [
            ("drive/user-data", "#cloud-config\n"),
            ("drive/meta-data", "instance-id: i-1\n"),
            ("drive/network-config", "version: 2\n"),
            ("script/combustion/script", "#!/bin/sh\n"),
        ] {
            files::replace(&at(name), text.as_bytes(), 0o644).unwrap();
        }
        let root = Root::new(dir.path());
        let seed = |content: &str, source: Option<&str>| {
            let facts = json!({
                "cmdline": "ds=nocloud;i=i-2 network-config=disabled",
                "drives": [{"node": "/dev/sda", "label": "cidata", "type": "vfat", "content": content}],
            });
            files::replace(&at("facts"), facts.to_string().as_bytes(), 0o644).unwrap();
            Given { source: source.map(at), facts: Some(at("facts")) }.seed(&root)
        };
        for source in [None, Some("drive")] {
            let seed = seed("drive", source).unwrap();
            assert_eq!((&*seed.instance_id, seed.network_config), ("i-2", None), "{source:?}");
        }
        let error = format!("{:#}", seed("script", None).unwrap_err());
        assert!(error.contains("/dev/sda") && error.contains("nothing to plan"), "{error}");
    }
}
