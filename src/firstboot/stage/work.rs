//! What makes a configured system of a pristine one, whatever format it is written in.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::seeds::seed_of;
use super::{CONFIG, Found, Stage, read_script};
use crate::firstboot::apply;
use crate::firstboot::chroot::{Inside, World};
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configuration::Disks;
use crate::firstboot::configure::{self, Source};
use crate::firstboot::datasource::Format;
use crate::firstboot::disks;
use crate::firstboot::plan::Run;
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
                made = apply_seed(seed, inside, &Source::new(trusted), how, stage.limit)?;
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
    limit: Duration,
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
    if let Some(rest) = ready.problems.rest() {
        log::warn!("{rest}");
    }
    ready.plan.fetch(&|url, headers| net.get(url, headers))?;
    (how.keep)(ready.plan.reach(&tree)?)?;
    // Everything has been decided and fetched: what is done to disks stays.
    let made = disks::make(&ready.plan.disks, inside, &tree)?;
    let deadline = Instant::now() + limit;
    match apply::apply(&ready.plan, &tree, &|run| inside.run(&until(run, deadline)?)) {
        Ok(()) => Ok(made),
        Err(e) => Err(disks::stays(e, &made)),
    }
}

/// The same, ended by then, to the second: each program has its own limit, and all together have
/// the one that a script has.
fn until(run: &Run, deadline: Instant) -> Result<Run> {
    let left = deadline.saturating_duration_since(Instant::now()).as_secs();
    ensure!(left > 0, "no time is left: what came before has taken all of it");
    Ok(Run { limit: run.limit.min(Duration::from_secs(left)), ..run.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firstboot::plan::Statuses;

    #[test]
    fn all_programs_together_have_one_limit() {
        let seconds = Duration::from_secs;
        let run = |limit| Run {
            command: vec!["x".to_owned()],
            input: None,
            limit: seconds(limit),
            statuses: Statuses::Zero,
            reason: "try".to_owned(),
        };
        let now = Instant::now();
        assert_eq!(until(&run(60), now + seconds(3600)).unwrap().limit, seconds(60));
        assert!(until(&run(7200), now + seconds(3600)).unwrap().limit < seconds(3601));
        assert!(until(&run(60), now).unwrap_err().to_string().contains("no time is left"));
    }
}
