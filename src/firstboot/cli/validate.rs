//! `firstboot validate` and `merge`: what a file means, at the desk.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use crate::firstboot::cloud_config::Defaults;
use crate::firstboot::configure::Source;
use crate::firstboot::interpret::{self, alone};
use crate::firstboot::network_config;
use crate::firstboot::problem::{Place, Problem, Problems};
use crate::firstboot::script;
use crate::firstboot::seed::Named;
use crate::firstboot::yaml::{self, Value};
use crate::sys::files::Root;
use crate::sys::tree::Tree;

/// The largest file that is looked at: what is linear in its size is bounded all the same.
const LARGEST: u64 = 64 << 20;

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
        let object = |it: &Problem| {
            json!({
                "file": &*it.place.source, "line": it.place.line, "column": it.place.column,
                "severity": if it.is_error() { "error" } else { "warning" }, "message": it.what,
            })
        };
        let problems: Vec<_> = of_all.iter().flatten().map(object).collect();
        let left_out: usize = of_all.iter().map(Problems::left_out).sum();
        let answer = json!({
            "schema": 1, "valid": is_valid, "problems": problems, "left_out": left_out,
        });
        serde_json::to_writer_pretty(&mut out, &answer)?;
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
        eprintln!("{problem}");
    }
    if let Some(rest) = merged.problems.rest() {
        eprintln!("{rest}");
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
        let at = path.join("combustion/script");
        return Ok(("a configuration for Combustion", combustion(&at)?));
    }
    let is_script = path.file_name().is_some_and(|it| it == "script")
        && path.parent().is_some_and(|dir| dir.ends_with("combustion"));
    if is_script {
        return Ok(("a script of Combustion's", combustion(path)?));
    }
    if path.file_name().is_some_and(|it| it == "network-config" || it == "network_data.json") {
        let named = Named { source: name.into(), bytes: read(path)? };
        return Ok(("a configuration of the network", network_config::read(&named).1));
    }
    let seed = if path.is_dir() {
        match crate::firstboot::seed::given(path) {
            Ok(seed) => seed,
            Err(e) => {
                return Ok((
                    "a seed",
                    Problem::error(&Place::whole(name), format!("{e:#}")).into(),
                ));
            }
        }
    } else {
        alone(name, read(path)?)
    };
    let kind = if path.is_dir() { "a seed for cloud-init" } else { "user-data for cloud-init" };
    Ok((kind, interpret::interpret(&seed, &defaults(root)?, &fetch).problems))
}

fn combustion(path: &Path) -> Result<Problems> {
    let place = Place::whole(path.display().to_string());
    Ok(match script::parse(&read(path)?) {
        Ok(_) => Problems::default(),
        Err(e) => Problem::error(&place, format!("{e:#}")).into(),
    })
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
