//! `firstboot network`: the files that a configuration of the network comes to, at the desk. For
//! whoever makes images or seeds, and wants to see them, or to put them into one.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::{say, validate};
use crate::firstboot::configuration::Mac;
use crate::firstboot::network_config;
use crate::firstboot::network_files::{self, Renderer};
use crate::firstboot::problem::Problem;
use crate::firstboot::seed::Named;
use crate::sys::files;

/// From what, for what, and where to.
#[derive(Debug, Args)]
pub struct Asked {
    /// A configuration of cloud-init's, version 1 or 2, or a config drive's in JSON: told by
    /// what is in it
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The MAC address of an interface of the machine's: what is found by its address is then
    /// found by its name as well, and the other way round
    #[arg(long, value_name = "NAME=ADDRESS", num_args = 1.., value_parser = interface)]
    mac: Vec<(String, Mac)>,
    /// What configures the network there
    #[arg(long, value_enum)]
    renderer: Renderer,
    /// The files' paths begin below it, as DIR/etc/NetworkManager/…; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

/// `eth0=52:54:00:12:34:56`.
fn interface(text: &str) -> Result<(String, Mac), String> {
    let (name, mac) =
        text.split_once('=').ok_or("write NAME=ADDRESS, as eth0=52:54:00:12:34:56")?;
    if !network_config::is_interface(name) {
        return Err(format!("{name:?} is no interface's name"));
    }
    Ok((name.to_owned(), mac.parse()?))
}

/// Writes them, and prints their paths; exit status 1 if the configuration cannot be used.
pub(super) fn run(asked: &Asked) -> Result<u8> {
    let source = asked.from.display().to_string().into();
    let named = Named { source, bytes: validate::read(&asked.from)? };
    let (network, mut problems) = network_config::read(&named);
    let mut written = Vec::new();
    if let Some(mut network) = network {
        network.learn(&asked.mac);
        let (files, more) = network_files::render(&network, asked.renderer);
        problems.extend(more);
        written = files;
    }
    for problem in &problems {
        say(problem);
    }
    if problems.iter().any(Problem::is_error) {
        return Ok(1);
    }
    let mut paths = Vec::new();
    for file in &written {
        let path = asked.output.join(file.path.trim_start_matches('/'));
        files::replace(&path, file.text.as_bytes(), file.mode)?;
        paths.push(path);
    }
    // Not before all of them are there: whoever reads only the first line wants the others, too.
    let mut out = io::stdout().lock();
    for path in paths {
        writeln!(out, "{}", path.display())?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn asked(dir: &std::path::Path, text: &str, renderer: Renderer) -> Asked {
        let from = dir.join("network");
        files::replace(&from, text.as_bytes(), 0o644).unwrap();
        let mac = vec![interface("eth7=52:54:00:00:00:01").unwrap()];
        Asked { from, mac, renderer, output: dir.join("out") }
    }

    #[test]
    fn files_are_written_or_the_configuration_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let text = r#"{"links": [{"id": "tap1", "type": "phy", "ethernet_mac_address": "52:54:00:00:00:01"}],
            "networks": [{"type": "ipv4_dhcp", "link": "tap1"}]}"#;
        for (renderer, path, mode) in [
            (
                Renderer::NetworkManager,
                "etc/NetworkManager/system-connections/cloud-init-tap1.nmconnection",
                0o600,
            ),
            (Renderer::Networkd, "etc/systemd/network/10-cloud-init-tap1.network", 0o644),
        ] {
            assert_eq!(run(&asked(dir.path(), text, renderer)).unwrap(), 0);
            let path = dir.path().join("out").join(path);
            let written = std::fs::read_to_string(&path).unwrap();
            assert!(written.contains("=eth7\n") && written.contains("52:54:00:00:00:01"));
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, mode);
        }
        let wrong = asked(dir.path(), "version: 7", Renderer::Networkd);
        assert_eq!(run(&wrong).unwrap(), 1);
        let missing = Asked { from: dir.path().join("none"), ..wrong };
        assert!(run(&missing).is_err());
    }

    #[test]
    fn interfaces_on_the_command_line() {
        for text in ["eth0", "=52:54:00:00:00:01", "a b=52:54:00:00:00:01", "eth0=52:54"] {
            assert!(interface(text).is_err(), "{text}");
        }
    }
}
