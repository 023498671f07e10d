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
    certificates(planner, ssh)
}

/// The first file that sets it wins, so a drop-in is enough where the main file reads them.
fn passwords(planner: &mut Planner, allowed: &Placed<bool>) -> Result<()> {
    const KEY: &str = "PasswordAuthentication";
    let (value, place) = (if allowed.value { "yes" } else { "no" }, &allowed.place);
    let Some(main) = main_file(planner)? else {
        let says = "there is no sshd whose passwords ssh_pwauth would allow or refuse";
        planner.warning(place, says);
        return Ok(());
    };
    if includes(&main) {
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
    }
    change(planner, &main, |text| set_option(text, KEY, value))
}

/// sshd shows no certificate that its configuration does not name, and clients that trust the
/// authority alone take the machine for another one.
fn certificates(planner: &mut Planner, ssh: &Ssh) -> Result<()> {
    let names: Vec<_> = ssh.host_keys.iter().map(|(name, ..)| name).collect();
    for name in names.into_iter().filter(|name| name.ends_with("-cert.pub")) {
        let Some(main) = main_file(planner)? else {
            let place = ssh.place.clone().unwrap_or_else(|| Place::whole("ssh_keys"));
            planner.warning(&place, format!("there is no sshd that would show {name}"));
            continue;
        };
        let line = format!("HostCertificate /etc/ssh/{name}");
        change(planner, &main, |text| add_line(text, &line))?;
    }
    Ok(())
}

/// sshd's own file, where there is one: what is in `/etc` takes the place of the distribution's.
fn main_file(planner: &Planner) -> Result<Option<String>> {
    match planner.view.exact_text(MAIN)? {
        Some(text) => Ok(Some(text)),
        None => planner.view.exact_text("/usr/etc/ssh/sshd_config"),
    }
}

/// Changes the drop-in, or the main file where that reads none.
fn change(planner: &mut Planner, main: &str, new: impl Fn(&str) -> String) -> Result<()> {
    if !includes(main) {
        return planner.view.write_text(MAIN, new(main), 0o600);
    }
    let path = format!("{DIRECTORY}/{DROP_IN}");
    let before = planner.view.exact_text(&path)?.unwrap_or_default();
    planner.view.write_text(path, new(&before), 0o600)
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

/// Adds a line for everybody, unless it is there.
fn add_line(text: &str, line: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let general = lines.iter().position(|it| is_option(it, "Match")).unwrap_or(lines.len());
    if !lines[..general].contains(&line) {
        lines.insert(general, line);
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

    fn refused() -> Placed<bool> {
        Placed { value: false, place: at(4) }
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
            configuration.ssh.password_authentication = Some(refused());
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
            configuration.ssh.password_authentication = Some(refused());
            world.configure(&configuration);
            assert_eq!(world.text(path), wanted);
        }
    }

    #[test]
    fn certificates_are_named_where_sshd_looks() {
        let include = "Include /etc/ssh/sshd_config.d/*.conf\n";
        let drop_in = "/etc/ssh/sshd_config.d/50-cloud-init.conf";
        let lines = "HostCertificate /etc/ssh/ssh_host_rsa_key-cert.pub\n\
                     HostCertificate /etc/ssh/ssh_host_ed25519_key-cert.pub\n";
        let mut configuration = Configuration::default();
        configuration.ssh.place = Some(at(5));
        configuration.ssh.host_keys = ["rsa", "ed25519"]
            .map(|it| (format!("ssh_host_{it}_key-cert.pub"), Secret("C".into()), false))
            .into();
        for (files, path, wanted) in [
            (vec![(MAIN, include)], drop_in, lines.to_owned()),
            (vec![(MAIN, include), (drop_in, lines)], drop_in, lines.to_owned()),
            (
                vec![(MAIN, "UseDNS no\nMatch User x\n")],
                MAIN,
                format!("UseDNS no\n{lines}Match User x\n"),
            ),
        ] {
            let world = World::with(&files);
            world.configure(&configuration);
            assert_eq!(world.text(path), wanted);
            assert_eq!(world.text("/etc/ssh/ssh_host_rsa_key-cert.pub"), "C\n");
        }
        let warnings = World::with(&[]).configure(&configuration);
        let says = "user-data:5:1: warning: there is no sshd that would show ssh_host_rsa";
        assert!(warnings[0].starts_with(says), "{warnings:?}");
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
