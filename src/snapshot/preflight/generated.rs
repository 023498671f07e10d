//! Units that have no file in a snapshot, since a generator makes them at each boot
//! (systemd.generator(7)): not there does not mean missing.

use std::path::Path;

use anyhow::Result;

use super::tree::{At, Tree};

const GENERATORS: [&str; 3] = [
    "/etc/systemd/system-generators",
    "/usr/local/lib/systemd/system-generators",
    "/usr/lib/systemd/system-generators",
];
/// podman's: it makes services of quadlets (podman-systemd.unit(5)).
const PODMAN: &str = "podman-system-generator";
const QUADLETS: [&str; 2] = ["/etc/containers/systemd", "/usr/share/containers/systemd"];
/// What a quadlet's type adds to its service's name.
const KINDS: [(&str, &str); 7] = [
    (".container", ""),
    (".kube", ""),
    (".pod", "-pod"),
    (".volume", "-volume"),
    (".network", "-network"),
    (".image", "-image"),
    (".build", "-build"),
];

/// Whether a unit without a file may be there at boot.
///
/// # Errors
/// A directory cannot be looked into.
pub(super) fn may_be(tree: &Tree, unit: &str) -> Result<bool> {
    let Some(name) = unit.strip_suffix(".service") else { return Ok(false) };
    if !matches!(tree.at(&Path::new("/etc/init.d").join(name))?, At::Missing | At::Null) {
        return Ok(true);
    }
    for dir in GENERATORS {
        for generator in tree.names(Path::new(dir))? {
            let generator = generator.to_string_lossy().into_owned();
            // systemd's own and ours make services of nothing but the machine's hardware.
            let is_known =
                generator.starts_with("systemd-") || generator.starts_with("health-checker-");
            if generator == PODMAN {
                if is_quadlet(tree, name)? {
                    return Ok(true);
                }
            } else if !is_known {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn is_quadlet(tree: &Tree, service: &str) -> Result<bool> {
    for dir in QUADLETS {
        for file in tree.names(Path::new(dir))? {
            let file = file.to_string_lossy();
            let makes = |(kind, adds): &(&str, &str)| {
                file.strip_suffix(kind).is_some_and(|stem| format!("{stem}{adds}") == service)
            };
            if KINDS.iter().any(makes) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
