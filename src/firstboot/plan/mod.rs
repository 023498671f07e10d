//! From a [`Configuration`] to changes of a tree: what each file will be, in full, so that the
//! changes can be shown before they are made, and making them needs no choice any more.
//!
//! ```text
//!  Configuration, tree ── plan ──▶ disks      partitions, file systems, swap
//!  disks                           base       files, directories, links
//!        reads only                runs       programs in the system, such as zypper
//!                                  deferred   files that are to be written after those
//! ```
//!
//! Nothing is changed here; `firstboot::apply` changes, and decides nothing.

mod accounts;
mod ca_certs;
mod change;
pub mod disks;
mod files;
mod host;
mod later;
mod localization;
mod moment;
mod mounts;
mod network;
mod ntp;
mod overlay;
mod packages;
mod random_seed;
mod reach;
mod repositories;
mod run;
mod show;
mod ssh;
#[cfg(test)]
mod tests;
mod text;
mod zypp_conf;

use anyhow::Result;

pub use accounts::{names, shadow};
pub use change::{Change, Content, Get, NewFile};
pub use moment::Moment;
pub use run::{Run, Statuses};
pub use show::show;

use super::configuration::{Configuration, Owner};
use super::problem::{Place, Problem, Problems};
use crate::sys::tree::Tree;
use overlay::Overlay;

/// All that is to be changed, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Before everything: what cannot be undone.
    pub disks: Vec<disks::Step>,
    /// First.
    pub base: Vec<Change>,
    /// Then.
    pub runs: Vec<Run>,
    /// At last.
    pub deferred: Vec<Change>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.disks.is_empty()
            && self.base.is_empty()
            && self.runs.is_empty()
            && self.deferred.is_empty()
    }

    /// Puts what is at addresses into the files and programs that want it, by `get`; what it does
    /// not find, or fails to get, is replaced by the file's fallback. Before anything is changed.
    ///
    /// # Errors
    /// It could not be had, and there is nothing instead.
    pub fn fetch(&mut self, get: Get) -> Result<()> {
        for change in self.base.iter_mut().chain(&mut self.deferred) {
            if let Change::File { path, file } | Change::Append { path, file } = change {
                let named = format!("the source of {}", path.display());
                file.content.fetch(get, &named)?;
            }
        }
        for run in &mut self.runs {
            if let Some(input) = &mut run.input {
                input.fetch(get, &run.reason)?;
            }
        }
        Ok(())
    }
}

/// What is to be done to a tree so that it is as configured, and what is wrong with that. If
/// one of the problems is an error, the plan is not to be applied. Without facts there are no
/// disks: what would be done to them is only named.
pub fn plan(
    configuration: &Configuration,
    tree: &Tree,
    facts: Option<&disks::Facts>,
) -> (Plan, Problems) {
    plan_at(configuration, tree, facts, &Moment::now())
}

/// As [`plan`], at a given time and with given salts.
pub fn plan_at(
    configuration: &Configuration,
    tree: &Tree,
    facts: Option<&disks::Facts>,
    moment: &Moment,
) -> (Plan, Problems) {
    let mut planner = Planner::new(tree, facts, moment);
    let base = planner.base(configuration);
    planner.part("the changes of the system", base);
    let mut plan = Plan {
        disks: std::mem::take(&mut planner.disks),
        runs: std::mem::take(&mut planner.runs),
        ..Plan::default()
    };
    match planner.view.take() {
        Ok(changes) => plan.base = changes,
        Err(e) => planner.part("the changes of the system", Err(e)),
    }
    plan.base.append(&mut planner.passwords);
    plan.deferred = files::deferred(&mut planner, configuration);
    (plan, planner.problems)
}

/// What a plan is made with.
struct Planner<'a> {
    view: Overlay<'a>,
    moment: &'a Moment,
    facts: Option<&'a disks::Facts>,
    disks: Vec<disks::Step>,
    runs: Vec<Run>,
    passwords: Vec<Change>,
    problems: Problems,
    /// Who is there while files are written.
    names: Option<names::Names>,
}

impl<'a> Planner<'a> {
    fn new(tree: &'a Tree, facts: Option<&'a disks::Facts>, moment: &'a Moment) -> Self {
        Self {
            view: Overlay::over(tree),
            moment,
            facts,
            disks: Vec::new(),
            runs: Vec::new(),
            passwords: Vec::new(),
            problems: Problems::default(),
            names: None,
        }
    }

    /// In cloud-init's order: a file that is written early can be changed by what comes later.
    fn base(&mut self, configuration: &Configuration) -> Result<()> {
        let host = &configuration.host;
        // By the system's own fstab, before anything is written to it.
        let swap = disks::plan(self, configuration).unwrap_or_else(|e| {
            self.error(&Place::whole("disks"), format!("{e:#}"));
            None
        });
        files::plan(self, configuration);
        let mounts: Vec<_> = configuration.mounts.iter().cloned().chain(swap).collect();
        let mounts = mounts::plan(self, &mounts);
        self.part("mounts", mounts);
        let network = network::plan(self, configuration.network.as_ref());
        self.part("the network", network);
        let names = host::plan(self, host);
        self.part("the host's names", names);
        let localization = localization::plan(self, host);
        self.part("the time zone, the language and the keyboard", localization);
        let certificates = ca_certs::plan(self, &configuration.ca_certs);
        self.part("ca_certs", certificates);
        let accounts = accounts::plan(self, configuration);
        self.part("users and groups", accounts);
        let ssh = ssh::plan(self, &configuration.ssh);
        self.part("the ssh server", ssh);
        if let Some(ntp) = &host.ntp {
            let ntp = ntp::plan(self, ntp);
            self.part("ntp", ntp);
        }
        let random = random_seed::plan(self, &configuration.random_seed);
        self.part("random_seed", random);
        let packages = packages::plan(self, &configuration.software);
        self.part("packages", packages);
        later::plan(self, configuration)
    }

    /// What failed because of the tree, not of the configuration: nothing can be applied then.
    fn part(&mut self, what: &str, result: Result<()>) {
        if let Err(e) = result {
            self.error(&Place::whole(what), format!("{e:#}"));
        }
    }

    fn error(&mut self, place: &Place, what: impl Into<String>) {
        self.problems.push(Problem::error(place, what));
    }

    fn warning(&mut self, place: &Place, what: impl Into<String>) {
        self.problems.push(Problem::warning(place, what));
    }
}

/// The owner of nearly everything.
fn root() -> Owner {
    Owner { user: "root".to_owned(), group: Some("root".to_owned()) }
}
