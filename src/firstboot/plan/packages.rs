//! zypper's repositories, and packages, which zypper itself installs in the system.

use std::time::Duration;

use anyhow::Result;

use super::{Planner, Run};
use crate::firstboot::configuration::{Package, Repository};

const DIRECTORY: &str = "/etc/zypp/repos.d";
const ZYPPER: &str = "/usr/bin/zypper";
/// For the packages of a slow mirror.
const INSTALL: Duration = Duration::from_secs(30 * 60);
const IMPORT: Duration = Duration::from_secs(2 * 60);

pub(super) fn plan(
    planner: &mut Planner,
    repositories: &[Repository],
    packages: &[Package],
) -> Result<()> {
    for repository in repositories {
        write(planner, repository)?;
    }
    let mut command: Vec<String> =
        [ZYPPER, "--non-interactive", "install", "--auto-agree-with-licenses", "--"]
            .map(str::to_owned)
            .into();
    let options = command.len();
    for package in packages {
        let name = match &package.version {
            Some(version) => format!("{}-{version}", package.name.value),
            None => package.name.value.clone(),
        };
        if name.is_empty() || name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let says = format!("{name:?} is no name of a package");
            planner.error(&package.name.place, says);
        } else {
            command.push(name);
        }
    }
    let Some(first) = packages.first().filter(|_| command.len() > options) else { return Ok(()) };
    if !planner.view.is_file(ZYPPER)? {
        let says = "there is no zypper in the system that could install packages";
        planner.error(&first.name.place, says);
        return Ok(());
    }
    let reason = "install packages".to_owned();
    planner.runs.push(Run { command, limit: INSTALL, reason });
    Ok(())
}

fn write(planner: &mut Planner, repository: &Repository) -> Result<()> {
    let (id, place) = (&repository.id.value, &repository.id.place);
    let name = id.replace(' ', "_");
    if name.is_empty()
        || name.starts_with('.')
        || name.contains(['/', '[', ']'])
        || is_broken(&name)
    {
        let says = format!("{id:?} cannot be the name of a repository's file: write letters and -");
        planner.error(place, says);
        return Ok(());
    }
    let path = format!("{DIRECTORY}/{name}.repo");
    if planner.view.exists(&path)? {
        let says = format!("{path} is there already: it is left as it is, as cloud-init does");
        planner.warning(place, says);
        return Ok(());
    }
    let mut text = format!("[{name}]\n");
    let mut keys = Vec::new();
    for (key, value) in &repository.settings {
        if is_broken(key) || is_broken(value) || key.contains('=') {
            let says = format!("{key:?} of the repository {id} is not one line");
            planner.error(place, says);
            return Ok(());
        }
        if key == "gpgkey" {
            keys.extend(value.split([' ', ',']).filter(|it| !it.is_empty()).map(str::to_owned));
        }
        text.extend([key, "=", value, "\n"]);
    }
    for key in ["enabled", "autorefresh"] {
        if !repository.settings.iter().any(|(it, _)| it == key) {
            text.extend([key, "=1\n"]);
        }
    }
    planner.view.write_text(path, text, 0o644)?;
    // Not --gpg-auto-import-keys, which would trust whatever key any repository offers.
    for key in keys {
        if key.starts_with('-') {
            planner.error(place, format!("gpgkey {key:?} of the repository {id} is no address"));
            continue;
        }
        let command = vec!["/usr/bin/rpm".to_owned(), "--import".to_owned(), key];
        let reason = format!("trust the key of the repository {id}");
        planner.runs.push(Run { command, limit: IMPORT, reason });
    }
    Ok(())
}

fn is_broken(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    fn repository(id: &str, settings: &[(&str, &str)]) -> Repository {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Repository { id: placed(id), settings: settings.collect() }
    }

    #[test]
    fn repositories_have_their_files_and_only_named_keys_are_trusted() {
        let world = World::with(&[("/etc/zypp/repos.d/there.repo", "old"), (ZYPPER, "")]);
        let package = |name: &str, version: Option<&str>| Package {
            name: placed(name),
            version: version.map(str::to_owned),
        };
        let configuration = Configuration {
            repositories: vec![
                repository("my repo", &[("baseurl", "http://x/y"), ("gpgkey", "http://x/key")]),
                repository("off", &[("baseurl", "http://x/z"), ("enabled", "0")]),
                repository("there", &[("baseurl", "http://x")]),
            ],
            packages: vec![package("vim", None), package("nano", Some("1.2"))],
            ..Configuration::default()
        };
        let (plan, _) = world.plan(&configuration);
        let commands: Vec<_> = plan.runs.iter().map(|run| run.command.join(" ")).collect();
        assert_eq!(
            commands,
            [
                "/usr/bin/rpm --import http://x/key",
                "/usr/bin/zypper --non-interactive install --auto-agree-with-licenses -- vim nano-1.2",
            ]
        );
        let warnings = world.configure(&configuration);
        assert!(warnings[0].contains("there.repo is there already"), "{warnings:?}");
        assert_eq!(
            world.text("/etc/zypp/repos.d/my_repo.repo"),
            "[my_repo]\nbaseurl=http://x/y\ngpgkey=http://x/key\nenabled=1\nautorefresh=1\n"
        );
        assert_eq!(
            world.text("/etc/zypp/repos.d/off.repo"),
            "[off]\nbaseurl=http://x/z\nenabled=0\nautorefresh=1\n"
        );
        assert_eq!(world.text("/etc/zypp/repos.d/there.repo"), "old");
    }

    #[test]
    fn what_cannot_be_installed_is_said() {
        let package = |name: &str| vec![Package { name: placed(name), version: None }];
        for (repositories, packages, says) in [
            (vec![], package("vim"), "no zypper"),
            (vec![], package("a b"), "no name of a package"),
            (vec![repository("../x", &[])], vec![], "cannot be the name"),
            (vec![repository("x", &[("name", "a\n[b]")])], vec![], "is not one line"),
        ] {
            let world = World::with(&[]);
            let configuration =
                Configuration { repositories, packages, ..Configuration::default() };
            let errors = errors(&world.plan(&configuration).1);
            assert!(errors.len() == 1 && errors[0].contains(says), "{says}: {errors:?}");
        }
    }
}
