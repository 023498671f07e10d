//! The tree below `openstack/` that Nova writes: on a config drive, and by its metadata
//! service (`OpenStack` Nova's documentation, "Metadata service"; nova/api/metadata/base.py).

use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::meta::{self, Meta};
use super::{Injected, Named, Overlay, Platform, Seed, Tree};

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
    ("network_data.json", false),
];
const META_DATA: &str = "meta_data.json";
/// All files that it brings, together: they are kept in memory.
const MOST_INJECTED: usize = 64 << 20;

pub(super) fn read(tree: &Tree, platform: Platform, overlay: &Overlay) -> Result<Seed> {
    let version = version(tree)?;
    let meta = meta_data(tree)?;
    let files = injected(tree, &meta)?;
    let random_seed = random_seed(&meta)?;
    let uuid = meta.name("uuid")?;
    let uuid = uuid.ok_or_else(|| {
        meta.wrong("uuid", "it is missing: it says which machine this is, and must be there")
    })?;
    let hostname = meta.name("hostname")?;
    let public_keys = meta.public_keys("public_keys")?;
    let file = |name: &str| tree.read(&format!("openstack/{version}/{name}"));
    let mut vendor = Vec::new();
    for name in ["vendor_data.json", "vendor_data2.json"] {
        if let Some(named) = file(name)? {
            vendor.extend(vendor_data(&named)?);
        }
    }
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
        network_config: file("network_data.json")?.filter(|it| !it.bytes.is_empty()),
        files,
        random_seed,
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

/// The paths, below `openstack/`, of the contents that a `meta_data.json` names.
///
/// # Errors
/// It is not what it should be, or one of them leads out.
pub fn content_paths(named: &Named) -> Result<Vec<String>> {
    let files = files_of(&Meta::json(named)?)?;
    Ok(files.into_iter().map(|(_, content)| content).collect())
}

/// Where each file goes, and where in the tree its content is.
fn files_of(meta: &Meta) -> Result<Vec<(String, String)>> {
    let items = match meta.get("files") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(other) => {
            let what = format!("{} is here: a list of files belongs here", meta::kind(other));
            return Err(meta.wrong("files", &what));
        }
    };
    let file = |(at, item): (usize, &Value)| {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let key = format!("files[{at}]");
        let (Some(path), Some(content)) = (text("path"), text("content_path")) else {
            return Err(meta.wrong(&key, "each file has a `path` and a `content_path`, both text"));
        };
        let to = Path::new(path);
        let goes_on = |part| matches!(part, Component::RootDir | Component::Normal(_));
        if !to.is_absolute() || !to.components().all(goes_on) || path.chars().any(char::is_control)
        {
            let what = format!("path {path:?}: an absolute path without `..` belongs here");
            return Err(meta.wrong(&key, &what));
        }
        let content = content.trim_start_matches('/');
        super::tree::confined(content)
            .map_err(|e| meta.wrong(&key, &format!("content_path: {e}")))?;
        Ok((path.to_owned(), format!("openstack/{content}")))
    };
    items.iter().enumerate().map(file).collect()
}

fn injected(tree: &Tree, meta: &Meta) -> Result<Vec<Injected>> {
    let mut left = MOST_INJECTED;
    let mut all = Vec::new();
    for (path, content) in files_of(meta)? {
        let named = tree.read(&content)?;
        let named = named.with_context(|| {
            format!("{} is not there: it is to become {path}", tree.name_of(&content))
        })?;
        left = left.checked_sub(named.bytes.len()).with_context(|| {
            format!("{path}: all files together are larger than {} MiB", MOST_INJECTED >> 20)
        })?;
        all.push(Injected { path, bytes: named.bytes });
    }
    Ok(all)
}

fn random_seed(meta: &Meta) -> Result<Vec<u8>> {
    let text: String = match meta.get("random_seed") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
        Some(other) => {
            let what = format!("{} is here: base64 belongs here", meta::kind(other));
            return Err(meta.wrong("random_seed", &what));
        }
    };
    STANDARD.decode(text).map_err(|_| meta.wrong("random_seed", "it is no base64"))
}

