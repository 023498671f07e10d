//! `firstboot plan` and `apply`: what a configuration would change below a root, and the change
//! itself, offline. The same functions as in the initrd, so that what is seen here is what a machine
//! gets.

use std::io::{self, Write};
use std::path::Path;

use anyhow::{Result, bail};
use serde_json::json;

use super::validate::{defaults, fetch};
use crate::firstboot::apply;
use crate::firstboot::configure::{self, Ready};
use crate::firstboot::plan::{Run, show};
use crate::firstboot::seed;
use crate::sys::files::Root;
use crate::sys::tree::Tree;

/// Shows what the seed at `source` would change below `root`; exit status 1 if it cannot be
/// applied.
pub(super) fn plan(root: &Root, source: &Path, as_json: bool) -> Result<u8> {
    let tree = Tree::open(root.dir())?;
    let ready = ready(root, source, &tree)?;
    let mut out = io::stdout().lock();
    if as_json {
        let mut answer = json!({"schema": 1, "valid": ready.is_applicable()});
        answer["problems"] = ready.problems.iter().map(ToString::to_string).collect();
        answer["plan"] = ready.plan.json();
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
    let mut ready = ready(root, source, &tree)?;
    tell(&ready);
    if !ready.is_applicable() {
        return Ok(1);
    }
    ready.plan.fetch(&configure::get)?;
    let runner = |run: &Run| configure::run_in(root.dir(), run);
    apply::apply(&ready.plan, &tree, &runner)?;
    Ok(0)
}

fn ready(root: &Root, source: &Path, tree: &Tree) -> Result<Ready> {
    Ok(configure::ready(&seed::given(source)?, &defaults(root), tree, &fetch))
}

fn tell(ready: &Ready) {
    for problem in &ready.problems {
        eprintln!("{problem}");
    }
}
