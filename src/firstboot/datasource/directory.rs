//! A directory in the image: for a system that is delivered with its configuration.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::image::Image;
use super::kind::{self, Kind};
use super::{Datasource, Ignored, Offer, Seen, beside_script, claim};
use crate::firstboot::machine::Machine;

/// Below the system's root. All but the first are where cloud-init looks for seeds.
const DIRS: [&str; 6] = [
    "/usr/lib/health-checker/firstboot",
    "/cloud-init-config",
    "/var/lib/cloud/seed/nocloud",
    "/var/lib/cloud/seed/nocloud-net",
    "/var/lib/cloud/seed/config_drive",
    "/config-drive",
];

/// Those directories, of the system that is to be configured.
pub(super) struct Directory {
    pub(super) machine: Machine,
}

fn name_of(dir: &str) -> String {
    format!("{dir} in the image")
}

impl Directory {
    /// What is in those that have anything, as `open` has it.
    fn each<T>(&self, open: impl Fn(&Image, &str, PathBuf) -> Result<T>) -> Result<Vec<(Kind, T)>> {
        let mut image = Image::open(&self.machine)?;
        let mut found = Vec::new();
        for dir in DIRS {
            let path = match image.path(Path::new(dir)) {
                Ok(path) => path,
                Err(e) => {
                    log::warn!("whether there is a configuration in {dir} is not known: {e:#}");
                    continue;
                }
            };
            let kind = kind::of(&path).with_context(|| name_of(dir))?;
            if kind != Kind::Nothing {
                found.push((kind, open(&image, dir, path)?));
            }
        }
        image.close()?;
        Ok(found)
    }
}

impl Datasource for Directory {
    fn name(&self) -> &'static str {
        "directory"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let seen = |(kind, name): (Kind, String)| match kind {
            Kind::Foreign(what) => Seen::foreign(name, what),
            Kind::Combustion | Kind::Seed(_) | Kind::Nothing => Seen::usable(name),
        };
        let found = self.each(|_, dir, _| Ok(name_of(dir)))?;
        Ok(found.into_iter().map(seen).collect())
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        for (kind, offer) in self.each(|image, dir, path| image.offer(name_of(dir), path))? {
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
                    ignored.extend(Seen::foreign(offer.source.clone(), what).passed_over());
                }
            }
        }
        Ok(None)
    }
}