/// What a file of vendor-data holds: text, a list of texts, or a mapping for several programs,
/// of which `cloud-init` has either of these.
///
/// # Errors
/// It holds something else.
pub fn vendor_data(named: &Named) -> Result<Vec<Named>> {
    if named.bytes.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let mut value = meta::json(named)?;
    if let Value::Object(map) = &mut value {
        value = map.remove("cloud-init").unwrap_or(Value::Null);
        ensure!(
            !value.is_object(),
            "{}: cloud-init: a mapping is here: text, or a list of texts, belongs here",
            named.source
        );
    }
    let text = |source: std::sync::Arc<str>, value: Value| match value {
        Value::String(text) => Ok(Named { source, bytes: text.into_bytes() }),
        other => bail!("{source}: {} is here: user-data as text belongs here", meta::kind(&other)),
    };
    let all: Result<Vec<_>> = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) => {
            let of = |(at, item)| text(format!("{}[{at}]", named.source).into(), item);
            items.into_iter().enumerate().map(of).collect()
        }
        other => text(named.source.clone(), other).map(|it| vec![it]),
    };
    Ok(all?.into_iter().filter(|it| !it.bytes.is_empty()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const META: &str = "openstack/latest/meta_data.json";

    fn seed_of(files: &[(&str, &str)]) -> Result<Seed, String> {
        let files: BTreeMap<_, _> = files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect();
        let tree = Tree::memory(files, "/dev/sr0");
        read(&tree, Platform::ConfigDrive, &Overlay::new()).map_err(|e| format!("{e:#}"))
    }

    fn texts(named: &[Named]) -> Vec<&str> {
        named.iter().map(|it| std::str::from_utf8(&it.bytes).unwrap()).collect()
    }

    #[test]
    fn all_of_it() {
        let meta = r#"{"uuid": "u-1", "hostname": "vm.novalocal", "random_seed": "AQID\n",
            "public_keys": {"mine": "ssh-rsa A\n"}, "meta": {"dsmode": "disabled"},
            "files": [{"path": "/etc/motd", "content_path": "/content/0000"}]}"#;
        let seed = seed_of(&[
            (META, meta),
            ("openstack/latest/user_data", "#!/bin/sh\n"),
            ("openstack/latest/vendor_data.json", r#"{"static": 7, "cloud-init": "v1"}"#),
            ("openstack/latest/vendor_data2.json", r#"["v2", "", "v3"]"#),
            ("openstack/latest/network_data.json", "{}"),
            ("openstack/content/0000", "hello"),
        ])
        .unwrap();
        assert_eq!((&*seed.instance_id, &*seed.datasource), ("u-1", "ConfigDrive"));
        assert_eq!(seed.local_hostname.as_deref(), Some("vm.novalocal"));
        assert_eq!(seed.public_keys, ["ssh-rsa A"]);
        assert_eq!(seed.random_seed, [1, 2, 3]);
        assert_eq!(seed.files, [Injected { path: "/etc/motd".into(), bytes: b"hello".to_vec() }]);
        assert_eq!(texts(&seed.vendor_data), ["v1", "v2", "v3"]);
        assert_eq!(&*seed.vendor_data[2].source, "/dev/sr0: openstack/latest/vendor_data2.json[2]");
        assert_eq!(seed.network_config.as_ref().unwrap().bytes, b"{}");
        assert!(seed.is_disabled() && seed.meta_data.get("random_seed").is_none());
    }

    #[test]
    fn the_newest_known_version_counts() {
        let uuid = |it: &str| format!("{{\"uuid\": \"{it}\"}}");
        let (latest, old, new) = (uuid("latest"), uuid("old"), uuid("new"));
        for (versions, expected) in [
            (&[("latest", &latest)][..], "latest"),
            (&[("latest", &latest), ("2012-08-10", &old)], "old"),
            (&[("2012-08-10", &old), ("2018-08-27", &new), ("latest", &latest)], "new"),
            (&[("latest", &latest), ("2099-01-01", &new)], "latest"),
        ] {
            let files: Vec<_> = versions
                .iter()
                .map(|(v, text)| (format!("openstack/{v}/meta_data.json"), text.as_str()))
                .collect();
            let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
            assert_eq!(seed_of(&files).unwrap().instance_id, expected);
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_field() {
        let file = |path: &str, content: &str| {
            format!(
                r#"{{"uuid": "u", "files": [{{"path": "{path}", "content_path": "{content}"}}]}}"#
            )
        };
        for (meta, says) in [
            ("{}".to_owned(), "meta_data.json: uuid: it is missing"),
            (r#"{"uuid": ["u"]}"#.to_owned(), "uuid: a list is here"),
            ("{\"uuid\": \"u\",\n".to_owned(), "meta_data.json:2:0: this is not JSON: EOF"),
            (String::new(), "meta_data.json:1:0: this is not JSON: EOF"),
            ("[]".to_owned(), "a list instead of an object"),
            (r#"{"uuid": "u", "files": {}}"#.to_owned(), "files: a mapping is here"),
            (r#"{"uuid": "u", "files": [{"path": "/a"}]}"#.to_owned(), "files[0]: each file has"),
            (file("/a", "../../etc/shadow"), "files[0]: content_path: \"../../etc/shadow\" leads"),
            (file("/a", "/content/../../../etc/shadow"), "leads out of the seed"),
            (file("/a", "/"), "leads out of the seed"),
            (
                file("/a", "/content/9999"),
                "openstack/content/9999 is not there: it is to become /a",
            ),
            (file("a", "content/0"), "files[0]: path \"a\": an absolute path without `..`"),
            (file("/../a", "content/0"), "an absolute path without `..`"),
            (r#"{"uuid": "u", "random_seed": "%"}"#.to_owned(), "random_seed: it is no base64"),
            (r#"{"uuid": "u", "random_seed": 7}"#.to_owned(), "random_seed: a number is here"),
            (r#"{"uuid": "u", "public_keys": 7}"#.to_owned(), "public_keys: a number is here"),
        ] {
            let error = seed_of(&[(META, &meta)]).unwrap_err();
            assert!(error.contains(says) && error.contains("/dev/sr0: openstack/"), "{error}");
        }
        let error = seed_of(&[("openstack/latest/user_data", "x")]).unwrap_err();
        assert_eq!(error, "/dev/sr0: openstack/latest/meta_data.json is not there");
    }

    #[test]
    fn files_do_not_fill_the_memory() {
        let item = r#"{"path": "/a", "content_path": "c"}"#;
        let meta = format!(r#"{{"uuid": "u", "files": [{}]}}"#, [item; 65].join(","));
        let megabyte = "x".repeat(1 << 20);
        let error = seed_of(&[(META, &meta), ("openstack/c", &megabyte)]).unwrap_err();
        assert!(error.contains("all files together are larger than 64 MiB"), "{error}");
    }

    #[test]
    fn vendor_data_in_every_shape() {
        let of = |text: &str| {
            let named = Named { source: "v.json".into(), bytes: text.as_bytes().to_vec() };
            vendor_data(&named).map_err(|e| e.to_string())
        };
        for (text, expected) in [
            (r#""x""#, &["x"][..]),
            (r#"["x", "y"]"#, &["x", "y"]),
            (r#"{"cloud-init": "x", "other": {}}"#, &["x"]),
            (r#"{"cloud-init": ["x"]}"#, &["x"]),
            (r#"{"other": "x"}"#, &[]),
            ("null", &[]),
            ("{}", &[]),
            ("", &[]),
        ] {
            assert_eq!(texts(&of(text).unwrap()), expected, "{text}");
        }
        for (text, says) in [
            ("7", "v.json: a number is here"),
            (r#"["x", {}]"#, "v.json[1]: a mapping is here"),
            (r#"{"cloud-init": {"cloud-init": "x"}}"#, "v.json: cloud-init: a mapping is here"),
            ("#cloud-config", "v.json:1:1: this is not JSON"),
        ] {
            let error = of(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
