//! `NoCloud`: `user-data` and `meta-data` side by side, and two more that may be there
//! (cloud-init's documentation, "`NoCloud`").

use anyhow::{Context, Result};
use serde_json::Value;

use super::meta::Meta;
use super::{Overlay, Platform, Seed, Tree};

/// What the machine's owner wants. It must be there, and may be empty.
pub const USER_DATA: &str = "user-data";
/// What the platform says. It must be there, and may be empty.
pub const META_DATA: &str = "meta-data";
const VENDOR_DATA: &str = "vendor-data";
const NETWORK_CONFIG: &str = "network-config";
/// All of them, in the order in which they are fetched from a server.
pub const FILES: [&str; 4] = [NETWORK_CONFIG, META_DATA, USER_DATA, VENDOR_DATA];
/// The instance of a seed that names none.
const INSTANCE: &str = "nocloud";

pub(super) fn read(tree: &Tree, overlay: &Overlay) -> Result<Seed> {
    let meta = meta_data(tree)?.under(overlay);
    let user_data = required(tree, USER_DATA)?;
    let not_empty =
        |name| Ok::<_, anyhow::Error>(tree.read(name)?.filter(|it| !it.bytes.is_empty()));
    let network_config = not_empty(NETWORK_CONFIG)?;
    meta.refuse_interfaces("network-interfaces", NETWORK_CONFIG, network_config.is_some())?;
    let hostname = match meta.name("local-hostname")? {
        Some(name) => Some(name),
        None => meta.name("hostname")?,
    };
    Ok(Seed {
        datasource: Platform::NoCloud.name().to_owned(),
        instance_id: meta.name("instance-id")?.unwrap_or_else(|| INSTANCE.to_owned()),
        local_hostname: hostname,
        public_keys: meta.public_keys("public-keys")?,
        user_data: Some(user_data).filter(|it| !it.bytes.is_empty()),
        vendor_data: [not_empty(VENDOR_DATA)?.into_iter().collect(), Vec::new()],
        network_config,
        meta_data: Value::Object(meta.into_map()),
        ..Seed::default()
    })
}

pub(super) fn meta_data(tree: &Tree) -> Result<Meta> {
    Meta::yaml(&required(tree, META_DATA)?)
}

fn required(tree: &Tree, name: &str) -> Result<super::Named> {
    tree.read(name)?.with_context(|| {
        format!("{} is not there: it may be empty, but it must be there", tree.name_of(name))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let files: BTreeMap<_, _> = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        Tree::memory(files, "/dev/sr0")
    }

    fn with_meta(text: &str) -> Seed {
        read(&tree(&[(USER_DATA, ""), (META_DATA, text)]), &Overlay::new()).unwrap()
    }

    #[test]
    fn what_may_be_empty_and_what_may_be_missing() {
        let empty = with_meta("");
        assert_eq!((&*empty.instance_id, &*empty.datasource), ("nocloud", "NoCloud"));
        assert_eq!((empty.user_data, empty.local_hostname), (None, None));
        for (files, missing) in [
            (&[(USER_DATA, "x")][..], "/dev/sr0: meta-data is not there: it may be empty"),
            (&[(META_DATA, "")], "/dev/sr0: user-data is not there: it may be empty"),
            (&[], "/dev/sr0: meta-data is not there"),
        ] {
            let error = read(&tree(files), &Overlay::new()).unwrap_err().to_string();
            assert!(error.starts_with(missing), "{error}");
        }
    }

    #[test]
    fn all_of_it() {
        let files = [
            (USER_DATA, "#cloud-config\n"),
            (
                META_DATA,
                "instance-id: 7\nlocal-hostname: a\nhostname: b\ndsmode: local\nrack: [4]\n",
            ),
            (VENDOR_DATA, "v"),
            (NETWORK_CONFIG, "version: 2"),
        ];
        let seed = read(&tree(&files), &Overlay::new()).unwrap();
        assert_eq!((&*seed.instance_id, seed.local_hostname.as_deref()), ("7", Some("a")));
        assert_eq!(&*seed.user_data.as_ref().unwrap().source, "/dev/sr0: user-data");
        assert_eq!(seed.vendor_data[0][0].bytes, b"v");
        assert_eq!(seed.network_config.as_ref().unwrap().bytes, b"version: 2");
        assert_eq!(seed.meta_data["rack"], json!([4]));
        assert!(!seed.is_disabled() && with_meta("dsmode: disabled").is_disabled());
        assert_eq!(with_meta("hostname: b").local_hostname.as_deref(), Some("b"));
    }

    #[test]
    fn the_networks_old_form_is_refused_unless_there_is_the_new_one() {
        let old = "instance-id: i-1\nnetwork-interfaces: |\n  iface eth0 inet dhcp\n";
        let files = |old, new| tree(&[(USER_DATA, ""), (META_DATA, old), (NETWORK_CONFIG, new)]);
        let error = read(&files(old, ""), &Overlay::new()).unwrap_err().to_string();
        let says = "/dev/sr0: meta-data:3:3: network-interfaces: the network as text of Debian's";
        assert!(error.starts_with(says) && error.contains("write network-config"), "{error}");
        for (old, new) in
            [(old, "version: 2"), ("network-interfaces: ", ""), ("network-interfaces: ''", "")]
        {
            let seed = read(&files(old, new), &Overlay::new()).unwrap();
            assert_eq!(seed.network_config.is_some(), !new.is_empty(), "{old}");
        }
    }

    #[test]
    fn what_is_given_elsewhere_wins() {
        let overlay = [("instance-id".to_owned(), json!("i-1"))].into_iter().collect();
        let files = [(USER_DATA, ""), (META_DATA, "instance-id: [wrong]\nlocal-hostname: a")];
        let seed = read(&tree(&files), &overlay).unwrap();
        assert_eq!((&*seed.instance_id, seed.local_hostname.as_deref()), ("i-1", Some("a")));
    }
}
