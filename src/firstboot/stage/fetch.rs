//! The second stage: find the configuration, verify it, take it into memory, and let it
//! prepare what must be there before the network and the snapshot are.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{CONFIG, FOUND, Found, MEMORY, Stage, read_script, remove_config, seeds};
use crate::firstboot::copy::{self, Copied};
use crate::firstboot::datasource::{self, Format, Ignored, Offer};
use crate::firstboot::instance::Smbios;
use crate::firstboot::network_word;
use crate::firstboot::outcome::{Outcome, State};
use crate::firstboot::trust::Trust;
use crate::firstboot::{chroot, network, notes, probation};
use crate::record::handoff;
use crate::sys::files;
use crate::sys::mount::in_own_namespace;

/// On the kernel command line: what was refused is tried once more.
const RETRY: &str = "firstboot.retry";
/// The configuration's own directory on its source.
const DIR: &str = "combustion";

impl Stage {
    /// Looks for a configuration, and copies it to where its script will run.
    ///
    /// # Errors
    /// There is one, and it cannot be used.
    pub fn fetch(&self) -> Result<()> {
        let Some(found) = in_own_namespace(|| self.find())? else { return Ok(()) };
        let source = found.source.clone();
        // Not in there: what a script mounts in the initrd is to stay.
        match found.format {
            Format::Combustion => self.prepare(&found),
            Format::Seed(_) => self.prepare_seed(found),
        }
        .context(source)
    }

    fn find(&self) -> Result<Option<Found>> {
        self.clean_up()?;
        let sources = datasource::in_order(&self.machine);
        match datasource::choose(&sources)? {
            (Some(offer), ignored) => {
                let found = self.take(offer, ignored)?;
                if self.is_under_way(&found)? {
                    let source = &found.source;
                    log::info!("{source} is applied already, and has not come to a verdict yet");
                    remove_config()?;
                    self.concluded();
                    return Ok(None);
                }
                Ok(Some(found))
            }
            (None, ignored) => self.none(ignored).map(|()| None),
        }
    }

    fn none(&self, ignored: Vec<Ignored>) -> Result<()> {
        log::info!("no configuration was found: the system starts as it is");
        self.concluded();
        self.settle_instance()?;
        self.conclude(|old| {
            // One that failed is still to be corrected.
            (old.state != State::Failed).then(|| {
                let reason = Some("no configuration was found".to_owned());
                Outcome { ignored, reason, ..Outcome::of(State::None) }
            })
        })
    }

    /// Where a platform has nothing for a machine that it calls by another name, that name is
    /// noted: to look once more at each start would be in vain.
    fn settle_instance(&self) -> Result<()> {
        let Some(disk) = self.machine.disk(true)? else { return Ok(()) };
        notes::settle_instance(&disk, &Smbios::of(&self.machine))?;
        disk.close()
    }

    /// Copies, verifies, and lets the source go.
    fn take(&self, offer: Offer, ignored: Vec<Ignored>) -> Result<Found> {
        log::info!("configuration found: {}", offer.source);
        for other in &ignored {
            log::info!("not used: {}: {}", other.source, other.reason);
        }
        let (source, format) = (offer.source.clone(), offer.format);
        let mut overlay = offer.overlay.clone();
        if let Format::Seed(_) = format {
            network_word::note(&self.machine.cmdline, &mut overlay);
        }
        let trust = Trust::of(&self.machine);
        let taken = trust.and_then(|trust| match format {
            Format::Combustion => take(&offer.dir, &trust),
            Format::Seed(platform) => {
                seeds::take(&offer.dir, platform, &overlay, &trust, Path::new(MEMORY))
            }
        });
        offer.close()?;
        let (copied, signed_by) = taken.with_context(|| source.clone())?;
        if let Some(key) = &signed_by {
            log::info!("{source} is signed by {key}");
        }
        let applications = self.applications(&copied.sha256).with_context(|| source.clone())?;
        let sha256 = copied.sha256;
        let instance = None;
        Ok(Found { source, sha256, applications, signed_by, ignored, format, instance, overlay })
    }

    fn is_under_way(&self, found: &Found) -> Result<bool> {
        if self.machine.cmdline.has(RETRY) {
            return Ok(false);
        }
        let Some(disk) = self.machine.disk(false)? else { return Ok(false) };
        let state = notes::store(&disk).read();
        let answer = probation::is_under_way(state.readable(), &found.sha256, &disk.booted);
        disk.close()?;
        Ok(answer)
    }

    fn applications(&self, sha256: &str) -> Result<u32> {
        let Some(disk) = self.machine.disk(false)? else { return Ok(1) };
        let state = notes::store(&disk).read();
        let allowed = probation::applications(state.readable(), sha256, &disk.booted);
        disk.close()?;
        match allowed {
            Ok(times) => Ok(times),
            Err(why) if self.machine.cmdline.has(RETRY) => {
                log::warn!("{why}; {RETRY} on the kernel command line: once more all the same");
                Ok(1)
            }
            Err(why) => bail!("{why}: change the configuration, or start with {RETRY}"),
        }
    }

    /// Lets a script prepare what must be there before the network and the snapshot are.
    fn prepare(&self, found: &Found) -> Result<()> {
        let script = read_script()?;
        if script.prepare {
            chroot::prepare(&script, Path::new(CONFIG), self.limit)?;
        }
        if script.network {
            network::up(&self.machine)
                .context("combustion/script asks for \"network\" in its first lines")?;
        }
        handoff::write(&self.machine.root, FOUND, found)
    }
}

/// Takes a configuration, and says who signed it. Where it must be signed, all of the
/// source is copied and verified, since all of it is signed.
fn take(from: &Path, trust: &Trust) -> Result<(Copied, Option<String>)> {
    let config = Path::new(CONFIG);
    if !trust.is_asked_for() {
        return Ok((copy::copy(&from.join(DIR), config)?, None));
    }
    let whole = Path::new(MEMORY).join("source");
    let copied = copy::copy(from, &whole)?;
    if let Some(other) = copied.others.first() {
        bail!("{} is a link: what is signed is files", other.display());
    }
    let signer = trust.verify(&copied.files, |name| files::read(&whole.join(name)))?;
    copy::remove(config)?;
    std::fs::rename(whole.join(DIR), config)
        .context("cannot put the configuration in its place")?;
    copy::remove(&whole)?;
    Ok((copied, Some(signer)))
}
