//! What becomes of a seed as a whole.

use super::*;
use crate::firstboot::seed::{self, Overlay, Platform, Tree};

/// Scripts of all kinds, by their MIME types.
const SCRIPTS: &str = "Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\n\n\
    --b\nContent-Type: text/x-shellscript\n\n#!/bin/sh\n\
    --b\nContent-Type: text/x-shellscript-per-boot\n\n#!/bin/sh\n\
    --b\nContent-Type: text/cloud-boothook\n\n#!/bin/sh\n--b--\n";

/// What its owner wants.
const ARCHIVE: &str = "#cloud-config-archive\n- |\n  #cloud-config\n  \
    vendor_data: {prefix: [nice, -n, 19]}\n\
    - {type: text/x-shellscript, content: \"#!/bin/sh\"}\n";

/// What of a vendor is heard, by the keys that are left of the user's and the vendor's.
#[test]
fn the_vendor_data_that_is_refused_is_the_one_that_was_named() {
    const LIST: &str = r##"["#cloud-config\nruncmd: [a]", "#cloud-config\nbootcmd: [b]"]"##;
    const TEXT: &str = r##""#cloud-config\ntimezone: UTC""##;
    let (first, second, both) = ("{enabled: false}", "{enabled: true}", "{}");
    for (files, keys, heard) in [
        (vec![("vendor_data2.json", TEXT)], [both, first], ""),
        (vec![("vendor_data2.json", TEXT)], [first, second], "timezone"),
        (vec![("vendor_data.json", LIST)], [first, second], ""),
        (vec![("vendor_data.json", LIST)], [both, first], "runcmd bootcmd"),
        (vec![("vendor_data.json", LIST), ("vendor_data2.json", TEXT)], [first, both], "timezone"),
        (
            vec![("vendor_data.json", LIST), ("vendor_data2.json", TEXT)],
            [both, first],
            "runcmd bootcmd",
        ),
        (vec![("vendor-data", "#cloud-config\ntimezone: UTC")], [first, both], ""),
        (vec![("vendor-data", "#cloud-config\ntimezone: UTC")], [both, first], "timezone"),
    ] {
        let user = format!("#cloud-config\nvendor_data: {}\nvendor_data2: {}", keys[0], keys[1]);
        let is_nocloud = files.iter().all(|(name, _)| *name == "vendor-data");
        let (platform, directory) = if is_nocloud {
            (Platform::NoCloud, "")
        } else {
            (Platform::ConfigDrive, "openstack/latest/")
        };
        let own = [
            ("meta-data".to_owned(), Vec::new()),
            ("user-data".to_owned(), user.as_bytes().to_vec()),
            ("openstack/latest/user_data".to_owned(), user.as_bytes().to_vec()),
            ("openstack/latest/meta_data.json".to_owned(), b"{\"uuid\": \"u\"}".to_vec()),
        ];
        let theirs = files
            .iter()
            .map(|(name, text)| (format!("{directory}{name}"), text.as_bytes().to_vec()));
        let tree = Tree::memory(own.into_iter().chain(theirs).collect(), "seed");
        let seed = seed::read(&tree, platform, &Overlay::new()).unwrap();
        let it = interpret(&seed, &Defaults::of(""), &|url| anyhow::bail!("{url}?"));
        assert!(it.problems.is_empty(), "{files:?}: {:?}", it.problems);
        let found = ["runcmd", "bootcmd", "timezone"].into_iter();
        let found: Vec<&str> = found.filter(|key| it.config.get(key).is_some()).collect();
        assert_eq!(found.join(" "), heard, "{files:?} {keys:?}");
    }
}

/// Items of a list are parts of one message: a later one takes a key's value whole.
#[test]
fn a_list_of_vendor_data_is_merged_as_parts_are() {
    let list = r##"["#cloud-config\nntp: {servers: [a]}", "#cloud-config\nntp: {pools: [b]}"]"##;
    let files = [
        ("openstack/latest/meta_data.json", "{\"uuid\": \"u\"}"),
        ("openstack/latest/vendor_data.json", list),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let tree = Tree::memory(files.into(), "seed");
    let seed = seed::read(&tree, Platform::ConfigDrive, &Overlay::new()).unwrap();
    let it = interpret(&seed, &Defaults::of(""), &|url| anyhow::bail!("{url}?"));
    let ntp = it.config.get("ntp").unwrap();
    assert!(ntp.get("servers").is_none() && ntp.get("pools").is_some(), "{ntp:?}");
}

const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn problems(signed: bool, text: &str) -> Vec<String> {
    let seed = Seed { signed, ..alone("user", text.as_bytes().to_vec()) };
    let fetch = |_: &str| Ok(b"#cloud-config\n{}\n".to_vec());
    let it = interpret(&seed, &Defaults::of(""), &fetch);
    it.problems.iter().map(ToString::to_string).collect()
}

#[test]
fn behind_a_signature_every_address_carries_a_sum() {
    let key = "zypper:\n  repos:\n  - {id: r, baseurl: 'http://b/', gpgkey: 'http://k/k'}\n";
    let (key, said) = (format!("#cloud-config\n{key}"), "the configuration is signed");
    for (text, address, says) in [
        ("#include\nhttp://me:s3cret@a/b\n", "a/b", "user:2:1: error: cannot fetch http://a/b: "),
        (
            "#cloud-config\nwrite_files:\n- {path: /a, source: {uri: 'http://a/b?t=s3cret'}}\n",
            "a/b?t=s3cret",
            "user:3:3: error: http://a/b?…: ",
        ),
        (&key, "k/k", "user:4:43: error: http://k/k: "),
    ] {
        assert_eq!(problems(false, text), Vec::<String>::new());
        let [problem] = &problems(true, text)[..] else { panic!("{text}") };
        assert!(problem.starts_with(&format!("{says}{said}")), "{problem}");
        assert!(problem.contains("write #sha256= and") && !problem.contains("s3cret"));
        let summed = text.replace(address, &format!("{address}#sha256={SUM}"));
        assert_eq!(problems(true, &summed), Vec::<String>::new());
        let [problem] = &problems(false, &summed.replace("=0", "="))[..] else {
            panic!("{summed}")
        };
        assert!(problem.contains("is no sum: write #sha256= and the 64"), "{problem}");
    }
}

#[test]
fn a_prefix_is_for_the_vendors_scripts_of_an_instance() {
    let named =
        |source: &str, text: &str| Named { source: source.into(), bytes: text.as_bytes().to_vec() };
    let seed = Seed {
        user_data: Some(named("user", ARCHIVE)),
        vendor_data: [vec![named("v1", SCRIPTS)], vec![named("v2", SCRIPTS)]],
        ..Seed::default()
    };
    let it = interpret(&seed, &Defaults::of(""), &|url| anyhow::bail!("{url}?"));
    assert!(it.problems.is_empty(), "{:?}", it.problems);
    let later = it.configuration.later;
    let found: Vec<(bool, When, usize)> = later
        .scripts
        .iter()
        .chain(&later.boothooks)
        .map(|it| (it.name.contains("vendor"), it.when, it.prefix.len()))
        .collect();
    let (vendor, user) = (true, false);
    assert_eq!(
        found,
        [
            (vendor, When::Instance, 3),
            (vendor, When::Boot, 0),
            (vendor, When::Instance, 3),
            (vendor, When::Boot, 0),
            (user, When::Instance, 0),
            (vendor, When::Boot, 0),
            (vendor, When::Boot, 0),
        ]
    );
}
