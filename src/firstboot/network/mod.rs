//! The network in the initrd, for a script that asks for it and for what is fetched:
//! `NetworkManager` where the initrd has it, systemd-networkd otherwise; as the kernel
//! command line's `ip=` says, by DHCP on every interface where it says nothing.

mod manager;
mod networkd;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::machine::Machine;
use crate::sys::command;
use crate::sys::files::Root;

/// Until an address and a way out are there: a switch may take half a minute to let a
/// port talk, and a DHCP server its time after that.
const LIMIT: Duration = Duration::from_secs(90);
/// For what only hands something on.
const SHORT: Duration = Duration::from_secs(20);
/// Where routes are, in hexadecimal (`proc_pid_net(5)`).
const ROUTES: [&str; 2] = ["/proc/net/route", "/proc/net/ipv6_route"];

/// Brings the network up, unless it is, and waits until there is a way out.
///
/// # Errors
/// The initrd has no program for it, or it did not come up in time.
pub(super) fn up(machine: &Machine) -> Result<()> {
    // At the desk, for a machine that a file describes, nothing is changed.
    if machine.is_described() || has_way_out(&machine.root) {
        return Ok(());
    }
    log::info!("bringing the network up");
    let done = if manager::is_here(&machine.root) {
        manager::up(machine)
    } else if networkd::is_here(&machine.root) {
        networkd::up(machine)
    } else {
        bail!(
            "the network is needed, and this initrd has neither NetworkManager nor \
             systemd-networkd: install one of them, and make the initrd anew (dracut --force)"
        );
    };
    done.and_then(|()| {
        // NetworkManager is content where there is nothing to do: without a card, without an answer.
        let reached = routes(&machine.root).iter().any(Route::is_beyond_link);
        ensure!(
            reached,
            "no interface has got an address: is there a card, a cable, a DHCP server?"
        );
        Ok(())
    })
    .context("the network does not come up")
}

/// Where something is reached without being on this machine, in hexadecimal.
struct Route {
    to: String,
    is_default: bool,
}

impl Route {
    /// Not what an interface has that nobody has given an address: `169.254.0.0/16`, `fe80::/10`,
    /// and multicast.
    fn is_beyond_link(&self) -> bool {
        let local = ["0000FEA9", "fe8", "fe9", "fea", "feb", "ff"];
        !local.iter().any(|it| self.to.starts_with(it))
    }
}

fn routes(root: &Root) -> Vec<Route> {
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
    let [v4, v6] = ROUTES.map(text);
    let v4 = v4.lines().skip(1).filter_map(|line| {
        let to = line.split_whitespace().nth(1)?.to_owned();
        Some(Route { is_default: to == "00000000", to })
    });
    let v6 = v6.lines().filter_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
        // It has the route of what is unreachable.
        [.., "lo"] => None,
        [to, bits, ..] => {
            let is_default = bits == "00" && to.bytes().all(|it| it == b'0');
            Some(Route { to: to.to_owned(), is_default })
        }
        _ => None,
    });
    v4.chain(v6).collect()
}

/// Whether there is a default route.
fn has_way_out(root: &Root) -> bool {
    routes(root).iter().any(|route| route.is_default)
}

/// Runs a program of the network's to its end.
fn run(program: &str, arguments: &[&str], limit: Duration) -> Result<()> {
    run_as(&[&[program], arguments].concat().join(" "), program, arguments, limit)
}

/// The same, called `shown` where it fails: errors are kept in the result, which all may read.
fn run_as(shown: &str, program: &str, arguments: &[&str], limit: Duration) -> Result<()> {
    let output = command::run(Command::new(program).args(arguments), limit)
        .with_context(|| format!("cannot run {program}"))?;
    ensure!(output.success(), "{shown}: {}: {}", output.end, output.last_line());
    Ok(())
}

fn first_of(root: &Root, paths: &[&'static str]) -> Option<&'static str> {
    paths.iter().copied().find(|path| root.join(Path::new(path)).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::files;

    #[test]
    fn a_way_out_is_a_default_route_and_an_address_one_beyond_the_link() {
        let head = "Iface\tDestination\tGateway\n";
        let zeros = "0".repeat(32);
        let gateway = "fe800000000000000000000000000002";
        let local =
            format!("{zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200       lo\n");
        let out =
            format!("{zeros} 00 {zeros} 00 {gateway} 00000400 00000001 00000000 00000003 eth0\n");
        let link = format!("fe80{} 40 {zeros} 00 {zeros} 00000100 1 0 1 eth0\n", "0".repeat(28));
        for (v4, v6, out, address) in [
            (format!("{head}eth0\t0002000A\t00000000\n"), local.clone(), false, true),
            (format!("{head}eth0\t00000000\t0202000A\n"), String::new(), true, true),
            (head.to_owned(), format!("{local}{out}"), true, true),
            (format!("{head}eth0\t0000FEA9\t00000000\n"), format!("{local}{link}"), false, false),
            (String::new(), String::new(), false, false),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let root = Root::new(dir.path());
            files::replace(&root.join(ROUTES[0]), v4.as_bytes(), 0o644).unwrap();
            files::replace(&root.join(ROUTES[1]), v6.as_bytes(), 0o644).unwrap();
            assert_eq!(has_way_out(&root), out, "{v4}{v6}");
            let beyond = routes(&root).iter().any(Route::is_beyond_link);
            assert_eq!(beyond, address, "{v4}{v6}");
        }
    }
}
