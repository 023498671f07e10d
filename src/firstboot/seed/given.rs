//! A seed that somebody names on the command line: `--source PATH`.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{META_DATA, Named, Overlay, Platform, Seed, Tree, USER_DATA, read};
use crate::sys::files;

/// What a seed of user-data alone is called, and its instance.
const ALONE: &str = "nocloud";

/// Why a script of Combustion's has no plan.
pub const SCRIPT: &str =
    "it is a script, which only a first boot can run: there is nothing to plan";

/// Reads the seed at `path`: a directory that is one of `NoCloud`'s or the root of a config
/// drive, or a file that is user-data. At the desk there is often no `meta-data` yet: it counts
/// as empty then.
///
/// # Errors
/// There is none, or as [`read`].
pub fn given(path: &Path) -> Result<Seed> {
    given_with(path, &Overlay::new())
}

/// The same; what `overlay` has wins over what its meta-data says.
///
/// # Errors
/// As [`given`].
pub fn given_with(path: &Path, overlay: &Overlay) -> Result<Seed> {
    let name = path.display().to_string();
    let said = |key: &str| overlay.get(key).and_then(Value::as_str).map(str::to_owned);
    if !path.is_dir() {
        let bytes = files::read(path)?.with_context(|| format!("{name} is not there"))?;
        return Ok(Seed {
            datasource: Platform::NoCloud.name().to_owned(),
            instance_id: said("instance-id").unwrap_or_else(|| ALONE.to_owned()),
            local_hostname: said("local-hostname"),
            meta_data: serde_json::Value::Object(overlay.clone()),
            user_data: Some(Named { source: name.into(), bytes }),
            ..Seed::default()
        });
    }
    // A machine that finds both takes the script.
    if path.join("combustion").exists() {
        bail!("{name}: {SCRIPT}");
    }
    let tree = Tree::directory(path, name.clone());
    let (user, meta) = (path.join(USER_DATA).exists(), path.join(META_DATA).exists());
    match (user, meta) {
        (_, true) => read(&tree, Platform::NoCloud, overlay),
        (true, false) => {
            let seed = given_with(&path.join(USER_DATA), overlay)?;
            let vendor_data = [tree.read("vendor-data")?.into_iter().collect(), Vec::new()];
            Ok(Seed { vendor_data, network_config: tree.read("network-config")?, ..seed })
        }
        _ if path.join("openstack").is_dir() => read(&tree, Platform::ConfigDrive, overlay),
        _ => bail!(
            "{name}: there is neither {USER_DATA} with {META_DATA} nor a directory \"openstack\" in \
             it; a single file of user-data may be named itself"
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_a_seed_or_a_drive() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, text) in [
            ("only.yaml", "#cloud-config\n"),
            ("nocloud/user-data", "u"),
            ("nocloud/meta-data", "instance-id: i-1"),
            ("desk/user-data", "u"),
            ("desk/vendor-data", "v"),
            ("drive/openstack/latest/meta_data.json", r#"{"uuid": "u-1"}"#),
            ("script/combustion/script", "#!/bin/sh\n"),
            ("script/user-data", "u"),
        ] {
            files::replace(&at(name), text.as_bytes(), 0o644).unwrap();
        }
        for (name, datasource, instance, user_data) in [
            ("only.yaml", "NoCloud", "nocloud", Some("only.yaml")),
            ("nocloud", "NoCloud", "i-1", Some("nocloud: user-data")),
            ("desk", "NoCloud", "nocloud", Some("desk/user-data")),
            ("drive", "ConfigDrive", "u-1", None),
        ] {
            let seed = given(&at(name)).unwrap();
            assert_eq!((&*seed.datasource, &*seed.instance_id), (datasource, instance), "{name}");
            let source = seed.user_data.map(|it| it.source.to_string());
            let expected = user_data.map(|it| at(it).display().to_string());
            assert_eq!(source, expected);
        }
        assert_eq!(given(&at("desk")).unwrap().vendor_data[0].len(), 1);
        // An old drive's network is not dropped in silence.
        let old = br#"{"uuid": "u-1", "network_config": {"content_path": "/content/0000"}}"#;
        files::replace(&at("old/openstack/latest/meta_data.json"), old, 0o644).unwrap();
        let error = given(&at("old")).unwrap_err().to_string();
        assert!(error.contains("network_config: the network as text of Debian's"), "{error}");
        let new = at("old/openstack/latest/network_data.json");
        files::replace(&new, b"{}", 0o644).unwrap();
        assert!(given(&at("old")).unwrap().network_config.is_some());
        let overlay = Overlay::from_iter([("instance-id".to_owned(), "i-9".into())]);
        for name in ["only.yaml", "nocloud", "desk"] {
            assert_eq!(given_with(&at(name), &overlay).unwrap().instance_id, "i-9", "{name}");
        }
        fs::create_dir(at("empty")).unwrap();
        for (name, says) in [
            ("empty", "there is neither user-data with"),
            ("none", "is not there"),
            ("script", SCRIPT),
        ] {
            let error = given(&at(name)).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
