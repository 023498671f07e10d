//! The tree below `openstack/` that Nova writes: on a config drive, and by its metadata
//! service (`OpenStack` Nova's documentation, "Metadata service"; nova/api/metadata/base.py).

mod files;
#[cfg(test)]
mod tests;
mod vendor;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub use files::content_paths;
pub use vendor::vendor_data;

use super::json;
use super::meta::Meta;
use super::{Overlay, Platform, Seed, Tree};

/// The versions of its layout that are known, newest first.
const VERSIONS: [&str; 8] = [
    "2018-08-27",
    "2017-02-22",
    "2016-10-06",
    "2016-06-30",
    "2015-10-15",
    "2013-10-17",
    "2013-04-04",
    "2012-08-10",
];
/// What there is where none of them is.
const LATEST: &str = "latest";
/// The files of a version, with whether each must be there.
pub const FILES: [(&str, bool); 5] = [
    (META_DATA, true),
    ("user_data", false),
    ("vendor_data.json", false),
    ("vendor_data2.json", false),
    (NETWORK_DATA, false),
];
const META_DATA: &str = "meta_data.json";
const NETWORK_DATA: &str = "network_data.json";

pub(super) fn read(tree: &Tree, platform: Platform, overlay: &Overlay) -> Result<Seed> {
    let version = version(tree)?;
    let meta = meta_data(tree)?;
    let files = files::injected(tree, &meta)?;
    let random_seed = random_seed(&meta)?;
    let uuid = meta.name("uuid")?;
    let uuid = uuid.ok_or_else(|| {
        meta.wrong("uuid", "it is missing: it says which machine this is, and must be there")
    })?;
    let hostname = meta.name("hostname")?;
    let public_keys = meta.public_keys("public_keys")?;
    let file = |name: &str| tree.read(&format!("openstack/{version}/{name}"));
    let vendor = |name: &str| file(name)?.map_or(Ok(Vec::new()), |named| vendor_data(&named));
    let vendor = [vendor("vendor_data.json")?, vendor("vendor_data2.json")?];
    let network_config = file(NETWORK_DATA)?.filter(|it| !it.bytes.is_empty());
    meta.refuse_interfaces("network_config", NETWORK_DATA, network_config.is_some())?;
    let given = |key: &str| overlay.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut map = meta.into_map();
    // It is kept once, and is no part of what templates may show.
    map.remove("random_seed");
    Ok(Seed {
        datasource: platform.name().to_owned(),
        instance_id: given("instance-id").unwrap_or(uuid),
        local_hostname: given("local-hostname").or(hostname),
        public_keys,
        meta_data: Value::Object(map),
        user_data: file("user_data")?.filter(|it| !it.bytes.is_empty()),
        vendor_data: vendor,
        network_config,
        files,
        random_seed,
        signed: false,
    })
}

/// The newest version that is known and there.
pub(super) fn version(tree: &Tree) -> Result<&'static str> {
    let names = tree.names("openstack")?;
    Ok(newest(&names.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The newest of these that is known, else [`LATEST`].
pub fn newest(names: &[&str]) -> &'static str {
    VERSIONS.into_iter().find(|version| names.contains(version)).unwrap_or(LATEST)
}

pub(super) fn meta_data(tree: &Tree) -> Result<Meta> {
    let path = format!("openstack/{}/{META_DATA}", version(tree)?);
    let named = tree.read(&path)?;
    Meta::json(&named.with_context(|| format!("{} is not there", tree.name_of(&path)))?)
}

fn random_seed(meta: &Meta) -> Result<Vec<u8>> {
    let text: String = match meta.get("random_seed") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        Some(other) => {
            let what = format!("{} is here: base64 belongs here", json::kind(other));
            return Err(meta.wrong("random_seed", &what));
        }
    };
    STANDARD.decode(text).map_err(|_| meta.wrong("random_seed", "it is no base64"))
}
