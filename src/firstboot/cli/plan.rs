//! `firstboot plan` and `apply`: what a configuration would change below a root, and the change
//! itself, offline. The same functions as in the initrd, so that what is seen here is what a machine
//! gets.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::json;

use crate::firstboot::apply;
use crate::firstboot::chroot::Inside;
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configure::{self, Ready, Source};
use crate::firstboot::plan::show;
use crate::firstboot::seed;
use crate::sys::files::Root;
use crate::sys::tree::Tree;

/// Shows what the seed at `source` would change below `root`; exit status 1 if it cannot be
/// applied.
pub(super) fn plan(root: &Root, source: &Path, as_json: bool) -> Result<u8> {
    let tree = Tree::open(root.dir())?;
    let ready = ready(source, &tree)?;
    let mut out = io::stdout().lock();
    if as_json {
        let problems: Vec<_> = ready.problems.iter().map(ToString::to_string).collect();
        let answer = json!({
            "schema": 1, "valid": ready.is_applicable(), "problems": problems,
            "plan": ready.plan.json(),
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
pub(super) fn apply(root: &Root, source: &Path) -> Result<u8> {
    if root.is_live() {
        bail!(
            "the running system is configured at its first boot alone; for another one name it: \
             --root DIR"
        );
    }
    let tree = Tree::open(root.dir())?;
    let mut ready = ready(source, &tree)?;
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

fn ready(source: &Path, tree: &Tree) -> Result<Ready> {
    let (net, defaults) = (net(), Defaults::of_tree(tree)?);
    let seed = seed::given(source)?;
    Ok(configure::ready(&seed, &defaults, tree, "", &|url| net.include(url), None))
}

fn tell(ready: &Ready) {
    for problem in &ready.problems {
        eprintln!("{problem}");
    }
}
