//! The ssh server: `sshd_config(5)`, and its host keys.

use std::path::Path;

use anyhow::Result;

use super::text::joined;
use super::{Content, NewFile, Planner, root};
use crate::firstboot::configuration::{Placed, Ssh};
use crate::firstboot::problem::Place;

const DIRECTORY: &str = "/etc/ssh/sshd_config.d";
/// cloud-init's name, which others look for and override.
const DROP_IN: &str = "50-cloud-init.conf";
const MAIN: &str = "/etc/ssh/sshd_config";

pub(super) fn plan(planner: &mut Planner, ssh: &Ssh) -> Result<()> {
    if let Some(allowed) = &ssh.password_authentication {
        passwords(planner, allowed)?;
    }
    if ssh.delete_host_keys {
        delete(planner)?;
    }
    for (name, content, is_secret) in &ssh.host_keys {
        if name.is_empty() || name.contains(['/', '\0']) || name.starts_with('.') {
            let place = ssh.place.clone().unwrap_or_else(|| Place::whole("ssh_keys"));
            planner.error(&place, format!("{name:?} cannot be the name of a host key's file"));
            continue;
        }
        let (mode, secret) = if *is_secret { (0o600, true) } else { (0o644, false) };
        // sshd reads no private key whose last line has no end.
        let content = Content::Bytes(format!("{}\n", content.0.trim_end()).into_bytes());
        let file = NewFile { content, mode, owner: root(), secret };
        planner.view.write(format!("/etc/ssh/{name}"), file)?;
    }
    Ok(())
}

/// The first file that sets it wins, so a drop-in is enough where the main file reads them.
fn passwords(planner: &mut Planner, allowed: &Placed<bool>) -> Result<()> {
    const KEY: &str = "PasswordAuthentication";
    let (value, place) = (if allowed.value { "yes" } else { "no" }, &allowed.place);
    let main = match planner.view.exact_text(MAIN)? {
        Some(text) => Some(text),
        None => planner.view.exact_text("/usr/etc/ssh/sshd_config")?,
    };
    let Some(main) = main else {
        let says = "there is no sshd whose passwords ssh_pwauth would allow or refuse";
        planner.warning(place, says);
        return Ok(());
    };
    if !includes(&main) {
        return planner.view.write_text(MAIN, set_option(&main, KEY, value), 0o600);
    }
    for name in planner.view.list(DIRECTORY)? {
        let path = format!("{DIRECTORY}/{}", name.to_string_lossy());
        let is_conf = Path::new(&name).extension().is_some_and(|it| it == "conf");
        let is_earlier = name.to_string_lossy().as_ref() < DROP_IN && is_conf;
        let text = if is_earlier { planner.view.text(&path)? } else { None };
        if text.is_some_and(|text| text.lines().any(|line| is_option(line, KEY))) {
            let says = format!("{path} sets {KEY} as well, and wins: remove it from there");
            planner.warning(place, says);
        }
    }
    let path = format!("{DIRECTORY}/{DROP_IN}");
    let before = planner.view.exact_text(&path)?.unwrap_or_default();
    planner.view.write_text(path, set_option(&before, KEY, value), 0o600)
}

fn includes(main: &str) -> bool {
    main.lines().any(|line| is_option(line, "Include") && line.contains("/sshd_config.d/"))
}

/// Keywords know no case (`sshd_config(5)`).
fn is_option(line: &str, key: &str) -> bool {
    let word = line.split([' ', '\t', '=']).find(|word| !word.is_empty());
    word.is_some_and(|word| word.eq_ignore_ascii_case(key))
}

/// Sets an option for everybody: what follows a `Match` is for some.
fn set_option(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key} {value}");
    let mut lines: Vec<&str> = text.lines().collect();
    let general = lines.iter().position(|it| is_option(it, "Match")).unwrap_or(lines.len());
    match lines[..general].iter().position(|it| is_option(it, key)) {
        Some(at) => lines[at] = &line,
        None => lines.insert(general, &line),
    }
    joined(&lines)
}

