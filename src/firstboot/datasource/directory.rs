//! A directory in the image: for a system that is delivered with its configuration.

use std::path::Path;

use anyhow::{Context, Result};

use super::kind::{self, Kind};
use super::{Datasource, Ignored, Offer, Seen, beside_script, claim};
use crate::firstboot::machine::Machine;

/// Below the system's root. All but the first are where cloud-init looks for seeds.
const DIRS: [&str; 6] = [
    "usr/lib/health-checker/firstboot",
    "cloud-init-config",
    "var/lib/cloud/seed/nocloud",
    "var/lib/cloud/seed/nocloud-net",
    "var/lib/cloud/seed/config_drive",
    "config-drive",
];

/// Those directories, of the system that is to be configured.
pub(super) struct Directory {
    pub(super) machine: Machine,
}

fn name_of(dir: &str) -> String {
    format!("/{dir} in the image")
}

impl Directory {
    fn each(&self) -> Result<Vec<(&'static str, Kind)>> {
        let of = |dir: &'static str| {
            let kind = kind::of(&self.machine.sysroot.join(dir)).with_context(|| name_of(dir))?;
            Ok((dir, kind))
        };
        DIRS.into_iter().map(of).collect()
    }
}

impl Datasource for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let seen = |(dir, kind)| match kind {
            Kind::Combustion | Kind::Seed(_) => Some(Seen::usable(name_of(dir))),
            Kind::Foreign(what) => Some(Seen::foreign(name_of(dir), what)),
            Kind::Nothing => None,
        };
        Ok(self.each()?.into_iter().filter_map(seen).collect())
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        for (dir, kind) in self.each()? {
            let offer = Offer::at(name_of(dir), self.machine.sysroot.join(Path::new(dir)));
            match kind {
                Kind::Nothing => {}
                Kind::Combustion => {
                    ignored.extend(beside_script(&offer));
                    return Ok(Some(offer));
                }
                Kind::Seed(platform) => match claim::seed(&self.machine, offer, platform)? {
                    Ok(offer) => return Ok(Some(offer)),
                    Err(seen) => ignored.extend(seen.passed_over()),
                },
                Kind::Foreign(what) => {
                    ignored.extend(Seen::foreign(name_of(dir), what).passed_over());
                }
            }
        }
        Ok(None)
    }
}
