//! A seed, made ready for a tree: interpreted and planned. The same at the desk and in the initrd.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::cloud_config::Defaults;
use super::configuration::{Configuration, Disks, FileContent, Owner, SigningKey};
use super::interpret::{Fetch, interpret};
use super::plan::disks::Facts;
use super::plan::{Change, Content, NewFile, Plan, plan};
use super::problem::{Place, Problem, Problems};
use super::seed::Seed;
use crate::sys::fetch::{Fetcher, without_secrets};
use crate::sys::files::{MAX_FILE, Root};
use crate::sys::tree::Tree;

/// For all tries of one thing that a configuration names elsewhere.
const LIMIT: Duration = Duration::from_secs(120);
/// For tools that follow: which instance this is, and what the platform says of it.
const INSTANCE: &str = "/etc/health-checker/instance.json";

/// All that there is to know before anything is changed.
#[derive(Debug)]
pub struct Ready {
    /// What would be changed.
    pub plan: Plan,
    /// What is wrong, by place.
    pub problems: Problems,
}

impl Ready {
    /// Whether it may be applied.
    pub fn is_applicable(&self) -> bool {
        !self.problems.have_error()
    }

    /// Goes on with what may be applied.
    ///
    /// # Errors
    /// What is wrong, a line each.
    pub fn check(&self) -> Result<()> {
        refuse(&self.problems)
    }
}

/// Looks at a machine's disks, as far as a configuration asks for it.
pub type Look<'a> = &'a dyn Fn(&Disks) -> Result<Facts>;

/// Interprets a seed, and plans it for a tree; `application` tells this time from others. At the
/// desk there are no disks to `look` at.
pub fn ready(
    seed: &Seed,
    defaults: &Defaults,
    tree: &Tree,
    application: &str,
    fetch: Fetch<'_>,
    look: Option<Look<'_>>,
) -> Ready {
    let mut interpreted = interpret(seed, defaults, fetch);
    application.clone_into(&mut interpreted.configuration.later.application);
    let mut problems = interpreted.problems;
    let disks = &interpreted.configuration.disks;
    let facts = look.filter(|_| !disks.is_empty()).map(|look| look(disks)).transpose();
    let facts = facts.unwrap_or_else(|e| {
        problems.push(Problem::error(&Place::whole("the machine's disks"), format!("{e:#}")));
        None
    });
    let (mut plan, more) = plan(&interpreted.configuration, tree, facts.as_ref());
    plan.base.push(instance(seed));
    problems.extend(more);
    problems.sort();
    Ready { plan, problems }
}

/// What tools that follow want to know. The platform's data may hold secrets: root's alone.
fn instance(seed: &Seed) -> Change {
    let instance = serde_json::json!({
        "schema": 1,
        "datasource": seed.datasource,
        "instance_id": seed.instance_id,
        "local_hostname": seed.local_hostname,
        "public_keys": seed.public_keys,
        "meta_data": seed.meta_data,
    });
    let root = || Owner { user: "root".to_owned(), group: Some("root".to_owned()) };
    let content = Content::Bytes(format!("{instance:#}\n").into_bytes());
    let file = NewFile { content, mode: 0o600, owner: root(), secret: true };
    Change::File { path: Path::new(INSTANCE).to_owned(), file }
}

/// Looks at a seed before there is a network or a tree: whether it cannot be applied without the
/// network, as it includes something, fetches a file, or installs packages.
///
/// # Errors
/// It is wrong, whatever the tree is like. Of one that includes something that is known only
/// when all of it is there.
pub fn needs_network(seed: &Seed, defaults: &Defaults) -> Result<bool> {
    let includes = std::cell::Cell::new(false);
    let interpreted = interpret(seed, defaults, &|_| {
        includes.set(true);
        bail!("not now")
    });
    if includes.get() {
        return Ok(true);
    }
    refuse(&interpreted.problems)?;
    Ok(asks_for_network(&interpreted.configuration))
}

/// Says what is wrong, if something is.
///
/// # Errors
/// The errors among these problems, a line each.
fn refuse(problems: &Problems) -> Result<()> {
    let errors = problems.iter().filter(|it| it.is_error()).map(ToString::to_string);
    let mut errors: Vec<String> = errors.collect();
    let more = problems.errors() - errors.len();
    if more > 0 {
        errors.push(format!("and {more} more"));
    }
    let errors = errors.join("\n");
    ensure!(errors.is_empty(), "nothing is applied:\n{errors}");
    Ok(())
}

fn asks_for_network(configuration: &Configuration) -> bool {
    let is_elsewhere = |content: &FileContent| matches!(content, FileContent::Fetched { uri, .. } if !uri.starts_with("file:"));
    let software = &configuration.software;
    let mut keys = software.repositories.iter().flat_map(|it| &it.keys);
    software.asked_at().is_some()
        || keys.any(|key| matches!(key.value, SigningKey::Url(_)))
        || configuration.files.iter().any(|file| is_elsewhere(&file.content))
}

/// Where a configuration gets what it names elsewhere.
#[derive(Clone, Debug)]
pub struct Source(Fetcher);

impl Source {
    /// Trusting the certificates of the first of these roots that has some.
    pub fn new(trusted: Vec<Root>) -> Self {
        Self(Fetcher { trusted, limit: LIMIT, most: MAX_FILE })
    }

    /// What an `#include` names.
    ///
    /// # Errors
    /// As [`Fetcher::fetch`], or there is no such file.
    pub fn include(&self, url: &str) -> Result<Vec<u8>> {
        let found = self.0.fetch(url)?;
        found.with_context(|| format!("{}: the server has no such file", without_secrets(url)))
    }

    /// The `source` of a file; `None` if there is no such.
    ///
    /// # Errors
    /// As [`Fetcher::fetch`].
    pub fn get(&self, url: &str, headers: &[(String, String)]) -> Result<Option<Vec<u8>>> {
        self.0.fetch_with(url, headers)
    }
}