/// Machines made from one image must not have one identity.
fn delete(planner: &mut Planner) -> Result<()> {
    for name in planner.view.list("/etc/ssh")? {
        let name = name.to_string_lossy();
        if name.strip_prefix("ssh_host_").is_some_and(|rest| rest.contains("key")) {
            planner.view.remove(format!("/etc/ssh/{name}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, at, errors};
    use super::*;
    use crate::firstboot::configuration::{Configuration, Secret};

    fn refused() -> Option<Placed<bool>> {
        Some(Placed { value: false, place: at(4) })
    }

    #[test]
    fn what_keeps_passwords_as_they_are_is_said_at_its_place() {
        let include = "Include /etc/ssh/sshd_config.d/*.conf\n";
        let earlier = ("/etc/ssh/sshd_config.d/10-a.conf", "PasswordAuthentication yes\n");
        for (files, says) in [
            (vec![], "there is no sshd"),
            (vec![(MAIN, include), earlier], "/etc/ssh/sshd_config.d/10-a.conf sets"),
        ] {
            let mut configuration = Configuration::default();
            configuration.ssh.password_authentication = refused();
            let warnings = World::with(&files).configure(&configuration);
            let says = format!("user-data:4:1: warning: {says}");
            assert!(warnings.len() == 1 && warnings[0].starts_with(&says), "{warnings:?}");
        }
    }

    #[test]
    fn passwords_are_allowed_where_sshd_looks() {
        let include = "Include /etc/ssh/sshd_config.d/*.conf\n";
        let drop_in = "/etc/ssh/sshd_config.d/50-cloud-init.conf";
        for (files, path, wanted) in [
            (vec![(MAIN, include)], drop_in, "PasswordAuthentication no\n"),
            (
                vec![("/usr/etc/ssh/sshd_config", include), (drop_in, "UseDNS no\n")],
                drop_in,
                "UseDNS no\nPasswordAuthentication no\n",
            ),
            (
                vec![(
                    MAIN,
                    "#PasswordAuthentication yes\nMatch User x\n passwordauthentication yes\n",
                )],
                MAIN,
                "#PasswordAuthentication yes\nPasswordAuthentication no\nMatch User x\n \
              passwordauthentication yes\n",
            ),
            (
                vec![(MAIN, "passwordauthentication yes\nUseDNS no\n")],
                MAIN,
                "PasswordAuthentication no\nUseDNS no\n",
            ),
        ] {
            let world = World::with(&files);
            let mut configuration = Configuration::default();
            configuration.ssh.password_authentication = refused();
            world.configure(&configuration);
            assert_eq!(world.text(path), wanted);
        }
    }

    #[test]
    fn host_keys_are_the_machines_own() {
        let world = World::with(&[("/etc/ssh/ssh_host_rsa_key", "old"), ("/etc/ssh/moduli", "m")]);
        let mut configuration = Configuration::default();
        configuration.ssh.delete_host_keys = true;
        let key = |name: &str, is_secret| (name.to_owned(), Secret("K".into()), is_secret);
        let name = "ssh_host_ed25519_key";
        configuration.ssh.host_keys = vec![key(name, true), key("ssh_host_ed25519_key.pub", false)];
        world.configure(&configuration);
        assert!(!world.path("/etc/ssh/ssh_host_rsa_key").exists());
        assert_eq!(world.text("/etc/ssh/moduli"), "m");
        assert_eq!(world.mode("/etc/ssh/ssh_host_ed25519_key"), 0o600);
        assert_eq!(world.text("/etc/ssh/ssh_host_ed25519_key.pub"), "K\n");
        configuration.ssh.host_keys = vec![key("../../x", false)];
        assert!(errors(&world.plan(&configuration).1)[0].contains("host key's file"));
    }
}
