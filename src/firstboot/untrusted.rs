//! All that reads bytes from outside the machine, by name, for tests that feed it rubbish:
//! none may panic, hang, or take more memory than a few times its input.

use std::path::Path;

use super::datasource::unpack_guestinfo;
use super::machine::{Facts, oem_strings_of};
use super::network_config;
use super::network_files::{self, Renderer};
use super::script;
use super::seed::{self, Named, Overlay, Platform, Tree};
use super::trust::{Key, Manifest, Trust};
use super::userdata::{self, Layers};
use super::yaml;
use crate::sys::cmdline::Cmdline;
use crate::sys::fetch;
use crate::sys::mountinfo;

/// A parser; what it makes of its input is dropped.
pub type Parser = fn(&[u8]);

/// All of them.
pub const PARSERS: [(&str, Parser); 15] = [
    ("script", |bytes| drop(script::parse(bytes))),
    ("manifest", |bytes| drop(Manifest::parse(&text(bytes)))),
    ("key", |bytes| drop(Key::parse("fuzzed".into(), &text(bytes)))),
    ("signature", signature),
    ("facts", |bytes| drop(Facts::parse(&text(bytes), Path::new("/")))),
    ("cmdline", |bytes| drop(Cmdline::parse(&text(bytes)))),
    ("smbios", |bytes| drop(oem_strings_of(bytes))),
    ("guestinfo", |bytes| drop(unpack_guestinfo(&text(bytes)))),
    ("url", |bytes| {
        let url = text(bytes);
        drop(fetch::without_secrets(&url));
        drop(mountinfo::parse_fstab(&url));
    }),
    ("meta-data", |bytes| seed(bytes, "meta-data", Platform::NoCloud)),
    ("meta_data.json", |bytes| {
        seed(bytes, "openstack/latest/meta_data.json", Platform::ConfigDrive);
    }),
    ("vendor_data.json", |bytes| {
        seed(bytes, "openstack/latest/vendor_data.json", Platform::ConfigDrive);
    }),
    ("yaml", |bytes| {
        if let Ok(document) = yaml::load(&text(bytes), &"fuzzed".into()) {
            drop(yaml::emit(&document.root));
        }
    }),
    ("userdata", user_data),
    ("network-config", network_config),
];

/// A seed whose other files are in order.
fn seed(bytes: &[u8], path: &str, platform: Platform) {
    let good = [
        ("user-data", &b""[..]),
        ("meta-data", b""),
        ("openstack/latest/meta_data.json", b"{\"uuid\": \"u\"}"),
        ("openstack/content/0000", b"content"),
        (path, bytes),
    ];
    let files = good.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    drop(seed::read(&Tree::memory(files.into(), "fuzzed"), platform, &Overlay::new()));
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Into parts and together again; nothing is fetched.
fn user_data(bytes: &[u8]) {
    let data = Named { source: "fuzzed".into(), bytes: bytes.to_vec() };
    let (parts, _) = userdata::parts(&data, Some(0), &|_| anyhow::bail!("nothing is fetched"));
    for part in &parts {
        drop(part.program());
    }
    drop(userdata::effective(&Layers { user: &parts, ..Layers::default() }));
}

/// Read, and written for both programs.
fn network_config(bytes: &[u8]) {
    let named = Named { source: "fuzzed".into(), bytes: bytes.to_vec() };
    if let (Some(network), _) = network_config::read(&named) {
        for renderer in [Renderer::NetworkManager, Renderer::Networkd] {
            drop(network_files::render(&network, renderer));
        }
    }
}

/// Both kinds of signature, of the same bytes.
fn signature(bytes: &[u8]) {
    const KEYS: [&str; 2] = [
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
        "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
    ];
    let keys = KEYS.iter().filter_map(|key| Key::parse("fuzzed".into(), key).ok()).collect();
    let trust = Trust::in_keys(keys);
    drop(trust.verify(&super::trust::Files::new(), |_| Ok(Some(bytes.to_vec()))));
}
