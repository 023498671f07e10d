//! Certificates of authorities, where a read-only root has them.

use std::time::Duration;

use anyhow::Result;

use super::text::joined;
use super::{Planner, Run, Statuses};
use crate::firstboot::configuration::CaCerts;
use crate::firstboot::problem::Place;

const LIMIT: Duration = Duration::from_secs(2 * 60);
/// Debian's list of the certificates that it trusts.
const LIST: &str = "/etc/ca-certificates.conf";

pub(super) fn plan(planner: &mut Planner, certificates: &CaCerts) -> Result<()> {
    if certificates.remove_defaults.is_none() && certificates.trusted.is_empty() {
        return Ok(());
    }
    let is_debians = planner.view.exists(LIST)?;
    if let Some(place) = &certificates.remove_defaults
        && !remove_defaults(planner, place, is_debians)?
    {
        return Ok(());
    }
    let (directory, ending) = if is_debians {
        ("/usr/local/share/ca-certificates", "crt")
    } else {
        ("/etc/pki/trust/anchors", "pem")
    };
    for (number, certificate) in (1..).zip(&certificates.trusted) {
        let path = format!("{directory}/cloud-init-ca-cert-{number}.{ending}");
        let text = format!("{}\n", certificate.value.trim());
        planner.view.write_text(path, text, 0o644)?;
    }
    let program = "/usr/sbin/update-ca-certificates";
    if planner.view.exists(program)? {
        let reason = "trust the certificates".to_owned();
        let (command, statuses) = (vec![program.to_owned()], Statuses::Zero);
        planner.runs.push(Run { command, input: None, limit: LIMIT, statuses, reason });
    } else {
        let first = certificates.trusted.first().map(|it| &it.place);
        let says = format!("there is no {program}: the certificates are trusted once it ran");
        if let Some(place) = first.or(certificates.remove_defaults.as_ref()) {
            planner.warning(place, says);
        }
    }
    Ok(())
}

/// Whether it could be done. Debian has a list to strike them from; elsewhere they are on the
/// read-only part of the system, and would come back with an update: to be sure that they are
/// not trusted, and then to trust them, is worse than an error.
fn remove_defaults(planner: &mut Planner, place: &Place, is_debians: bool) -> Result<bool> {
    if !is_debians {
        let says = "remove_defaults is not supported here: the system's own certificates are part \
                    of a package; write it as false";
        planner.error(place, says);
        return Ok(false);
    }
    let text = planner.view.exact_text(LIST)?.unwrap_or_default();
    let struck = |line: &str| {
        if line.is_empty() || line.starts_with(['#', '!']) {
            line.to_owned()
        } else {
            format!("!{line}")
        }
    };
    let lines: Vec<String> = text.lines().map(struck).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    planner.view.write_text(LIST, joined(&lines), 0o644)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, at, errors, placed};
    use super::*;
    use crate::firstboot::configuration::Configuration;

    fn asked(remove_defaults: bool, certificate: &str) -> Configuration {
        let remove_defaults = remove_defaults.then(|| at(3));
        let ca_certs = CaCerts { remove_defaults, trusted: vec![placed(certificate)] };
        Configuration { ca_certs, ..Configuration::default() }
    }

    const PEM: &str = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";

    #[test]
    fn certificates_go_where_the_system_looks() {
        let update = ("/usr/sbin/update-ca-certificates", "");
        for (files, path) in [
            (vec![update], "/etc/pki/trust/anchors/cloud-init-ca-cert-1.pem"),
            (
                vec![update, (LIST, "#x\na.crt\n!b.crt\n")],
                "/usr/local/share/ca-certificates/cloud-init-ca-cert-1.crt",
            ),
        ] {
            let world = World::with(&files);
            let debian = files.len() > 1;
            let configuration = asked(debian, PEM);
            let (plan, _) = world.plan(&configuration);
            assert_eq!(plan.runs[0].command, ["/usr/sbin/update-ca-certificates"]);
            assert!(world.configure(&configuration).is_empty());
            assert_eq!(world.text(path), format!("{PEM}\n"));
            assert!(!debian || world.text(LIST) == "#x\n!a.crt\n!b.crt\n");
        }
    }

    #[test]
    fn what_cannot_be_trusted_is_said() {
        let errors = errors(&World::with(&[]).plan(&asked(true, PEM)).1);
        let says = "user-data:3:1: error: remove_defaults is not supported here";
        assert!(errors.len() == 1 && errors[0].starts_with(says), "{errors:?}");
        let mut configuration = asked(true, PEM);
        configuration.ca_certs.trusted.clear();
        let warnings = World::with(&[(LIST, "a.crt\n")]).configure(&configuration);
        let says = "user-data:3:1: warning: there is no /usr/sbin/update-ca-certificates";
        assert!(warnings.len() == 1 && warnings[0].starts_with(says), "{warnings:?}");
    }
}
