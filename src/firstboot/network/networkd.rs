//! systemd-networkd in the initrd. Its generator makes networks of the kernel command
//! line's `ip=` (systemd-network-generator(8)); where it makes none, and the initrd has
//! none of its own, every Ethernet interface asks by DHCP.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::{LIMIT, SHORT, first_of, run};
use crate::firstboot::machine::Machine;
use crate::sys::files::{self, Root};

const DAEMON: &str = "/usr/lib/systemd/systemd-networkd";
const WAIT: &str = "/usr/lib/systemd/systemd-networkd-wait-online";
const GENERATOR: &str = "/usr/lib/systemd/systemd-network-generator";
/// Where somebody may have said something else: the vendor's directory is full of networks
/// for containers.
const NETWORKS: [&str; 2] = ["/etc/systemd/network", "/run/systemd/network"];
const OURS: &str = "/run/systemd/network/zzz-health-checker.network";
const DHCP: &str = "[Match]\nType=ether\n\n[Network]\nDHCP=yes\n\n[DHCPv4]\nClientIdentifier=mac\n";
/// What networkd knows of all links together (sd-network's own file).
const STATE: &str = "/run/systemd/netif/state";
const RESOLV: &str = "/etc/resolv.conf";

pub(super) fn is_here(root: &Root) -> bool {
    first_of(root, &[DAEMON]).is_some() && first_of(root, &[WAIT]).is_some()
}

pub(super) fn up(machine: &Machine) -> Result<()> {
    let root = &machine.root;
    if first_of(root, &[GENERATOR]).is_some() {
        run(GENERATOR, &[], SHORT)?;
    }
    if !is_configured(root)? {
        files::replace(&root.join(OURS), DHCP.as_bytes(), 0o644)?;
    }
    run("systemctl", &["start", "systemd-networkd.service"], LIMIT)?;
    // One interface with a way out is enough: others may have no cable.
    run(WAIT, &["--any", "--operational-state=routable", "--timeout=80"], LIMIT)?;
    name_servers(root)
}

fn is_configured(root: &Root) -> Result<bool> {
    let is_network = |path: &std::path::PathBuf| path.extension().is_some_and(|it| it == "network");
    for dir in NETWORKS {
        if files::list(&root.join(dir))?.iter().any(is_network) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Nobody else in an initrd without systemd-resolved writes them down.
fn name_servers(root: &Root) -> Result<()> {
    let path = root.join(RESOLV);
    if files::read_text(&path)?.is_some_and(|text| text.contains("nameserver")) {
        return Ok(());
    }
    let state = files::read_text(&root.join(STATE))?.unwrap_or_default();
    let text = resolv_conf(&state);
    if text.is_empty() {
        log::warn!("the network has no name server: only addresses will be found");
        return Ok(());
    }
    files::replace(&path, text.as_bytes(), 0o644).context("cannot note the name servers")
}

fn resolv_conf(state: &str) -> String {
    let values = |key: &str| {
        let line = state.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut text = String::new();
    for server in values("DNS") {
        // Without port, interface and name, which resolv.conf(5) has no words for.
        let address = server.split(['#', '%']).next().unwrap_or_default();
        // Writing to a string cannot fail.
        let _infallible = writeln!(text, "nameserver {address}");
    }
    let domains = values("DOMAINS").join(" ");
    if !text.is_empty() && !domains.is_empty() {
        let _infallible = writeln!(text, "search {domains}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_what_networkd_was_told() {
        let state = "# private\nOPER_STATE=routable\nDNS=10.0.2.3 fe80::1%2#name\nDOMAINS=a.b c\n";
        assert_eq!(resolv_conf(state), "nameserver 10.0.2.3\nnameserver fe80::1\nsearch a.b c\n");
        assert_eq!(resolv_conf("OPER_STATE=routable\n"), "");
    }

    #[test]
    fn what_somebody_has_configured_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        assert!(!is_configured(&root).unwrap());
        files::replace(&root.join("/run/systemd/network/70-x.link"), b"", 0o644).unwrap();
        assert!(!is_configured(&root).unwrap());
        files::replace(&root.join("/etc/systemd/network/a.network"), b"", 0o644).unwrap();
        assert!(is_configured(&root).unwrap());
    }
}
