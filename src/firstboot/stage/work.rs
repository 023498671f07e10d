//! What makes a configured system of a pristine one, whatever format it is written in.

use std::path::Path;

use anyhow::Result;

use super::seeds::seed_of;
use super::{CONFIG, Found, Stage, read_script};
use crate::firstboot::apply;
use crate::firstboot::chroot::{Inside, World};
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configuration::Disks;
use crate::firstboot::configure::{self, Source};
use crate::firstboot::datasource::Format;
use crate::firstboot::disks;
use crate::firstboot::script::Script;
use crate::firstboot::seed::Seed;
use crate::snapshot::outside::Reach;
use crate::sys::files::Root;
use crate::sys::tree::{Durable, Tree};

/// What is to be done in the system's world.
pub(super) enum Work {
    /// A program is run.
    Script(Script),
    /// A seed is applied.
    Seed(Box<Seed>),
}

impl Work {
    /// What `fetch` has handed on.
    ///
    /// # Errors
    /// It cannot be read, or could not be done.
    pub(super) fn of(found: &Found) -> Result<Self> {
        Ok(match found.format {
            Format::Combustion => Self::Script(read_script()?),
            Format::Seed(_) => Self::Seed(Box::new(seed_of(found)?)),
        })
    }

    /// Does it. `keep` is told before anything is changed, and once, where that will be.
    /// Returns what was made on disks, in words.
    ///
    /// # Errors
    /// It failed, in the middle perhaps.
    pub(super) fn carry_out(&self, world: &World, stage: &Stage, how: &How) -> Result<Vec<String>> {
        let mut made = Vec::new();
        match self {
            Self::Script(script) => {
                (how.keep)(Reach::Anywhere)?;
                world.run(script, Path::new(CONFIG), stage.limit)?;
            }
            Self::Seed(seed) => world.change(|inside| {
                let trusted = vec![stage.machine.root.clone(), Root::new(&stage.machine.sysroot)];
                made = apply_seed(seed, inside, &Source::new(trusted), how)?;
                Ok(())
            })?,
        }
        Ok(made)
    }
}

/// How work is done.
pub(super) struct How<'a> {
    /// Names this time among others (`Later::application`).
    pub(super) application: String,
    /// When what is written is safe.
    pub(super) durable: Durable,
    /// Keeps what will be changed, so that it can be put back.
    pub(super) keep: &'a (dyn Fn(Reach) -> Result<()> + Sync),
}

fn apply_seed(
    seed: &Seed,
    inside: &Inside<'_>,
    net: &Source,
    how: &How<'_>,
) -> Result<Vec<String>> {
    let tree = Tree::open(inside.root)?.durable(how.durable);
    let application = &how.application;
    let defaults = Defaults::of_tree(&tree)?;
    let look = |asked: &Disks| disks::gather(asked, inside, &tree);
    let include = |url: &str| net.include(url);
    let mut ready = configure::ready(seed, &defaults, &tree, application, &include, Some(&look));
    ready.check()?;
    for problem in &ready.problems {
        log::warn!("{problem}");
    }
    ready.plan.fetch(&|url, headers| net.get(url, headers))?;
    (how.keep)(ready.plan.reach(&tree)?)?;
    // Everything has been decided and fetched: what is done to disks stays.
    let made = disks::make(&ready.plan.disks, inside, &tree)?;
    match apply::apply(&ready.plan, &tree, &|run| inside.run(run)) {
        Ok(()) => Ok(made),
        Err(e) => Err(disks::stays(e, &made)),
    }
}
