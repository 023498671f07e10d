//! Drives as facts describe them.

use super::super::Format;
use super::super::remote::testing::machine;
use super::*;
use crate::firstboot::seed::Platform;
use crate::sys::files;

#[test]
fn preferred_labels_come_first_in_either_case_and_no_other() {
    let drive = |node: &str, label: &str| {
        let label = Some(label).filter(|it| !it.is_empty());
        Drive::new(node.into(), label, "vfat".into(), None)
    };
    let mut drives: Vec<Drive> = [
        ("/dev/sda1", "INSTALL"),
        ("/dev/sdc", "combustion"),
        ("/dev/sda", ""),
        ("/dev/sdd", "Combustion"),
        ("/dev/sdb", "COMBUSTION"),
        ("/dev/sr0", "config-2"),
    ]
    .into_iter()
    .filter_map(|(node, label)| drive(node, label))
    .collect();
    drives.sort();
    assert_eq!(
        drives.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "/dev/sdb (label COMBUSTION, vfat)",
            "/dev/sdc (label combustion, vfat)",
            "/dev/sr0 (label config-2, vfat)",
            "/dev/sda1 (label INSTALL, vfat)",
            "/dev/sda (without a label, vfat)",
        ]
    );
    assert_eq!(Drive::new("/dev/vdb".into(), None, "ext4".into(), None), None);
}

#[test]
fn without_a_label_only_a_config_drive_counts() {
    let dir = tempfile::tempdir().unwrap();
    let machine = machine(dir.path(), "");
    let found = |content: &Path| {
        let drive = Drive::new("/dev/vdb".into(), None, "iso9660".into(), Some(content.to_owned()));
        let mut ignored = Vec::new();
        let offer = first(&machine, drive.into_iter().collect(), &mut Vec::new(), &mut ignored);
        assert_eq!(ignored, []);
        offer.unwrap().map(|offer| offer.format)
    };
    let (script, config) = (dir.path().join("script"), dir.path().join("config"));
    files::replace(&script.join("combustion/script"), b"#!/bin/sh\n", 0o644).unwrap();
    assert_eq!(found(&script), None);
    let meta = config.join("openstack/latest/meta_data.json");
    files::replace(&meta, br#"{"uuid": "i-1"}"#, 0o644).unwrap();
    assert_eq!(found(&config), Some(Format::Seed(Platform::ConfigDrive)));
    // Half of one may be anything.
    std::fs::remove_file(meta).unwrap();
    assert_eq!(found(&config), None);
}
