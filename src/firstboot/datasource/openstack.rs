//! `OpenStack`'s metadata service (`OpenStack` Nova's documentation, "Metadata service"): asked
//! where DMI says that this is one of its machines, or the kernel command line does
//! (`ds=openstack`), and only after everything else, since the network has to be up for it.

use std::time::Duration;

use anyhow::{Context, Result};

use super::ds::Word;
use super::remote::{File, Remote};
use super::{Datasource, Ignored, Offer, Seen, claim};
use crate::firstboot::machine::Machine;
use crate::firstboot::seed::{self, Named, OPENSTACK_FILES, Platform};
use crate::firstboot::{network, trust};
use crate::sys::fetch::{Refused, without_secrets};
use crate::sys::files;

/// Where it is in every network of `OpenStack`'s.
const SERVICE: &str = "http://169.254.169.254";
/// All files together, with all tries; shared by the addresses, if there are several.
const LIMIT: Duration = Duration::from_secs(120);
/// What `product_name` of DMI is there.
const PRODUCTS: [&str; 2] = ["OpenStack Nova", "OpenStack Compute"];
/// What `chassis_asset_tag` is, at clouds that hide the product.
const ASSET_TAGS: [&str; 5] =
    ["HUAWEICLOUD", "OpenTelekomCloud", "SAP CCloud VM", "OpenStack Nova", "OpenStack Compute"];

/// The service.
pub(super) struct OpenStack {
    pub(super) machine: Machine,
}

impl OpenStack {
    /// Its addresses, and how it is known to be there.
    fn service(&self) -> Option<(Vec<String>, &'static str)> {
        let of = |field| self.machine.dmi(field);
        if let Some(word) = Word::of_cmdline(&self.machine) {
            // Any other word means that this datasource is not wanted.
            return (word.name == "openstack").then(|| (addresses(&word), "ds=openstack"));
        }
        let is_product = of("product_name").is_some_and(|it| PRODUCTS.contains(&it.as_str()));
        let is_tag = || of("chassis_asset_tag").is_some_and(|it| ASSET_TAGS.contains(&it.as_str()));
        (is_product || is_tag()).then(|| (vec![SERVICE.to_owned()], "OpenStack by its DMI"))
    }
}

fn addresses(word: &Word) -> Vec<String> {
    let urls = word.get("metadata_urls").unwrap_or(SERVICE).split(',');
    urls.map(|it| it.trim_end_matches('/').to_owned()).filter(|it| !it.is_empty()).collect()
}

fn name_of(base: &str, why: &str) -> String {
    format!("{} ({why})", without_secrets(base))
}

impl Datasource for OpenStack {
    fn name(&self) -> &'static str {
        "openstack"
    }

    fn look(&self) -> Result<Vec<Seen>> {
        let (bases, why) = self.service().unwrap_or_default();
        Ok(bases.iter().map(|base| Seen::usable(name_of(base, why))).collect())
    }

    fn fetch(&self, ignored: &mut Vec<Ignored>) -> Result<Option<Offer>> {
        let Some((bases, why)) = self.service() else { return Ok(None) };
        let what_to_do = "to start without it, write ds=none on the kernel command line";
        network::up(&self.machine)
            .with_context(|| format!("the metadata of {why} cannot be had; {what_to_do}"))?;
        let limit = LIMIT / u32::try_from(bases.len()).unwrap_or(u32::MAX).max(1);
        let mut problem = None;
        for base in &bases {
            match files_at(&self.machine, base, limit) {
                Ok(None) => log::info!("{}: no metadata there", without_secrets(base)),
                Ok(Some(all)) => {
                    let offer = Offer::files(name_of(base, why), &all)?;
                    return match claim::seed(&self.machine, offer, Platform::OpenStack)? {
                        Ok(offer) => Ok(Some(offer)),
                        Err(seen) => {
                            ignored.extend(seen.passed_over());
                            Ok(None)
                        }
                    };
                }
                Err(e) => problem = Some(e.context(name_of(base, why))),
            }
        }
        problem.map_or(Ok(None), |e| Err(e.context(what_to_do)))
    }
}

/// All its files, at their places in the tree; `None` if this server has none.
fn files_at(machine: &Machine, base: &str, limit: Duration) -> Result<Option<Vec<File>>> {
    let remote = Remote::new(machine, limit);
    let version = version(&remote, base)?;
    let at = |path: &str| format!("{base}/{path}");
    let mut all = Vec::new();
    for (name, is_required) in OPENSTACK_FILES {
        let path = format!("openstack/{version}/{name}");
        let bytes =
            if is_required { remote.get(&at(&path))? } else { remote.optional(&at(&path))? };
        match bytes {
            Some(bytes) => all.push((path, bytes)),
            None if is_required => return Ok(None),
            None => {}
        }
    }
    if let Some((path, bytes)) = all.first().cloned() {
        for content in seed::content_paths(&Named { source: path.into(), bytes })? {
            if !all.iter().any(|(path, _)| *path == content) {
                let bytes = remote.required(&at(&content))?;
                all.push((content, bytes));
            }
        }
    }
    if trust::is_asked_for(machine)? {
        for name in trust::FILES {
            let bytes = remote.optional(&at(name))?;
            all.extend(bytes.map(|bytes| (name.to_owned(), bytes)));
        }
    }
    within_bounds(&all)?;
    Ok(Some(all))
}

