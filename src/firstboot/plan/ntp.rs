//! Whom to ask for the time: chrony, or systemd-timesyncd.

use anyhow::Result;

use super::Planner;
use crate::firstboot::configuration::Ntp;

const TIMESYNCD: &str = "/etc/systemd/timesyncd.conf.d/50-cloud-init.conf";

pub(super) fn plan(planner: &mut Planner, ntp: &Ntp) -> Result<()> {
    let named = ntp.client.as_ref().map(|client| client.value.as_str());
    let is_there = |programs: &[&str]| -> Result<bool> {
        programs.iter().try_fold(false, |found, it| Ok(found || planner.view.is_file(it)?))
    };
    let chrony = is_there(&["/usr/sbin/chronyd", "/usr/bin/chronyd"])?;
    let timesyncd = is_there(&["/usr/lib/systemd/systemd-timesyncd"])?;
    let use_chrony = match named {
        Some("chrony") => true,
        Some("systemd-timesyncd") => false,
        None | Some("auto") => chrony || !timesyncd,
        Some(other) => {
            let place = ntp.client.as_ref().map_or(&ntp.place, |client| &client.place);
            let says = format!(
                "the ntp client {other:?} is not supported: write chrony or systemd-timesyncd"
            );
            planner.error(place, says);
            return Ok(());
        }
    };
    if !(if use_chrony { chrony } else { timesyncd }) {
        let client = if use_chrony { "chrony" } else { "systemd-timesyncd" };
        let says = format!("{client} is not there: add it to packages, or nobody sets the clock");
        planner.warning(&ntp.place, says);
    }
    for server in ntp.pools.iter().chain(&ntp.servers) {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        if server.value.is_empty() || !server.value.chars().all(is_part) {
            let says = format!("{:?} is neither a host's name nor an address", server.value);
            planner.error(&server.place, says);
            return Ok(());
        }
    }
    if ntp.pools.is_empty() && ntp.servers.is_empty() {
        // The distribution's own are used.
        return Ok(());
    }
    if use_chrony {
        let (path, text) = (of_chrony(planner)?, sources(ntp));
        return planner.view.write_text(path, text, 0o644);
    }
    let all: Vec<&str> = ntp.servers.iter().chain(&ntp.pools).map(|it| it.value.as_str()).collect();
    planner.view.write_text(TIMESYNCD, format!("[Time]\nNTP={}\n", all.join(" ")), 0o644)
}

/// Debian has sources in a directory of their own, SUSE reads `/etc/chrony.d`.
fn of_chrony(planner: &Planner) -> Result<&'static str> {
    Ok(if planner.view.exists("/etc/chrony/sources.d")? {
        "/etc/chrony/sources.d/cloud-init.sources"
    } else {
        "/etc/chrony.d/cloud-init.conf"
    })
}

fn sources(ntp: &Ntp) -> String {
    let line = |kind: &str, name: &str| format!("{kind} {name} iburst\n");
    let pools = ntp.pools.iter().map(|it| line("pool", &it.value));
    pools.chain(ntp.servers.iter().map(|it| line("server", &it.value))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, at, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    fn asked(client: Option<&str>, server: &str) -> Configuration {
        let mut configuration = Configuration::default();
        configuration.host.ntp = Some(Ntp {
            place: at(3),
            client: client.map(placed),
            pools: vec![placed("pool.example.com")],
            servers: vec![placed(server)],
        });
        configuration
    }

    #[test]
    fn the_client_that_is_there_is_told() {
        let chrony = ("/usr/sbin/chronyd", "");
        let timesyncd = ("/usr/lib/systemd/systemd-timesyncd", "");
        let sources = "pool pool.example.com iburst\nserver 10.0.0.1 iburst\n";
        let time = "[Time]\nNTP=10.0.0.1 pool.example.com\n";
        for (files, client, path, wanted) in [
            (vec![chrony, timesyncd], None, "/etc/chrony.d/cloud-init.conf", sources),
            (vec![timesyncd], None, TIMESYNCD, time),
            (vec![chrony, timesyncd], Some("systemd-timesyncd"), TIMESYNCD, time),
            (
                vec![chrony, ("/etc/chrony/sources.d/README", "")],
                Some("auto"),
                "/etc/chrony/sources.d/cloud-init.sources",
                sources,
            ),
        ] {
            let world = World::with(&files);
            assert!(world.configure(&asked(client, "10.0.0.1")).is_empty());
            assert_eq!(world.text(path), wanted);
        }
        let warnings = World::with(&[]).configure(&asked(None, "10.0.0.1"));
        assert!(warnings[0].starts_with("user-data:3:1: warning: chrony is not there"));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        for (client, server, says) in
            [(Some("ntpd"), "a", "write chrony"), (None, "a\nb", "neither a host's name")]
        {
            let world = World::with(&[]);
            let errors = errors(&world.plan(&asked(client, server)).1);
            assert!(errors.len() == 1 && errors[0].contains(says), "{says}: {errors:?}");
        }
    }
}
