//! What stays up in safe mode: a pure function from what runs to a drop-in.
//!
//! The list names what may stay; only what runs does, or what this boot is
//! about to start. So nothing opens a login that was closed.

use std::time::Duration;

use anyhow::Result;

use crate::sys::systemd;

/// A unit that is loaded, as far as it matters for what may be stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Loaded {
    /// Its own name, whatever alias it was asked by.
    pub(super) name: String,
    /// `ActiveState`.
    pub(super) active: String,
    /// The slice that it runs in; empty for units without processes.
    pub(super) slice: String,
}

/// The loaded units that fit `patterns`, which are names or shell patterns.
///
/// # Errors
/// systemctl does not run or does not answer in time.
pub(super) fn loaded(patterns: &[&str], limit: Duration) -> Result<Vec<Loaded>> {
    let shown = systemd::show("Id,ActiveState,Slice", patterns, limit)?;
    let loaded = shown.iter().map(|it| Loaded {
        name: it.text("Id"),
        active: it.text("ActiveState"),
        slice: it.text("Slice"),
    });
    Ok(loaded.filter(|unit| !unit.name.is_empty()).collect())
}

/// What an administrator needs to get in, and what keeps the machine together
/// meanwhile: names and shell patterns, as systemctl takes them. A unit that does
/// not exist costs nothing.
const GROUPS: [&str; 11] = [
    // The bus and logins. Stopping systemd-user-sessions writes /run/nologin,
    // and only root could log in any more.
    "dbus.service dbus.socket dbus-broker.service systemd-logind.service \
     systemd-logind-varlink.socket systemd-user-sessions.service",
    // Who may log in, where that is not in /etc/passwd.
    "systemd-userdbd.* systemd-homed.service sssd.service sssd-*.s* nscd.service nslcd.service \
     winbind.service winbindd.service",
    // Journal and devices.
    "systemd-journald* systemd-udevd*",
    // The network; stopping one of these takes addresses and routes away.
    "NetworkManager.service NetworkManager-dispatcher.service ModemManager.service \
     wpa_supplicant*.service iwd.service systemd-networkd.service systemd-networkd*.socket \
     wicked*.service connman.service networking.service network.service ifup@*.service \
     dhcpcd*.service openvswitch*.service ovs*.service",
    // The only way to a machine behind them.
    "wg-quick@*.service openvpn*.service strongswan*.service tailscaled.service \
     zerotier-one.service nebula*.service",
    // Names.
    "systemd-resolved* dnsmasq.service unbound.service named.service",
    // Certificates, tickets and one-time passwords need the right time.
    "chronyd.service chrony.service systemd-timesyncd.service ntpd.service",
    // What keeps others out: without the firewall, ports would open that were closed.
    "firewalld.service nftables.service iptables.service ip6tables.service ufw.service \
     SuSEfirewall2*.service netfilter-persistent.service apparmor.service auditd.service \
     fail2ban.service sshguard.service",
    // Remote logins: the service, the socket, and each connection.
    "ssh.service ssh.socket ssh@*.service sshd.service sshd*.socket sshd@*.service \
     sshd-*@*.service dropbear*.service dropbear.socket",
    // Console logins, and the hypervisor's hand.
    "getty@*.service serial-getty@*.service autovt@*.service console-getty.service \
     container-getty@*.service qemu-guest-agent.service qemu-ga@*.service vmtoolsd.service",
    // Disks: stopping some of these takes mounted file systems away.
    "iscsid.s* iscsi.service multipathd.s* blk-availability.service lvm2-* dm-event.s* \
     mdmonitor.service",
];

/// What may stay, to be asked for.
pub(super) fn candidates() -> Vec<&'static str> {
    GROUPS.iter().flat_map(|group| group.split_whitespace()).collect()
}

/// Who is logged in, which is not a candidate itself: scopes survive anyway.
pub(super) const SESSIONS: &str = "session-*.scope";

