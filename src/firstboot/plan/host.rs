//! The host's names.

use anyhow::Result;

use super::Planner;
use super::text::joined;
use crate::firstboot::configuration::{EtcHosts, Host};

pub(super) fn plan(planner: &mut Planner, host: &Host) -> Result<()> {
    if let Some(name) = &host.hostname {
        if is_host_name(&name.value) {
            planner.view.write_text("/etc/hostname", format!("{}\n", name.value), 0o644)?;
        } else {
            planner.error(&name.place, no_host_name(&name.value));
        }
    }
    if host.etc_hosts != EtcHosts::Kept {
        hosts(planner, host)?;
    }
    Ok(())
}

/// Up to 64 characters (`HOST_NAME_MAX`) that end no line and begin no other field.
fn is_host_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (1..=64).contains(&name.len()) && name.chars().all(is_part) && !name.starts_with(['-', '.'])
}

fn no_host_name(name: &str) -> String {
    format!("{name:?} is no host name: write up to 64 letters, digits, - and ., as in web-1")
}

/// The line that lets the host find itself without DNS (Debian's 127.0.1.1).
fn hosts(planner: &mut Planner, host: &Host) -> Result<()> {
    const FILE: &str = "/etc/hosts";
    // Who read the configuration has said so, and knows where.
    let Some(name) = &host.hostname else { return Ok(()) };
    let full = host.fqdn.as_ref().unwrap_or(name);
    if !is_host_name(&full.value) {
        planner.error(&full.place, no_host_name(&full.value));
        return Ok(());
    }
    let own = if full.value == name.value {
        format!("127.0.1.1\t{}", name.value)
    } else {
        format!("127.0.1.1\t{}\t{}", full.value, name.value)
    };
    let text = match host.etc_hosts {
        EtcHosts::Template => format!(
            "# Written at first boot, as manage_etc_hosts asks for.\n{own}\n127.0.0.1\tlocalhost\n\
             ::1\tlocalhost ipv6-localhost ipv6-loopback\nfe00::0\tipv6-localnet\n\
             ff00::0\tipv6-mcastprefix\nff02::1\tipv6-allnodes\nff02::2\tipv6-allrouters\n"
        ),
        EtcHosts::OwnLine | EtcHosts::Kept => {
            let before = planner.view.exact_text(FILE)?.unwrap_or_default();
            with_own_line(&before, &own)
        }
    };
    planner.view.write_text(FILE, text, 0o644)
}

fn with_own_line(text: &str, own: &str) -> String {
    let is_own = |line: &str| line.split_ascii_whitespace().next() == Some("127.0.1.1");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        match is_own(line) {
            true if lines.contains(&own) => {}
            true => lines.push(own),
            false => lines.push(line),
        }
    }
    if !lines.contains(&own) {
        lines.push(own);
    }
    joined(&lines)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    #[test]
    fn each_name_goes_where_the_system_has_it() {
        let name = || Host { hostname: Some(placed("web")), ..Host::default() };
        let own = |fqdn: Option<&str>| Host {
            etc_hosts: EtcHosts::OwnLine,
            fqdn: fqdn.map(placed),
            ..name()
        };
        for (files, host, path, wanted) in [
            (vec![], name(), "/etc/hostname", "web\n"),
            (vec![], own(None), "/etc/hosts", "127.0.1.1\tweb\n"),
            (
                vec![("/etc/hosts", "::1 a\n127.0.1.1 old\n127.0.1.1 older\n10.0.0.1 b")],
                own(Some("web.example.com")),
                "/etc/hosts",
                "::1 a\n127.0.1.1\tweb.example.com\tweb\n10.0.0.1 b\n",
            ),
        ] {
            World::with(&files).configures(host, path, wanted);
        }
    }

    #[test]
    fn what_is_no_name_is_said() {
        let configuration = Configuration {
            host: Host { hostname: Some(placed("a b")), ..Host::default() },
            ..Configuration::default()
        };
        let errors = errors(&World::with(&[]).plan(&configuration).1);
        assert!(errors.len() == 1 && errors[0].contains("no host name"), "{errors:?}");
    }
}
