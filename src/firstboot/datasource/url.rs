//! `combustion.url=` on the kernel command line: a script on a server. No other source is
//! looked at then, as with Combustion.

use std::time::Duration;

use anyhow::{Context, Result};

use super::{Datasource, Ignored, Offer, Seen};
use crate::firstboot::copy::MAX_TOTAL;
use crate::firstboot::machine::Machine;
use crate::firstboot::{network, trust};
use crate::sys::fetch::{Fetcher, apart, without_secrets};
use crate::sys::files::Root;

const WORD: &str = "combustion.url";
/// Ignition's; it is its own to fetch.
const FOREIGN: &str = "ignition.config.url";
/// All tries together: a server may itself be starting.
const LIMIT: Duration = Duration::from_secs(300);

/// What the kernel command line names.
pub(super) struct Url {
    pub(super) machine: Machine,
}

impl Url {
    fn foreign(&self) -> Option<Seen> {
        let url = self.machine.cmdline.value(FOREIGN)?;
        let what = format!("{} ({FOREIGN})", without_secrets(url));
        Some(Seen::foreign(what, "a configuration for Ignition"))
    }
}

fn name_of(url: &str) -> String {
    format!("{} ({WORD})", without_secrets(url))
}

impl Datasource for Url {
    fn name(&self) -> &'static str {
        "url"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let url =
            self.machine.cmdline.value(WORD).map(|url| look(name_of(url), url)).transpose()?;
        Ok(url.into_iter().chain(self.foreign()).collect())
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        ignored.extend(self.foreign().and_then(Seen::passed_over));
        let Some(url) = self.machine.cmdline.value(WORD) else { return Ok(None) };
        fetch(&self.machine, name_of(url), url).map(Some)
    }
}

/// What can be said of an address without asking there: at one that leads nowhere a first boot
/// stops.
pub(super) fn look(source: String, url: &str) -> Result<Seen> {
    apart(url).with_context(|| source.clone())?;
    Ok(Seen::usable(source))
}

/// Fetches the script at `url`, and what signs it, from the same directory there.
pub(super) fn fetch(machine: &Machine, source: String, url: &str) -> Result<Offer> {
    if !url.starts_with("file:") {
        network::up(machine).with_context(|| source.clone())?;
    }
    let trusted = vec![machine.root.clone(), Root::new(&machine.sysroot)];
    let fetcher = Fetcher { trusted, limit: LIMIT, most: MAX_TOTAL };
    log::info!("fetching {}", without_secrets(url));
    let script =
        fetcher.fetch(url)?.with_context(|| format!("{source}: the server has no such file"))?;
    let mut beside = Vec::new();
    if trust::is_asked_for(machine)? {
        for name in trust::FILES {
            beside.extend(fetcher.fetch(&sibling(url, name))?.map(|bytes| (name, bytes)));
        }
    }
    Offer::script(source, &script, &beside)
}

/// The address of a file in the same directory.
fn sibling(url: &str, name: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let dir = path.rsplit_once('/').map_or(path, |(dir, _)| dir);
    format!("{dir}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_beside_the_script() {
        assert_eq!(sibling("http://a/b/script?x=/y", "SHA256SUMS"), "http://a/b/SHA256SUMS");
    }
}
