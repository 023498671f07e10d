//! `firstboot plan` and `apply`: what a configuration would change below a root, and the change
//! itself, offline. The same functions as in the initrd, so that what is seen here is what a machine
//! gets.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use nix::errno::Errno;
use serde::Serialize;
use serde_json::Value;

use super::say;
use crate::firstboot::apply;
use crate::firstboot::chroot::Inside;
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configure::{self, Ready, Source};
use crate::firstboot::datasource::{self, Format, Offer};
use crate::firstboot::machine::{Facts, Machine};
use crate::firstboot::network_word;
use crate::firstboot::plan::{Plan, show};
use crate::firstboot::seed::{self, Overlay, Seed, Tree};
use crate::firstboot::stage;
use crate::firstboot::trust::Trust;
use crate::sys::fetch::Unfetched;
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
    fn machine(&self, root: &Root) -> Result<Option<Machine>> {
        let facts = self.facts.as_ref().map(|path| Facts::read(path)).transpose()?;
        Ok(facts.map(|facts| Machine::described(facts, root.dir().to_owned())))
    }

    /// The seed; the inner error says why the configuration has none that could be applied.
    fn seed(&self, root: &Root) -> Result<Result<Seed>> {
        let machine = self.machine(root)?;
        let seed = match (&machine, &self.source) {
            (_, Some(source)) => of_source(machine.as_ref(), source),
            (Some(machine), None) => chosen(machine),
            (None, None) => bail!("--source or --facts is needed"),
        };
        match seed {
            Err(e) if is_unread(&e) => Err(e),
            seed => Ok(seed),
        }
    }
}

/// What is wrong with a configuration is an answer; that it cannot be had is none.
fn is_unread(e: &anyhow::Error) -> bool {
    e.is::<Unfetched>() || e.chain().any(|it| it.is::<io::Error>() || it.is::<Errno>())
}

fn of_source(machine: Option<&Machine>, source: &Path) -> Result<Seed> {
    fs::metadata(source).with_context(|| format!("cannot read {}", source.display()))?;
    let Some(machine) = machine else { return seed::given(source) };
    let said = with_network(machine, datasource::names(machine));
    network_word::apply(&said, |said| seed::given_with(source, said))
}

/// Of what the machine would find, which it would choose.
fn chosen(machine: &Machine) -> Result<Seed> {
    let (offer, ignored) = datasource::choose(&datasource::in_order(machine))?;
    for other in ignored {
        say(format_args!("not used: {}: {}", other.source, other.reason));
    }
    let offer = offer.context("that machine would find no configuration")?;
    say(format_args!("configuration found: {}", offer.source));
    let seed = seed_of(machine, &offer);
    let source = offer.source.clone();
    offer.close()?;
    seed.context(source)
}

fn seed_of(machine: &Machine, offer: &Offer) -> Result<Seed> {
    let Format::Seed(platform) = offer.format else {
        bail!(seed::SCRIPT);
    };
    let said = with_network(machine, offer.overlay.clone());
    let memory = tempfile::tempdir().context("cannot make a directory for the configuration")?;
    // As the machine takes it: what it would refuse then, unsigned perhaps, is not planned here.
    let trust = Trust::of(machine)?;
    stage::take_seed(&offer.dir, platform, &said, &trust, memory.path())?;
    let tree = Tree::directory(&memory.path().join("seed"), offer.dir.display().to_string());
    network_word::apply(&said, |said| seed::read(&tree, platform, said))
}

fn with_network(machine: &Machine, mut said: Overlay) -> Overlay {
    network_word::note(&machine.cmdline, &mut said);
    said
}

/// A plan as JSON; the order of the fields is the order of the keys.
#[derive(Serialize)]
struct Shown {
    schema: u32,
    valid: bool,
    problems: Vec<String>,
    left_out: usize,
    plan: Value,
}

/// Shows what a seed would change below `root`; exit status 1 if it cannot be
/// applied.
pub(super) fn plan(root: &Root, given: &Given, as_json: bool) -> Result<u8> {
    let tree = tree::Tree::open(root.dir())?;
    let mut out = io::stdout().lock();
    let seed = match given.seed(root)? {
        Ok(seed) => seed,
        Err(e) if as_json => {
            let problems = vec![format!("{e:#}")];
            let plan = Plan::default().json();
            write_json(&mut out, &Shown { schema: 1, valid: false, problems, left_out: 0, plan })?;
            return Ok(1);
        }
        Err(e) => return Ok(refused(&e)),
    };
    let ready = ready(&seed, &tree)?;
    if as_json {
        let problems: Vec<_> = ready.problems.iter().map(ToString::to_string).collect();
        let valid = ready.is_applicable();
        let left_out = ready.problems.left_out();
        let shown = Shown { schema: 1, valid, problems, left_out, plan: ready.plan.json() };
        write_json(&mut out, &shown)?;
    } else {
        tell(&ready);
        if ready.is_applicable() {
            write!(out, "{}", show(&ready.plan, &tree))?;
        }
    }
    Ok(u8::from(!ready.is_applicable()))
}

fn write_json(out: &mut impl Write, shown: &Shown) -> Result<()> {
    serde_json::to_writer_pretty(&mut *out, shown)?;
    Ok(writeln!(out)?)
}

/// Says why, and returns the exit status.
fn refused(why: &anyhow::Error) -> u8 {
    log::error!("{why:#}");
    1
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
    let seed = match given.seed(root)? {
        Ok(seed) => seed,
        Err(e) => return Ok(refused(&e)),
    };
    let mut ready = ready(&seed, &tree)?;
    tell(&ready);
    if !ready.is_applicable() {
        return Ok(1);
    }
    let net = net();
    ready.plan.fetch(&|url, headers| net.get(url, headers))?;
    for step in &ready.plan.disks {
        say(format_args!("disks are left alone, the machine would: {step}"));
    }
    let inside = Inside { root: root.dir(), lends: false };
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
        say(problem);
    }
    if let Some(rest) = ready.problems.rest() {
        say(rest);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;
    use serde_json::json;

    use super::*;
    use crate::sys::fetch::Fetcher;
    use crate::sys::files;

    #[test]
    fn what_cannot_be_had_is_no_answer() {
        let fetcher = Fetcher { trusted: Vec::new(), limit: Duration::ZERO, most: 1 };
        let unfetched = fetcher.fetch("http://127.0.0.1:1/").unwrap_err().context("nocloud");
        let unread = files::read(Path::new("/proc/self/mem")).unwrap_err().context("drive");
        for (e, expected) in [(unfetched, true), (unread, true), (anyhow!("meta-data"), false)] {
            assert_eq!(is_unread(&e), expected, "{e:#}");
        }
    }

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
            Given { source: source.map(at), facts: Some(at("facts")) }.seed(&root).unwrap()
        };
        for source in [None, Some("drive")] {
            let seed = seed("drive", source).unwrap();
            assert_eq!((&*seed.instance_id, seed.network_config), ("i-2", None), "{source:?}");
        }
        let error = format!("{:#}", seed("script", None).unwrap_err());
        assert!(error.contains("/dev/sda") && error.contains("nothing to plan"), "{error}");
    }
}
