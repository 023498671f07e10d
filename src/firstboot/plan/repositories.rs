//! zypper's repositories: their files, and the keys whose signatures are trusted.

use std::time::Duration;

use anyhow::Result;

use super::{Content, NewFile, Planner, Run, Statuses, root};
use crate::firstboot::configuration::{Placed, Repository, SigningKey};
use crate::sys::fetch::without_secrets;

const DIRECTORY: &str = "/etc/zypp/repos.d";
const RPM: &str = "/usr/bin/rpm";
const IMPORT: Duration = Duration::from_secs(2 * 60);

/// Whether it is added; one that is there already stays as it is.
pub(super) fn plan(planner: &mut Planner, repository: &Repository) -> Result<bool> {
    let (id, place) = (&repository.id.value, &repository.id.place);
    let path = format!("{DIRECTORY}/{id}.repo");
    if planner.view.exists(&path)? {
        let says = format!("{path} is there already: it is left as it is, as cloud-init does");
        planner.warning(place, says);
        return Ok(false);
    }
    let mut text = format!("[{id}]\n");
    for (key, value) in &repository.settings {
        text.extend([key, "=", value, "\n"]);
    }
    let secret = repository.settings.iter().any(|(_, value)| has_secrets(value));
    // Everybody may ask which repositories there are, but not by which password.
    let mode = if secret { 0o600 } else { 0o644 };
    let content = Content::Bytes(text.into_bytes());
    planner.view.write(path, NewFile { content, mode, owner: root(), secret })?;
    for key in &repository.keys {
        trust(planner, id, key)?;
    }
    Ok(true)
}

/// Whether one of the addresses holds a password.
fn has_secrets(value: &str) -> bool {
    value.split([' ', ',']).any(|it| it.contains("://") && without_secrets(it) != it)
}

/// zypper trusts whom rpm's database does. An address is fetched before anything is changed, by
/// us: rpm's own way has no end in time, and needs curl in the system.
fn trust(planner: &mut Planner, id: &str, key: &Placed<SigningKey>) -> Result<()> {
    if !planner.view.is_file(RPM)? {
        planner.error(&key.place, "there is no rpm in the system that could trust a key");
        return Ok(());
    }
    let (from, input, named) = match &key.value {
        SigningKey::File(path) => {
            if !planner.view.is_file(path)? {
                let says = format!(
                    "gpgkey {path} of the repository {id} is not there: write it by write_files, \
                     or name an address"
                );
                planner.error(&key.place, says);
            }
            (path.clone(), None, path.clone())
        }
        SigningKey::Url(uri) => {
            let (before, headers, fallback) = (Vec::new(), Vec::new(), None);
            let input = Content::Fetched { before, uri: uri.clone(), headers, fallback };
            ("-".to_owned(), Some(input), without_secrets(uri))
        }
    };
    planner.runs.push(Run {
        command: vec![RPM.to_owned(), "--import".to_owned(), from],
        input,
        limit: IMPORT,
        statuses: Statuses::Zero,
        reason: format!("trust the key of the repository {id}, {named}"),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, errors, placed};
    use super::*;
    use crate::firstboot::configuration::{Configuration, Software};

    fn repository(id: &str, settings: &[(&str, &str)], keys: &[SigningKey]) -> Repository {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let place = placed(id).place;
        let keys = keys.iter().map(|it| Placed { value: it.clone(), place: place.clone() });
        Repository {
            id: placed(id),
            address: "http://x".to_owned(),
            settings: settings.collect(),
            keys: keys.collect(),
            enabled: true,
        }
    }

    fn asked(repositories: Vec<Repository>) -> Configuration {
        let software = Software { repositories, ..Software::default() };
        Configuration { software, ..Configuration::default() }
    }

    #[test]
    fn repositories_have_their_files_and_only_named_keys_are_trusted() {
        let world = World::with(&[
            ("/etc/zypp/repos.d/there.repo", "old"),
            (RPM, ""),
            ("/etc/pki/key.asc", ""),
        ]);
        let url = SigningKey::Url("https://me:s3cret@x/key".to_owned());
        let file = SigningKey::File("/etc/pki/key.asc".to_owned());
        let configuration = asked(vec![
            repository("my_repo", &[("baseurl", "http://x/y"), ("enabled", "1")], &[url, file]),
            repository("there", &[("baseurl", "http://x")], &[]),
            repository("secret", &[("baseurl", "https://me:s3cret@x")], &[]),
        ]);
        let (plan, problems) = world.plan(&configuration);
        let said: Vec<_> = plan
            .runs
            .iter()
            .map(|run| format!("{} {}: {}", run.command.join(" "), run.input.is_some(), run.reason))
            .collect();
        assert_eq!(
            said,
            [
                "/usr/bin/rpm --import - true: trust the key of the repository my_repo, https://x/key",
                "/usr/bin/rpm --import /etc/pki/key.asc false: trust the key of the repository \
                 my_repo, /etc/pki/key.asc",
            ]
        );
        assert!(problems[0].what.contains("there.repo is there already"), "{problems:?}");
        let shown = super::super::show(&plan, &world.tree);
        assert!(!shown.contains("s3cret") && shown.contains("secret.repo (0600"), "{shown}");
        world.configure(&asked(configuration.software.repositories[1..].to_vec()));
        assert_eq!(
            world.text("/etc/zypp/repos.d/secret.repo"),
            "[secret]\nbaseurl=https://me:s3cret@x\n"
        );
        assert_eq!(world.text("/etc/zypp/repos.d/there.repo"), "old");
    }

    #[test]
    fn a_key_that_cannot_be_trusted_is_said() {
        let file = SigningKey::File("/none".to_owned());
        for (files, says) in
            [(&[][..], "no rpm"), (&[(RPM, "")], "gpgkey /none of the repository r")]
        {
            let configuration = asked(vec![repository("r", &[], std::slice::from_ref(&file))]);
            let errors = errors(&World::with(files).plan(&configuration).1);
            assert!(errors.len() == 1 && errors[0].contains(says), "{says}: {errors:?}");
        }
    }
}
