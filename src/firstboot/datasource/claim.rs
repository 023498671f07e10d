//! What becomes of a seed that was found: used as it is, left to another tool, or followed to
//! where its meta-data points.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Offer, Seen, ds, nocloud};
use crate::firstboot::machine::Machine;
use crate::firstboot::seed::{self, Overlay, Platform, Tree};
use crate::firstboot::trust;
use crate::sys::fetch::without_secrets;

/// What is done with it.
enum Claim {
    Used(Overlay),
    Elsewhere(Offer),
    No(Seen),
}

/// Claims the seed of an offer; the inner error says why it is not used.
///
/// # Errors
/// It is there and broken.
pub(super) fn seed(
    machine: &Machine,
    offer: Offer,
    platform: Platform,
) -> Result<Result<Offer, Seen>> {
    let claim = claim(machine, &offer, platform).with_context(|| offer.source.clone());
    match claim {
        Ok(Claim::Used(overlay)) => Ok(Ok(offer.seed(platform, overlay))),
        Ok(Claim::Elsewhere(other)) => {
            offer.close()?;
            Ok(Ok(other))
        }
        Ok(Claim::No(seen)) => {
            offer.close()?;
            Ok(Err(seen))
        }
        Err(e) => {
            offer.close()?;
            Err(e)
        }
    }
}

/// What [`seed`] would say of the seed in a directory, as far as that directory tells: whatever is
/// elsewhere is not asked.
///
/// # Errors
/// As [`seed`].
pub(super) fn look(what: &str, dir: &Path, platform: Platform) -> Result<Seen> {
    let tree = Tree::directory(dir, "");
    let left = left_alone(what, &tree, platform, &seed::meta_data(&tree, platform)?)?;
    Ok(left.unwrap_or_else(|| Seen::usable(what)))
}

/// Why a seed is not used, by its own files.
fn left_alone(what: &str, tree: &Tree, platform: Platform, meta: &Overlay) -> Result<Option<Seen>> {
    let mode = said(meta.get("dsmode"));
    if mode.or_else(|| said(meta.get("meta")?.get("dsmode"))).as_deref() == Some("disabled") {
        let unusable = Some("its meta-data says of it dsmode: disabled".to_owned());
        return Ok(Some(Seen { what: what.to_owned(), unusable }));
    }
    let user_data = seed::user_data(tree, platform)?;
    let is_foreign = user_data.is_some_and(|it| is_ignition(&it.bytes));
    Ok(is_foreign.then(|| Seen::foreign(what, "a configuration for Ignition")))
}

fn said(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

fn claim(machine: &Machine, offer: &Offer, platform: Platform) -> Result<Claim> {
    let tree = Tree::directory(&offer.dir, "");
    let mut meta = seed::meta_data(&tree, platform)?;
    if let Some(seen) = left_alone(&offer.source, &tree, platform, &meta)? {
        return Ok(Claim::No(seen));
    }
    if platform != Platform::NoCloud {
        return Ok(Claim::Used(Overlay::new()));
    }
    let mut overlay = ds::names(machine);
    let Some(address) = said(meta.remove("seedfrom").as_ref()) else {
        return Ok(Claim::Used(overlay));
    };
    // What nobody has signed may say where to look, and nothing else: keys could be in it.
    if !trust::is_asked_for(machine)? {
        for (key, value) in meta {
            overlay.entry(key).or_insert(value);
        }
    }
    let address = ds::with_dmi(machine, &address);
    let source = format!("{} (seedfrom of {})", without_secrets(&address), offer.source);
    nocloud::seedfrom(machine, &source, &address, overlay).map(Claim::Elsewhere)
}

/// `OpenStack`'s user-data may be for Ignition, which is JSON with a key of that name.
fn is_ignition(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Config {
        #[serde(rename = "ignition")]
        _ignition: serde::de::IgnoredAny,
    }
    serde_json::from_slice::<Config>(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::remote::testing::machine;
    use super::*;
    use crate::sys::files;

    #[test]
    fn seeds_are_used_left_or_broken() {
        let dir = tempfile::tempdir().unwrap();
        let machine = machine(dir.path(), "ds=nocloud;i=line");
        let of = |meta: &str, user: &str| {
            files::replace(&dir.path().join("meta-data"), meta.as_bytes(), 0o644).unwrap();
            files::replace(&dir.path().join("user-data"), user.as_bytes(), 0o644).unwrap();
            seed(&machine, Offer::at("stick", dir.path().to_owned()), Platform::NoCloud)
        };
        let used = of("instance-id: i-1", "#cloud-config\n").unwrap().unwrap();
        assert_eq!(used.overlay["instance-id"], "line");
        for (meta, user, says) in [
            ("dsmode: disabled", "", "dsmode: disabled"),
            ("", "{\"ignition\": {}}", "a configuration for Ignition"),
        ] {
            let left = of(meta, user).unwrap().unwrap_err();
            assert!(left.unusable.unwrap().contains(says));
        }
        let error = format!("{:#}", of("- a", "").unwrap_err());
        assert!(error.starts_with("stick: meta-data:1:1: a list is here"), "{error}");
    }
}
