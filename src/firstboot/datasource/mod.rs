//! Where a configuration may come from: one file a source.
//!
//! A source that is not there is no error, one that is there but broken is:
//! somebody meant this machine to be configured.

mod claim;
mod credential;
mod directory;
pub mod drives;
mod ds;
mod fw_cfg;
mod image;
pub(crate) mod kind;
mod nocloud;
mod offer;
mod openstack;
mod order;
mod remote;
mod smbios;
mod url;
mod vmware;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::seed::Platform;
pub(in crate::firstboot) use ds::{instance_in_serial, names};
pub use offer::{Format, Offer};
pub use order::in_order;
pub(in crate::firstboot) use vmware::unpacked as unpack_guestinfo;

/// A place that may hold a configuration.
pub trait Datasource {
    /// Its name, as `firstboot.sources=` and `firstboot sources` write it.
    fn name(&self) -> &'static str;

    /// What of it is there now: without waiting, mounting, or asking a server.
    ///
    /// # Errors
    /// It could not be found out.
    fn look(&self) -> Result<Vec<Seen>>;

    /// Its configuration; `None` if it has none, after what there is to wait for. What is
    /// there and was passed over is added to `ignored`.
    ///
    /// # Errors
    /// There is one, and it cannot be had.
    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>>;
}

/// Something that could be a configuration, by its looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// What it is, in words.
    pub what: String,
    /// Why it will not be used, if that is known without opening it.
    pub unusable: Option<String>,
}

impl Seen {
    fn usable(what: impl Into<String>) -> Self {
        Self { what: what.into(), unusable: None }
    }

    /// Another tool's configuration: it is not ours to apply, and not an error either,
    /// since that tool may be there.
    fn foreign(what: impl Into<String>, kind: &str) -> Self {
        let unusable = format!("it has {kind}, which health-checker does not apply: left to it");
        Self { what: what.into(), unusable: Some(unusable) }
    }

    /// For the result, and told at once.
    fn passed_over(self) -> Option<Ignored> {
        let reason = self.unusable?;
        log::warn!("{} is passed over: {reason}", self.what);
        Some(Ignored { source: self.what, reason })
    }
}

/// Something that is there, and was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignored {
    /// What it is, in words.
    pub source: String,
    /// Why not.
    pub reason: String,
}

/// A seed beside a script: not used, since two configurations may contradict each other. Half
/// of one is no error then.
fn beside_script(offer: &Offer) -> Option<Ignored> {
    let platform = kind::seed_in(&offer.dir).unwrap_or(Some(Platform::NoCloud))?;
    let seen = Seen {
        what: format!("seed of {platform} on {}", offer.source),
        unusable: Some("combustion/script beside it is used instead".to_owned()),
    };
    seen.passed_over()
}

/// Whether what is in a directory is the whole of a configuration, by its names.
///
/// # Errors
/// It is half of one.
pub(in crate::firstboot) fn is_whole(dir: &std::path::Path) -> Result<()> {
    kind::of(dir).map(drop)
}

/// Asks the sources in order; the first that has a configuration is used. With it
/// come all that are there and are not used.
///
/// # Errors
/// A source is there and broken: what comes after it is not asked, since it might be
/// an older configuration that this one was to replace.
pub fn choose(sources: &[Box<dyn Datasource>]) -> Result<(Option<Offer>, Vec<Ignored>)> {
    let mut ignored = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let found = source.fetch(&mut ignored).with_context(|| format!("source {}", source.name()));
        let Some(offer) = found? else { continue };
        for other in sources.iter().skip(at) {
            let seen = other.look().unwrap_or_else(|e| {
                log::info!("what else there is of {} is not known: {e:#}", other.name());
                Vec::new()
            });
            let new = seen.into_iter().filter(|seen| seen.what != offer.source);
            ignored.extend(new.map(|seen| {
                let first = || format!("{} comes first", offer.source);
                Ignored { source: seen.what, reason: seen.unusable.unwrap_or_else(first) }
            }));
        }
        ignored.sort_by(|a, b| a.source.cmp(&b.source));
        ignored.dedup_by(|a, b| a.source == b.source);
        return Ok((Some(offer), ignored));
    }
    Ok((None, ignored))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Fake {
        name: &'static str,
        there: bool,
        asked: Cell<bool>,
    }

    impl Datasource for Fake {
        fn name(&self) -> &'static str {
            self.name
        }

        fn look(&self) -> Result<Vec<Seen>> {
            Ok(self.there.then(|| Seen::usable(self.name)).into_iter().collect())
        }

        fn fetch(&self, _: &mut Vec<Ignored>) -> Result<Option<Offer>> {
            self.asked.set(true);
            Ok(self.there.then(|| Offer::at(self.name, "/nowhere".into())))
        }
    }

    #[test]
    fn the_first_in_order_is_used_and_the_others_are_named() {
        let fake = |name, there| -> Box<dyn Datasource> {
            Box::new(Fake { name, there, asked: Cell::default() })
        };
        let sources = [fake("a", false), fake("b", true), fake("c", false), fake("d", true)];
        let (offer, ignored) = choose(&sources).unwrap();
        assert_eq!(offer.unwrap().source, "b");
        let expected = Ignored { source: "d".into(), reason: "b comes first".into() };
        assert_eq!(ignored, [expected]);
        assert!(choose(&[fake("a", false)]).unwrap().0.is_none());
    }
}