/// The units that must not be stopped, sorted.
///
/// `candidates` are the loaded units that fit [`candidates`], `sessions` those
/// that fit [`SESSIONS`], `queued` is what the boot is yet to start: a boot that
/// fails early has its logins still in the queue, and isolating would drop them.
pub(super) fn stay(candidates: &[Loaded], sessions: &[Loaded], queued: &[String]) -> Vec<String> {
    let runs = |unit: &&Loaded| {
        let up = matches!(unit.active.as_str(), "active" | "activating" | "reloading");
        up || (unit.active != "deactivating" && queued.contains(&unit.name))
    };
    let mut units: Vec<_> = candidates.iter().filter(runs).map(|it| it.name.clone()).collect();
    for session in sessions.iter().filter(runs) {
        // A session loses its user's runtime directory with these.
        if let Some(user) = user_of(&session.slice) {
            units.push(format!("user@{user}.service"));
            units.push(format!("user-runtime-dir@{user}.service"));
        }
    }
    units.sort_unstable();
    units.dedup();
    units
}

/// `user-1000.slice` is that of user 1000 (user@.service(5)).
fn user_of(slice: &str) -> Option<&str> {
    let user = slice.strip_prefix("user-")?.strip_suffix(".slice")?;
    (!user.is_empty() && user.bytes().all(|byte| byte.is_ascii_digit())).then_some(user)
}

/// The drop-in of the safe target that keeps `units` (systemd.unit(5)). Wants=,
/// not `IgnoreOnIsolate=` in each of them: what they in turn need stays as well.
pub(super) fn drop_in(units: &[String]) -> String {
    let mut text = "# Written by health-checker when it entered safe mode: what ran of what may\n\
                    # stay up. `health-checker safe-mode leave` removes it.\n[Unit]\n"
        .to_owned();
    for unit in units {
        text += "Wants=";
        text += unit;
        text += "\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str, active: &str, slice: &str) -> Loaded {
        Loaded { name: name.to_owned(), active: active.to_owned(), slice: slice.to_owned() }
    }

    #[test]
    fn what_runs_stays_and_what_was_closed_stays_closed() {
        let candidates = [
            unit("sshd.service", "inactive", "system.slice"),
            unit("sshd@1-a:22-b:53.service", "active", "system-sshd.slice"),
            unit("sshd.socket", "active", ""),
            unit("getty@tty1.service", "inactive", ""),
            unit("getty@tty2.service", "failed", ""),
            unit("getty@tty3.service", "deactivating", ""),
            unit("NetworkManager.service", "reloading", "system.slice"),
            unit("systemd-resolved.service", "activating", "system.slice"),
        ];
        let queued = ["getty@tty1.service".to_owned(), "getty@tty3.service".to_owned()];
        assert_eq!(
            stay(&candidates, &[], &queued),
            [
                "NetworkManager.service",
                "getty@tty1.service",
                "sshd.socket",
                "sshd@1-a:22-b:53.service",
                "systemd-resolved.service",
            ]
        );
    }

    #[test]
    fn who_is_logged_in_keeps_the_user_manager_and_nobody_else_does() {
        let sessions = [
            unit("session-1.scope", "active", "user-0.slice"),
            unit("session-2.scope", "active", "user-0.slice"),
            unit("session-3.scope", "failed", "user-1000.slice"),
            unit("session-4.scope", "active", "user-x.slice"),
        ];
        let expected = ["user-runtime-dir@0.service", "user@0.service"];
        assert_eq!(stay(&[], &sessions, &[]), expected);
    }

    #[test]
    fn a_drop_in_wants_one_unit_a_line() {
        let text = drop_in(&["a.service".to_owned(), "b-\\x2d.socket".to_owned()]);
        assert!(text.ends_with("[Unit]\nWants=a.service\nWants=b-\\x2d.socket\n"), "{text}");
    }
}
