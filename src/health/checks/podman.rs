//! A container of podman runs, and its own health check passes. A quadlet's
//! container is called `systemd-NAME` unless it says otherwise (podman-systemd.unit(5)):
//! both names are tried.

use std::process::Command;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{Check, Context, Finding, Keyed};
use crate::sys::command;

/// `{podman: NAME}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Podman {
    podman: String,
}

/// What `podman inspect` says, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    status: String,
    exit_code: i64,
    /// `Healthcheck` before podman 4.
    #[serde(alias = "Healthcheck")]
    health: Option<Health>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Health {
    status: String,
    failing_streak: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: State,
}

impl Keyed for Podman {
    const KEY: &'static str = "podman";
}

impl Check for Podman {
    fn look(&self, context: &Context) -> Finding {
        let mut last = String::new();
        for name in [self.podman.clone(), format!("systemd-{}", self.podman)] {
            let mut podman = Command::new("podman");
            podman.args(["inspect", "--type", "container", "--format", "json", "--", &name]);
            match command::run(&mut podman, context.timeout) {
                Ok(output) if output.success() => {
                    return parse(&output.stdout).map_or_else(Finding::from, |it| judge(&it));
                }
                Ok(output) => last = format!("{}: {}", output.end, output.last_line()),
                Err(e) => return Finding::fail(format!("cannot run podman: {e}")),
            }
        }
        Finding::fail(format!("podman inspect {}: {last}", self.podman))
    }
}

fn parse(json: &str) -> Result<State> {
    let containers: Vec<Inspected> =
        serde_json::from_str(json).context("podman inspect did not answer as expected")?;
    let first = containers.into_iter().next().context("podman inspect names no container")?;
    Ok(first.state)
}

fn judge(state: &State) -> Finding {
    let health = state.health.as_ref().map(|it| (it.status.as_str(), it.failing_streak));
    match (state.status.as_str(), health) {
        ("running", None | Some(("", _))) => Finding::pass("running, without a health check"),
        ("running", Some(("healthy", _))) => Finding::pass("running, healthy"),
        ("running", Some(("starting", _))) => {
            Finding::fail("running, its health check has not passed yet")
        }
        ("running", Some((health, streak))) => {
            Finding::fail(format!("running, {health}: failed {streak} times in a row"))
        }
        ("exited", _) => Finding::fail(format!("exited with status {}", state.exit_code)),
        (status, _) => Finding::fail(format!("{status}, not running")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_podman_says_of_a_container() {
        for (state, message) in [
            (r#"{"Status":"running","Health":{"Status":"healthy"}}"#, "running, healthy"),
            (r#"{"Status":"running","Health":{"Status":""}}"#, "running, without a health check"),
            (r#"{"Status":"running"}"#, "running, without a health check"),
            (
                r#"{"Status":"running","Healthcheck":{"Status":"unhealthy","FailingStreak":4}}"#,
                "running, unhealthy: failed 4 times in a row",
            ),
            (
                r#"{"Status":"running","Health":{"Status":"starting"}}"#,
                "running, its health check has not passed yet",
            ),
            (r#"{"Status":"exited","ExitCode":3}"#, "exited with status 3"),
            (r#"{"Status":"created"}"#, "created, not running"),
        ] {
            let json = format!(r#"[{{"Id":"x","State":{state},"Name":"web"}}]"#);
            assert_eq!(judge(&parse(&json).unwrap()).message, message);
        }
        assert!(parse("[]").is_err() && parse("oops").is_err());
    }
}