fn within_bounds(all: &[File]) -> Result<()> {
    const MOST: u64 = 8 * files::MAX_FILE;
    let total: u64 = all.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    anyhow::ensure!(total <= MOST, "all together is larger than {} MiB", MOST >> 20);
    Ok(())
}

/// The newest version that the server has; `latest` if it does not list them.
fn version(remote: &Remote, base: &str) -> Result<&'static str> {
    let listed = match remote.get(&format!("{base}/openstack")) {
        Ok(listed) => listed.unwrap_or_default(),
        Err(e) if e.downcast_ref::<Refused>().is_some() => {
            log::info!("{e:#}: taking the latest version");
            Vec::new()
        }
        Err(e) => return Err(e),
    };
    let text = String::from_utf8_lossy(&listed);
    let names: Vec<_> = text.lines().map(|it| it.trim().trim_end_matches('/')).collect();
    Ok(seed::newest(&names))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::remote::testing::{machine, server};
    use super::*;
    use crate::firstboot::machine::Facts;
    use crate::firstboot::seed::Tree;

    const META: &str = r#"{"uuid": "u-1", "files": [
        {"path": "/a", "content_path": "/content/0000"},
        {"path": "/b", "content_path": "/content/0000"}]}"#;

    fn fetched(cmdline: &str) -> (Result<Option<Offer>>, Vec<Ignored>) {
        let dir = tempfile::tempdir().unwrap();
        let mut ignored = Vec::new();
        let machine = machine(dir.path(), cmdline);
        (OpenStack { machine }.fetch(&mut ignored), ignored)
    }

    #[test]
    fn the_whole_tree_of_the_newest_known_version_is_fetched() {
        let (at, asked) = server(&[
            ("/openstack", "2012-08-10\n2018-08-27\n2099-01-01\nlatest\n"),
            ("/openstack/2018-08-27/meta_data.json", META),
            ("/openstack/2018-08-27/user_data", "#cloud-config\n"),
            ("/openstack/content/0000", "hello"),
        ]);
        let (offer, _) = fetched(&format!("ds=openstack;metadata_urls={at}/"));
        let offer = offer.unwrap().unwrap();
        assert_eq!(offer.source, format!("{at} (ds=openstack)"));
        let tree = Tree::directory(&offer.dir, "");
        let seed = seed::read(&tree, Platform::OpenStack, &offer.overlay).unwrap();
        assert_eq!((&*seed.datasource, &*seed.instance_id), ("OpenStack", "u-1"));
        assert_eq!(seed.files.iter().map(|it| &*it.bytes).collect::<Vec<_>>(), [b"hello"; 2]);
        let contents = |it: &&String| it.ends_with("/content/0000");
        assert_eq!(asked.lock().unwrap().iter().filter(contents).count(), 1);
    }

    #[test]
    fn the_next_address_is_asked_and_none_is_no_error() {
        let (none, _) = server(&[]);
        let (at, _) = server(&[("/openstack/latest/meta_data.json", r#"{"uuid": "u-1"}"#)]);
        let (offer, _) = fetched(&format!("ds=openstack;metadata_urls={none},{at}"));
        assert_eq!(offer.unwrap().unwrap().source, format!("{at} (ds=openstack)"));
        assert!(fetched(&format!("ds=openstack;metadata_urls={none}")).0.unwrap().is_none());
    }

    #[test]
    fn what_is_broken_or_hostile_is_named() {
        let bad = META.replace("/content/0000", "../../../etc/shadow");
        for (meta, says) in [
            ("{", "openstack/latest/meta_data.json:1:1: this is not JSON"),
            (&bad, "leads out of the seed"),
            (META, "/openstack/content/0000: the server has no such file"),
        ] {
            let (at, _) = server(&[("/openstack/latest/meta_data.json", meta)]);
            let (error, _) = fetched(&format!("ds=openstack;metadata_urls={at}"));
            let error = format!("{:#}", error.unwrap_err());
            assert!(error.contains(says) && error.contains("write ds=none"), "{error}");
        }
    }

    #[test]
    fn a_configuration_for_ignition_is_left_to_it() {
        let (at, _) = server(&[
            ("/openstack/latest/meta_data.json", r#"{"uuid": "u-1"}"#),
            ("/openstack/latest/user_data", r#"{"ignition": {"version": "3.0.0"}}"#),
        ]);
        let (offer, ignored) = fetched(&format!("ds=openstack;metadata_urls={at}"));
        assert!(offer.unwrap().is_none() && ignored[0].reason.contains("for Ignition"));
    }

    #[test]
    fn who_is_asked() {
        for (cmdline, product, tag, expected) in [
            ("", "OpenStack Nova", "", true),
            ("", "OpenStack Compute", "", true),
            ("", "Standard PC", "OpenTelekomCloud", true),
            ("", "Standard PC", "", false),
            ("ds=none", "OpenStack Nova", "", false),
            ("ds=nocloud", "OpenStack Nova", "", false),
            ("ds=openstack", "Standard PC", "", true),
        ] {
            let facts = serde_json::json!({
                "cmdline": cmdline, "dmi": {"product_name": product, "chassis_asset_tag": tag}
            });
            let facts = Facts::parse(&facts.to_string(), Path::new("")).unwrap();
            let machine = Machine::described(facts, "/".into());
            let seen = OpenStack { machine }.look().unwrap();
            assert_eq!(!seen.is_empty(), expected, "{cmdline} {product} {tag}");
        }
    }
}
