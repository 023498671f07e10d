//! Packages, which zypper itself installs in the system: each of its steps on its own, so that
//! what failed is named.

use std::time::Duration;

use anyhow::Result;

use super::{Planner, Run, Statuses, repositories, zypp_conf};
use crate::firstboot::configuration::{Package, Repository, Software};
use crate::firstboot::os_release;
use crate::sys::fetch::without_secrets;

const ZYPPER: &str = "/usr/bin/zypper";
/// For the lists of one repository or of all of them.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// For the packages of a slow mirror.
const INSTALL: Duration = Duration::from_secs(30 * 60);
const UPGRADE: Duration = Duration::from_secs(60 * 60);
/// What has no releases: an update there is a `dup`, since packages also are replaced and
/// dropped. Others, and all that is based on them, have `update`.
const ROLLING: [&str; 3] = ["opensuse-tumbleweed", "opensuse-microos", "opensuse-slowroll"];

pub(super) fn plan(planner: &mut Planner, software: &Software) -> Result<()> {
    zypp_conf::plan(planner, &software.zypp_conf)?;
    let mut added = Vec::new();
    for repository in &software.repositories {
        if repositories::plan(planner, repository)? && repository.enabled {
            added.push(repository);
        }
    }
    let Some(place) = software.asked_at() else { return Ok(()) };
    if !planner.view.is_file(ZYPPER)? {
        planner.error(place, "there is no zypper in the system that could install packages");
        return Ok(());
    }
    planner.runs.extend(added.into_iter().map(refresh));
    if software.refresh.is_some() {
        let reason = "refresh all repositories".to_owned();
        planner.runs.push(zypper(&["refresh"], &[], REFRESH, reason));
    }
    if software.upgrade.is_some() {
        let upgrade = upgrade(planner)?;
        planner.runs.push(upgrade);
    }
    planner.runs.extend(install(&software.packages));
    Ok(())
}

/// Of one repository: `install` would only warn of it, and then find none of its packages.
fn refresh(repository: &Repository) -> Run {
    let id = &repository.id.value;
    let mut reason =
        format!("refresh the repository {id}, {}", without_secrets(&repository.address));
    if repository.keys.is_empty() {
        reason.push_str(" (no gpgkey is written for it)");
    }
    zypper(&["refresh"], std::slice::from_ref(id), REFRESH, reason)
}

fn upgrade(planner: &Planner) -> Result<Run> {
    let system = os_release::read(|path| planner.view.read(path))?;
    let is_rolling = ROLLING.contains(&os_release::value(&system, "ID"))
        || os_release::value(&system, "ID_LIKE").split(' ').any(|it| it == ROLLING[0]);
    let verb = if is_rolling { "dup" } else { "update" };
    let reason = "bring all packages up to date".to_owned();
    Ok(zypper(&[verb, "--auto-agree-with-licenses"], &[], UPGRADE, reason))
}

fn install(packages: &[Package]) -> Option<Run> {
    let name = |package: &Package| match &package.version {
        Some(version) => format!("{}-{version}", package.name.value),
        None => package.name.value.clone(),
    };
    let names: Vec<String> = packages.iter().map(name).collect();
    let reason = "install packages".to_owned();
    let install = || zypper(&["install", "--auto-agree-with-licenses"], &names, INSTALL, reason);
    (!packages.is_empty()).then(install)
}

/// Never with `--gpg-auto-import-keys`, which would trust whatever key a repository offers: asked
/// for one that it does not know, zypper rejects it.
fn zypper(verb: &[&str], names: &[String], limit: Duration, reason: String) -> Run {
    let mut command = vec![ZYPPER.to_owned(), "--non-interactive".to_owned()];
    command.extend(verb.iter().map(|it| (*it).to_owned()));
    if !names.is_empty() {
        command.push("--".to_owned());
        command.extend_from_slice(names);
    }
    Run { command, input: None, limit, statuses: Statuses::Zypper, reason }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, at, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    fn package(name: &str, version: Option<&str>) -> Package {
        Package { name: placed(name), version: version.map(str::to_owned) }
    }

    fn repository(id: &str, enabled: bool) -> Repository {
        Repository {
            id: placed(id),
            address: "https://me:s3cret@x/y".to_owned(),
            settings: vec![("baseurl".to_owned(), "https://me:s3cret@x/y".to_owned())],
            keys: Vec::new(),
            enabled,
        }
    }

    fn commands(world: &World, software: Software) -> Vec<String> {
        let configuration = Configuration { software, ..Configuration::default() };
        let (plan, problems) = world.plan(&configuration);
        assert_eq!(errors(&problems), [""; 0]);
        assert!(plan.runs.iter().all(|run| !run.reason.contains("s3cret")));
        let begin = "/usr/bin/zypper --non-interactive ";
        let command = |run: &Run| run.command.join(" ").strip_prefix(begin).map(str::to_owned);
        plan.runs.iter().filter_map(command).collect()
    }

    #[test]
    fn each_step_is_a_run_of_its_own() {
        let all = Software {
            repositories: vec![repository("a", true), repository("b", false)],
            refresh: Some(at(1)),
            upgrade: Some(at(2)),
            packages: vec![package("vim", None), package("nano", Some("1.2"))],
            ..Software::default()
        };
        let world = World::with(&[(ZYPPER, ""), ("/etc/os-release", "ID=opensuse-microos\n")]);
        assert_eq!(
            commands(&world, all.clone()),
            [
                "refresh -- a",
                "refresh",
                "dup --auto-agree-with-licenses",
                "install --auto-agree-with-licenses -- vim nano-1.2",
            ]
        );
        let for_later =
            Software { refresh: None, upgrade: None, packages: Vec::new(), ..all.clone() };
        assert_eq!(commands(&world, for_later), [""; 0]);
        let configuration = Configuration { software: all, ..Configuration::default() };
        let (_, problems) = World::with(&[]).plan(&configuration);
        let errors = errors(&problems);
        assert!(errors.len() == 1 && errors[0].contains("no zypper"), "{errors:?}");
    }

    #[test]
    fn a_rolling_system_is_brought_up_to_date_in_its_own_way() {
        for (os_release, verb) in [
            ("ID=\"opensuse-tumbleweed\"", "dup"),
            ("ID=aeon\nID_LIKE=\"suse opensuse opensuse-tumbleweed\"", "dup"),
            ("ID=\"opensuse-leap-micro\"\nID_LIKE=\"suse opensuse\"", "update"),
            ("ID=sles", "update"),
            ("", "update"),
        ] {
            let world = World::with(&[(ZYPPER, ""), ("/usr/lib/os-release", os_release)]);
            let software = Software { upgrade: Some(at(1)), ..Software::default() };
            let expected = format!("{verb} --auto-agree-with-licenses");
            assert_eq!(commands(&world, software), [expected], "{os_release}");
        }
    }
}
