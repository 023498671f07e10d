//! `firstboot validate` and `merge`: what a file means, at the desk.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use super::say;
use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configure::Source;
use crate::firstboot::datasource;
use crate::firstboot::interpret::{self, alone};
use crate::firstboot::network_config;
use crate::firstboot::problem::{Place, Problem, Problems};
use crate::firstboot::script;
use crate::firstboot::seed::{self, Named};
use crate::firstboot::userdata::Kind;
use crate::firstboot::yaml::{self, Value};
use crate::sys::files::{MAX_FILE, Root};
use crate::sys::tree::Tree;

/// The largest file that is looked at: what is linear in its size is bounded all the same. More
/// than a machine reads, so that there are words for why it does not.
const LARGEST: u64 = 64 << 20;

/// What is wrong as JSON; the order of the fields is the order of the keys.
#[derive(Serialize)]
struct Shown<'a> {
    schema: u32,
    valid: bool,
    problems: Vec<Found<'a>>,
    /// How many more there are.
    left_out: usize,
}

#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    line: u32,
    column: u32,
    severity: &'static str,
    message: &'a str,
}

impl<'a> From<&'a Problem> for Found<'a> {
    fn from(problem: &'a Problem) -> Self {
        let Problem { place, what, .. } = problem;
        let severity = if problem.is_error() { "error" } else { "warning" };
        let (line, column) = (place.line, place.column);
        Self { file: &place.source, line, column, severity, message: what }
    }
}

/// Says what is wrong with each; exit status 1 if any of it keeps a file from being applied.
pub(super) fn validate(root: &Root, paths: &[PathBuf], as_json: bool) -> Result<u8> {
    let mut out = io::stdout().lock();
    let mut of_all = Vec::new();
    for path in paths {
        let (kind, found) = look(root, path)?;
        if !as_json {
            for problem in &found {
                writeln!(out, "{problem}")?;
            }
            if let Some(rest) = found.rest() {
                writeln!(out, "{}: {rest}", path.display())?;
            }
            let (errors, warnings) = (found.errors(), found.warnings());
            let verdict = if errors == 0 { "can be applied" } else { "cannot be applied" };
            writeln!(
                out,
                "{}: {kind}: {verdict} ({errors} errors, {warnings} warnings)",
                path.display()
            )?;
        }
        of_all.push(found);
    }
    let is_valid = !of_all.iter().any(Problems::have_error);
    if as_json {
        let problems = of_all.iter().flatten().map(Found::from).collect();
        let left_out = of_all.iter().map(Problems::left_out).sum();
        let shown = Shown { schema: 1, valid: is_valid, problems, left_out };
        serde_json::to_writer_pretty(&mut out, &shown)?;
        writeln!(out)?;
    }
    Ok(u8::from(!is_valid))
}

/// Prints the effective cloud-config of files, the last the strongest; exit status 1 if there
/// is an error in them.
pub(super) fn merge(paths: &[PathBuf]) -> Result<u8> {
    let named = |path: &PathBuf| -> Result<Named> {
        Ok(Named { source: path.display().to_string().into(), bytes: read(path)? })
    };
    let files = paths.iter().map(named).collect::<Result<Vec<_>>>()?;
    let merged = interpret::merge(&files, &Default::default(), None, &fetch);
    for problem in &merged.problems {
        say(problem);
    }
    if let Some(rest) = merged.problems.rest() {
        say(rest);
    }
    let mut out = io::stdout().lock();
    writeln!(out, "#cloud-config")?;
    if merged.config.value != Value::Map(Vec::new()) {
        write!(out, "{}", yaml::emit(&merged.config))?;
    }
    Ok(u8::from(merged.problems.have_error()))
}

/// What it is, and what is wrong with it.
fn look(root: &Root, path: &Path) -> Result<(&'static str, Problems)> {
    let name = path.display().to_string();
    if path.is_dir() && path.join("combustion").exists() {
        let problems = match datasource::is_whole(path) {
            Ok(()) => combustion(&path.join("combustion/script"))?,
            Err(e) => error(name, &e).into(),
        };
        return Ok(("a configuration for Combustion", problems));
    }
    if path.file_name().is_some_and(|it| it == "script") && is_in_combustion(path) {
        return Ok(("a script of Combustion's", combustion(path)?));
    }
    if path.is_dir() {
        let seed = match seed::given(path) {
            Ok(seed) => seed,
            Err(e) => return Ok(("a seed", error(name, &e).into())),
        };
        let problems = interpret::interpret(&seed, &defaults(root)?, &fetch).problems;
        return Ok(("a seed for cloud-init", problems));
    }
    file(root, path)
}

/// A file that is not told by its place: a network's configuration, or else user-data.
fn file(root: &Root, path: &Path) -> Result<(&'static str, Problems)> {
    let named = Named { source: path.display().to_string().into(), bytes: read(path)? };
    let mut problems = too_large(&named);
    let is_network =
        path.file_name().is_some_and(|it| it == "network-config" || it == "network_data.json")
            || Kind::of(&named.bytes).is_none() && network_config::is_one(&named);
    if is_network {
        problems.extend(network_config::read(&named).1);
        return Ok(("a configuration of the network", problems));
    }
    let seed = alone(named.source.to_string(), named.bytes);
    problems.extend(interpret::interpret(&seed, &defaults(root)?, &fetch).problems);
    Ok(("user-data for cloud-init", problems))
}

/// Whether its directory is called `combustion`, also where it is named from within it.
fn is_in_combustion(path: &Path) -> bool {
    let here = Path::new(".");
    let parent = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(here);
    parent.ends_with("combustion")
        || fs::canonicalize(parent).is_ok_and(|whole| whole.ends_with("combustion"))
}

fn combustion(path: &Path) -> Result<Problems> {
    let name = path.display().to_string();
    let named = Named { source: name.clone().into(), bytes: read(path)? };
    let mut problems = too_large(&named);
    if let Err(e) = script::parse(&named.bytes) {
        problems.push(error(name, &e));
    }
    Ok(problems)
}

fn error(name: String, e: &anyhow::Error) -> Problem {
    Problem::error(&Place::whole(name), format!("{e:#}"))
}

/// What is read at the desk, and by no machine: its first boot would stop at the size.
fn too_large(named: &Named) -> Problems {
    if named.bytes.len() as u64 <= MAX_FILE {
        return Problems::default();
    }
    let what = format!(
        "it is larger than {} MiB, and no machine reads it: let it fetch what is large, by \
         #include or the source of a file",
        MAX_FILE >> 20
    );
    Problem::error(&Place::whole(named.source.clone()), what).into()
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let name = path.display();
    let size = fs::metadata(path).with_context(|| format!("cannot read {name}"))?.len();
    anyhow::ensure!(size <= LARGEST, "{name} is larger than {} MiB", LARGEST >> 20);
    fs::read(path).with_context(|| format!("cannot read {name}"))
}

/// Of the system below `root`.
fn defaults(root: &Root) -> Result<Defaults> {
    Defaults::of_tree(&Tree::open(root.dir())?)
}

/// What `#include` names.
fn fetch(url: &str) -> Result<Vec<u8>> {
    Source::new(vec![Root::new("/")]).include(url)
}
