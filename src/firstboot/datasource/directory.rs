//! A directory in the image: for a system that is delivered with its configuration.

use std::path::Path;

use anyhow::{Context, Result};

use super::kind::{self, Kind};
use super::{Datasource, Ignored, Offer, Seen};
use crate::firstboot::machine::Machine;

/// Below the system's root. The second and third are cloud-init's `NoCloud` seeds.
const DIRS: [&str; 3] =
    ["usr/lib/health-checker/firstboot", "cloud-init-config", "var/lib/cloud/seed/nocloud"];

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
            Kind::Combustion => Some(Seen::usable(name_of(dir))),
            Kind::Foreign(what) => Some(Seen::foreign(name_of(dir), what)),
            Kind::Nothing => None,
        };
        Ok(self.each()?.into_iter().filter_map(seen).collect())
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        for (dir, kind) in self.each()? {
            match kind {
                Kind::Nothing => {}
                Kind::Combustion => {
                    let path = self.machine.sysroot.join(Path::new(dir));
                    return Ok(Some(Offer::at(name_of(dir), path)));
                }
                Kind::Foreign(what) => {
                    ignored.extend(Seen::foreign(name_of(dir), what).passed_over());
                }
            }
        }
        Ok(None)
    }
}
