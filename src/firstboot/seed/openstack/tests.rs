//! Trees as Nova writes them, and what is said of those that are wrong.

use std::collections::BTreeMap;

use super::*;
use crate::firstboot::seed::{Injected, Named};

const META: &str = "openstack/latest/meta_data.json";

fn seed_of(files: &[(&str, &str)]) -> Result<Seed, String> {
    let files: BTreeMap<_, _> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
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
    assert_eq!(texts(&seed.vendor_data[0]), ["v1"]);
    assert_eq!(texts(&seed.vendor_data[1]), ["v2", "v3"]);
    assert_eq!(&*seed.vendor_data[1][1].source, "/dev/sr0: openstack/latest/vendor_data2.json[2]");
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
        format!(r#"{{"uuid": "u", "files": [{{"path": "{path}", "content_path": "{content}"}}]}}"#)
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
        (file("/a", "/content/9999"), "openstack/content/9999 is not there: it is to become /a"),
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
