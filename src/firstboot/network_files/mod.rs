//! A [`Network`] as the files of what configures it: `NetworkManager`'s keyfiles, or
//! systemd-networkd's units, with udev's where an interface is renamed. Nothing is read here, and
//! nothing is chosen that depends on a system.

mod ini;
mod keyfile;
mod link;
mod netdev;
mod networkd;
#[cfg(test)]
mod tests;

use clap::ValueEnum;

use super::configuration::{Link, Mode, Network};
use super::problem::{Place, Problem, Problems};

/// Where `NetworkManager` looks for connections (nm-settings-keyfile(5)).
pub const CONNECTIONS: &str = "/etc/NetworkManager/system-connections";
/// Where systemd-networkd and udev look for theirs (systemd.network(5), systemd.link(5)).
pub const UNITS: &str = "/etc/systemd/network";
/// How names of files begin, as cloud-init has it: by this those of an earlier instance are
/// known.
pub const PREFIXES: [(&str, &str); 2] = [(CONNECTIONS, "cloud-init-"), (UNITS, "10-cloud-init-")];

/// What configures the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Renderer {
    /// `NetworkManager`.
    #[value(name = "networkmanager", help = "NetworkManager, by connections")]
    NetworkManager,
    /// systemd-networkd, by units.
    Networkd,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Absolute.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Permissions: `NetworkManager` refuses keyfiles that others can read.
    pub mode: Mode,
}

/// All files, and what of the network they cannot say.
pub fn render(network: &Network, renderer: Renderer) -> (Vec<File>, Problems) {
    let mut files = Vec::new();
    let mut problems = Problems::default();
    let (controllers, vlans) = (network.controllers(), network.vlans());
    for link in &network.links {
        let around = Around {
            controller: controllers.get(link.id.value.as_str()).copied(),
            vlans: vlans.get(link.id.value.as_str()).map_or(&[], Vec::as_slice),
        };
        match renderer {
            Renderer::NetworkManager => {
                let text = keyfile::text(network, link, &around, &mut problems);
                files.push(file(CONNECTIONS, "cloud-init-", link, "nmconnection", text, 0o600));
            }
            Renderer::Networkd => {
                let text = networkd::text(link, &around, &mut problems);
                files.push(unit(link, "network", text));
                files.extend(netdev::text(link).map(|text| unit(link, "netdev", text)));
            }
        }
        let text = link::text(link, renderer, &mut problems);
        files.extend(text.map(|text| unit(link, "link", text)));
    }
    (files, problems)
}

/// The links that a link has to do with.
struct Around<'a> {
    /// The bond or bridge that it belongs to.
    controller: Option<&'a Link>,
    /// The VLANs over it.
    vlans: &'a [&'a Link],
}

fn unit(link: &Link, ending: &str, text: String) -> File {
    file(UNITS, "10-cloud-init-", link, ending, text, 0o644)
}

fn file(dir: &str, prefix: &str, link: &Link, ending: &str, text: String, mode: Mode) -> File {
    File { path: format!("{dir}/{prefix}{}.{ending}", link.id.value), text, mode }
}

/// What one renderer cannot say, and leaves out.
fn left_out(problems: &mut Problems, place: &Place, what: &str, renderer: &str) {
    problems.push(Problem::warning(place, format!("{what} is left out: {renderer} has no such")));
}
