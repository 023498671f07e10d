//! The network's files, for what the system has to read them.

use anyhow::Result;

use super::{Content, NewFile, Planner, root};
use crate::firstboot::configuration::Network;
use crate::firstboot::network_files::{self, File, PREFIXES, Renderer};

const SYSTEM: &str = "/usr/lib/systemd/system";
const MANAGER: &str = "NetworkManager.service";
const NETWORKD: &str = "systemd-networkd.service";
/// Where enabled units are (systemd.unit(5)); `network.service` is SUSE's alias of what
/// configures the network.
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants";

pub(super) fn plan(planner: &mut Planner, network: Option<&Network>) -> Result<()> {
    let Some(network) = network else { return Ok(()) };
    let Some(renderer) = renderer(planner)? else {
        let says = "the network cannot be configured: the system has neither NetworkManager nor \
                    systemd-networkd; add one of them to the image";
        planner.error(&network.place, says);
        return Ok(());
    };
    if renderer == Renderer::Networkd && !is_enabled(planner, NETWORKD)? {
        let says = "systemd-networkd, which is to configure the network, is not enabled in the \
                    image: nothing is configured unless it is, by a preset or by runcmd";
        planner.warning(&network.place, says);
    }
    let (files, problems) = network_files::render(network, renderer);
    planner.problems.extend(problems);
    forget(planner, &files)?;
    for File { path, text, mode } in files {
        let content = Content::Bytes(text.into_bytes());
        planner.view.write(&path, NewFile { content, mode, owner: root(), secret: false })?;
    }
    Ok(())
}

/// `NetworkManager` where it is there and enabled, or nothing else is; else systemd-networkd.
fn renderer(planner: &Planner) -> Result<Option<Renderer>> {
    let is_there = |unit: &str, program: &str| -> Result<bool> {
        Ok(planner.view.is_file(format!("{SYSTEM}/{unit}"))? || planner.view.is_file(program)?)
    };
    let manager = is_there(MANAGER, "/usr/sbin/NetworkManager")?;
    let networkd = is_there(NETWORKD, "/usr/lib/systemd/systemd-networkd")?;
    let prefers_networkd = is_enabled(planner, NETWORKD)? && !is_enabled(planner, MANAGER)?;
    Ok(match (manager, networkd) {
        (true, true) if prefers_networkd => Some(Renderer::Networkd),
        (true, _) => Some(Renderer::NetworkManager),
        (false, true) => Some(Renderer::Networkd),
        (false, false) => None,
    })
}

/// Whether a unit starts by itself: the links may lead to nothing in this tree alone.
fn is_enabled(planner: &Planner, unit: &str) -> Result<bool> {
    Ok(planner.view.list(WANTED)?.iter().any(|name| name == unit))
}

/// What an earlier instance was given.
fn forget(planner: &mut Planner, files: &[File]) -> Result<()> {
    let new: std::collections::HashSet<&str> = files.iter().map(|it| it.path.as_str()).collect();
    for (directory, prefix) in PREFIXES {
        for name in planner.view.list(directory)? {
            let path = format!("{directory}/{}", name.to_string_lossy());
            if name.to_string_lossy().starts_with(prefix) && !new.contains(path.as_str()) {
                planner.view.remove(&path)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, errors};
    use crate::firstboot::configuration::Configuration;
    use crate::firstboot::network_config;
    use crate::firstboot::seed::Named;

    const MANAGED: (&str, &str) = ("/usr/lib/systemd/system/NetworkManager.service", "");
    const UNIT: (&str, &str) = ("/usr/lib/systemd/system/systemd-networkd.service", "");
    const WANTS_MANAGER: (&str, &str) =
        ("/etc/systemd/system/multi-user.target.wants/NetworkManager.service", "");
    const WANTS_UNIT: (&str, &str) =
        ("/etc/systemd/system/multi-user.target.wants/systemd-networkd.service", "");
    const CONNECTION: &str = "/etc/NetworkManager/system-connections/cloud-init-eth0.nmconnection";
    const NETWORK: &str = "/etc/systemd/network/10-cloud-init-eth0.network";

    fn asked(text: &str) -> Configuration {
        let named = Named { source: "n".into(), bytes: text.as_bytes().to_vec() };
        Configuration { network: network_config::read(&named).0, ..Configuration::default() }
    }

    fn dhcp() -> Configuration {
        asked("version: 2\nethernets: {eth0: {dhcp4: true}}")
    }

    #[test]
    fn what_is_there_and_enabled_gets_files() {
        for (files, path, warnings) in [
            (vec![MANAGED], CONNECTION, 0),
            (vec![("/usr/sbin/NetworkManager", "")], CONNECTION, 0),
            (vec![MANAGED, UNIT], CONNECTION, 0),
            (vec![MANAGED, UNIT, WANTS_MANAGER, WANTS_UNIT], CONNECTION, 0),
            (vec![MANAGED, UNIT, WANTS_UNIT], NETWORK, 0),
            (vec![UNIT, WANTS_UNIT], NETWORK, 0),
            (vec![UNIT], NETWORK, 1),
        ] {
            let world = World::with(&files);
            assert_eq!(world.configure(&dhcp()).len(), warnings, "{files:?}");
            let other = if path == NETWORK { CONNECTION } else { NETWORK };
            assert!(world.path(path).exists() && !world.path(other).exists(), "{files:?}");
            let mode = if path == NETWORK { 0o644 } else { 0o600 };
            assert_eq!(world.mode(path), mode);
        }
        let problems = World::with(&[]).plan(&dhcp()).1;
        let errors = errors(&problems);
        assert!(errors.len() == 1 && errors[0].starts_with("n:1:1: error:"), "{errors:?}");
        // Where nothing is asked for, nothing is missed.
        assert!(World::with(&[]).configure(&asked("config: disabled")).is_empty());
    }

    #[test]
    fn files_of_an_earlier_instance_go_and_others_stay() {
        let old = [
            "/etc/NetworkManager/system-connections/cloud-init-old.nmconnection",
            "/etc/systemd/network/10-cloud-init-old.link",
        ];
        let own = [
            "/etc/NetworkManager/system-connections/own.nmconnection",
            "/etc/systemd/network/1.link",
        ];
        let files: Vec<_> = old.iter().chain(&own).map(|it| (*it, "x")).chain([MANAGED]).collect();
        let world = World::with(&files);
        world.configure(&asked("version: 2\nethernets: {}"));
        assert!(old.iter().all(|it| world.path(it).exists()));
        world.configure(&dhcp());
        assert!(!old.iter().any(|it| world.path(it).exists()));
        assert!(own.iter().all(|it| world.path(it).exists()));
    }
}
