//! Which checks there are to run, and what they found: those of the settings,
//! the plugins, and what is wrong with the settings themselves.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::command::Call;
use super::greenboot::{self, Script};
use super::plugin::{self, Plugin};
use super::schedule::{Task, side_by_side};
use super::{Context, Finding, Outcome};
use crate::settings::{CheckSettings, Settings, TIMEOUT};
use crate::sys::files::Root;

/// Runs all checks, or those with these names, and returns what they found, by
/// name.
pub fn all(settings: &Settings, root: &Root, names: &[String]) -> Vec<Outcome> {
    let mut tasks: Vec<_> = settings.checks.iter().map(task).collect();
    let mut outcomes = problems(settings);
    match plugin::find(root) {
        Ok(plugins) => {
            for plugin in plugins {
                match &plugin.skipped {
                    None => tasks.push(plugin_task(&plugin)),
                    Some(why) => outcomes.push(skipped(&plugin.path, "plugin", why)),
                }
            }
        }
        Err(e) => outcomes.push(notice("plugins", format!("{e:#}"))),
    }
    match greenboot::find(root) {
        Ok(scripts) => {
            for script in scripts {
                match &script.skipped {
                    None => tasks.push(greenboot_task(&script)),
                    Some(why) => outcomes.push(skipped(&script.path, "greenboot", why)),
                }
            }
        }
        Err(e) => outcomes.push(notice("greenboot", format!("{e:#}"))),
    }
    tasks.retain(|task| names.is_empty() || names.contains(&task.name));
    outcomes.retain(|outcome| names.is_empty() || names.contains(&outcome.name));
    outcomes.extend(side_by_side(tasks, &Context::new(root)));
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    outcomes
}

fn task(check: &CheckSettings) -> Task {
    Task {
        name: check.name.clone(),
        kind: check.kind,
        required: check.required,
        timeout: check.timeout,
        retry_for: check.retry_for,
        built_in: check.file.is_none(),
        check: check.check.clone(),
    }
}

fn plugin_task(plugin: &Plugin) -> Task {
    Task {
        name: plugin.path.to_string_lossy().into_owned(),
        kind: "plugin",
        required: true,
        timeout: TIMEOUT,
        retry_for: Duration::ZERO,
        built_in: false,
        check: Arc::new(Call::new(vec![
            plugin.path.to_string_lossy().into_owned(),
            "check".to_owned(),
        ])),
    }
}

fn greenboot_task(script: &Script) -> Task {
    Task {
        name: script.path.to_string_lossy().into_owned(),
        kind: "greenboot",
        required: script.required,
        timeout: greenboot::TIMEOUT,
        retry_for: Duration::ZERO,
        built_in: false,
        check: Arc::new(Call::new(greenboot::call(&script.path))),
    }
}

fn skipped(path: &Path, kind: &str, why: &str) -> Outcome {
    outcome(&path.to_string_lossy(), kind, Finding::skip(why))
}

/// What is wrong with the settings is shown like a check that failed, and is
/// not required: a typing error must not take a healthy machine back.
fn problems(settings: &Settings) -> Vec<Outcome> {
    settings.problems.iter().map(|problem| notice("settings", problem.clone())).collect()
}

fn notice(name: &'static str, message: String) -> Outcome {
    outcome(name, name, Finding::fail(message))
}

/// Of something that was not run.
fn outcome(name: &str, kind: &str, finding: Finding) -> Outcome {
    Outcome {
        name: name.to_owned(),
        kind: kind.to_owned(),
        required: false,
        outcome: finding.ending,
        duration_ms: 0,
        message: finding.message,
        observed: finding.observed,
    }
}
