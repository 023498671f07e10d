//! What is no, and what could not be found out.

use std::fs;

use serde_json::{Value, json};

use crate::bed::Bed;

const SCRIPT: (&str, &str) = ("hello/combustion/script", "#!/bin/sh\n");

#[test]
fn without_a_root_nothing_can_be_found_out() {
    let bed = Bed::new(&[("file", ""), ("facts", "{}")]);
    for arguments in [
        "config check",
        "config show",
        "firstboot status",
        "firstboot sources",
        "firstboot sources --facts facts",
        "firstboot detect",
        "firstboot validate facts",
        "status",
        "check",
    ] {
        for (root, why) in [("none", "none: "), ("file", "file: it is no directory")] {
            let told = bed.run(&format!("--root {root} {arguments}"));
            assert!(told.status == Some(3) && told.out.is_empty(), "{arguments}: {told:?}");
            assert!(told.err.contains(&format!("--root {why}")), "{arguments}: {told:?}");
        }
    }
}

#[test]
fn a_configuration_that_is_wrong_is_an_answer() {
    let bed = Bed::new(&[
        SCRIPT,
        ("root/etc/os-release", ""),
        ("list/user-data", "#cloud-config\n"),
        ("list/meta-data", "- a\n"),
        ("half/meta-data", ""),
        ("empty/film.mkv", ""),
    ]);
    for (source, status, says) in [
        ("list", 1, "a list is here"),
        ("half", 1, "user-data is not there"),
        ("empty", 1, "there is neither user-data"),
        ("hello", 1, "it is a script, which only a first boot can run: there is nothing to plan"),
        ("none", 3, "none"),
    ] {
        for command in ["plan", "apply"] {
            let told = bed.run(&format!("--root root firstboot {command} --source {source}"));
            assert!(told.status == Some(status) && told.err.contains(says), "{source}: {told:?}");
        }
    }
    for (content, status, says) in [
        ("list", 1, "a list is here"),
        ("half", 1, "but no \"user-data\""),
        ("empty", 1, "that machine would find no configuration"),
        ("hello", 1, "there is nothing to plan"),
    ] {
        fs::write(bed.path("facts"), stick(content)).unwrap();
        let told = bed.run("--root root firstboot plan --facts facts");
        assert!(told.status == Some(status) && told.err.contains(says), "{content}: {told:?}");
    }
}

/// A machine with one stick.
fn stick(content: &str) -> String {
    json!({"drives": [{"node": "/dev/sda", "label": "cidata", "type": "vfat", "content": content}]})
        .to_string()
}

#[test]
fn sources_say_what_plan_says() {
    let bed = Bed::new(&[
        SCRIPT,
        ("root/etc/os-release", ""),
        ("empty/film.mkv", ""),
        ("foreign/ignition/config.ign", "{}"),
        ("disabled/user-data", "#cloud-config\n"),
        ("disabled/meta-data", "dsmode: disabled\n"),
        ("half/user-data", "#cloud-config\n"),
        ("elsewhere/user-data", ""),
        ("elsewhere/meta-data", "seedfrom: http://192.0.2.1/\n"),
    ]);
    for (content, unusable) in [
        ("hello", None),
        ("elsewhere", None),
        ("empty", Some("neither a directory \"combustion\" nor a seed")),
        ("foreign", Some("a configuration for Ignition")),
        ("disabled", Some("dsmode: disabled")),
        ("half", Some("but no \"meta-data\"")),
    ] {
        fs::write(bed.path("facts"), stick(content)).unwrap();
        let told = bed.run("--root root firstboot sources --facts facts --json");
        let shown: Value = serde_json::from_str(&told.out).unwrap();
        let sources = shown["sources"].as_array().unwrap();
        let drive = sources.iter().find(|it| it["name"] == "drive").unwrap();
        let why = drive["there"][0]["unusable"].as_str().or(drive["problem"].as_str());
        assert!(why.is_some() == unusable.is_some(), "{content}: {told:?}");
        assert!(why.unwrap_or_default().contains(unusable.unwrap_or_default()), "{told:?}");
        assert_eq!(told.status, Some(i32::from(unusable.is_some())), "{content}");
        assert_eq!(shown["first"].is_null(), unusable.is_some(), "{content}");
    }
    fs::write(bed.path("facts"), json!({"cmdline": "combustion.url=ftp://x/y"}).to_string())
        .unwrap();
    let told = bed.run("--root root firstboot sources --facts facts");
    assert!(told.status == Some(1) && told.out.contains("ftp: is no way to fetch"), "{told:?}");
}

#[test]
fn validate_knows_what_it_is_given() {
    let large = format!("#!/bin/sh\n{}\n", "x".repeat(17 << 20));
    let bed = Bed::new(&[
        ("x/combustion/script", "#!/bin/sh\r\necho\r\n"),
        ("nothing/combustion/readme", ""),
        ("nc.yaml", "network:\n  version: 2\n  ethernets: {eth0: {dhcp4: true}}\n"),
        ("v1.yaml", "version: 1\nconfig: []\n"),
        ("mixed.yaml", "network:\n  version: 2\nhostname: box\n"),
        ("bad.yaml", "network:\n  version: 2\n  ethernets: 7\n"),
        ("user", "#cloud-config\nhostname: version\n"),
        ("large", &large),
    ]);
    for (dir, file, status, says) in [
        ("x/combustion", "script", 1, "a script of Combustion's: cannot be applied"),
        ("x", "combustion/script", 1, "a script of Combustion's: cannot be applied"),
        ("x", ".", 1, "a configuration for Combustion: cannot be applied"),
        (".", "nothing", 1, "the directory \"combustion\" has no file \"script\" in it"),
        (".", "nc.yaml", 0, "a configuration of the network: can be applied"),
        (".", "v1.yaml", 0, "a configuration of the network: can be applied"),
        (".", "bad.yaml", 1, "a configuration of the network: cannot be applied"),
        (".", "mixed.yaml", 1, "write #cloud-config above it"),
        (".", "user", 0, "user-data for cloud-init: can be applied"),
        (".", "large", 1, "it is larger than 16 MiB"),
        (".", "none", 3, ""),
    ] {
        let mut command = bed.command(&format!("firstboot validate {file}"));
        let done = command.current_dir(bed.path(dir)).output().unwrap();
        let out = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.code() == Some(status) && out.contains(says), "{file}: {done:?}");
    }
}
