//! A small system of real programs, damaged in every way that has a row.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Command;

use nix::sys::stat::Mode;

use super::*;

const KERNEL: &str = "6.12.0-1-default";

/// A system below `root` whose init and one service are this machine's `true`.
fn system(root: &Path) {
    let dirs = ["etc", "usr/bin", "usr/lib/systemd/system", "usr/lib/modules/6.12.0-1-default"];
    for dir in dirs {
        fs::create_dir_all(root.join(dir)).unwrap();
    }
    for (path, text) in [
        ("usr/lib/os-release", "ID=test\n"),
        ("usr/lib/modules/6.12.0-1-default/modules.dep", "a:\n"),
        ("etc/fstab", "LABEL=ROOT / btrfs ro 0 0\nLABEL=DATA /data ext4 nofail 0 0\n"),
        ("etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n"),
        ("usr/lib/systemd/system/web.service", "[Service]\nExecStart=/usr/bin/web --x\n"),
        ("usr/lib/systemd/system/at@.service", "[Service]\nExecStart=-/usr/bin/none\n"),
        ("usr/bin/script", "#! /usr/bin/web -x\n"),
    ] {
        write(root, path, text);
    }
    let program = fs::read("/bin/true").unwrap();
    for path in ["usr/lib/systemd/systemd", "usr/bin/web"] {
        fs::write(root.join(path), &program).unwrap();
    }
    for path in ["usr/lib/systemd/systemd", "usr/bin/web", "usr/bin/script"] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
    libraries(root);
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Its interpreter, at its own place, and its libraries where ld.so.conf points.
fn libraries(root: &Path) {
    write(root, "etc/ld.so.conf.d/own.conf", "/usr/lib/own\n");
    fs::create_dir_all(root.join("usr/lib/own")).unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test may wait for ldd")]
    let said = Command::new("ldd").arg("/bin/true").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    for line in said.lines().map(str::trim) {
        let path = line.split_ascii_whitespace().find(|word| word.starts_with('/'));
        let Some(path) = path.map(PathBuf::from) else { continue };
        let to = if line.contains("=>") {
            root.join("usr/lib/own").join(path.file_name().unwrap())
        } else {
            root.join(path.strip_prefix("/").unwrap())
        };
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
}

fn look(root: &Path, units: &[&str]) -> Vec<String> {
    let tree = Tree::new(root, Vec::new(), vec![Place { target: "/opt".into(), seen: None }]);
    let units: Vec<String> = units.iter().map(ToString::to_string).collect();
    problems(&Question {
        tree: &tree,
        kernel: Some(KERNEL),
        machine: own_machine().unwrap(),
        init: None,
        units: &units,
        usual_units: &["none.service".to_owned()],
        appraised: false,
        device: &|entry| Some(entry.spec == "LABEL=ROOT"),
    })
}

const UNITS: [&str; 2] = ["web.service", "at@1.service"];

#[test]
fn a_whole_system_has_no_problems() {
    let dir = tempfile::tempdir().unwrap();
    system(dir.path());
    assert_eq!(look(dir.path(), &UNITS), [""; 0]);
}

type Damage = fn(&Path);

fn change(root: &Path, path: &str, how: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(root.join(path)).unwrap();
    how(&mut bytes);
    fs::write(root.join(path), bytes).unwrap();
}

fn program(root: &Path, unit_command: &str) {
    write(root, "etc/systemd/system/web.service.d/x.conf", "[Service]\nExecStart=\n");
    let text = format!("[Service]\nExecStart={unit_command}\n");
    write(root, "etc/systemd/system/web.service.d/y.conf", &text);
}

#[test]
fn every_damage_is_named() {
    let rows: &[(Damage, &str)] = &[
        (|r| fs::remove_file(r.join("usr/lib/os-release")).unwrap(), "os-release"),
        (|r| write(r, "usr/lib/os-release", "\n"), "os-release"),
        (|r| fs::remove_file(r.join("usr/lib/systemd/systemd")).unwrap(), "no init"),
        (|r| change(r, "usr/lib/systemd/systemd", |b| b.truncate(9000)), "truncated"),
        (|r| change(r, "usr/lib/systemd/systemd", Vec::clear), "neither a program nor a script"),
        (
            |r| change(r, "usr/lib/own/libc.so.6", |b| b.truncate(b.len() / 2)),
            "libc.so.6: truncated",
        ),
        (
            |r| fs::remove_file(r.join("usr/lib/own/libc.so.6")).unwrap(),
            "needs libc.so.6: it is not there",
        ),
        (|r| change(r, "usr/lib/own/libc.so.6", |b| b[18] = 243), "another kind of machine"),
        (|r| change(r, "usr/bin/web", |b| b[18] = 243), "web.service: /usr/bin/web is for another"),
        (
            |r| fs::remove_file(r.join("usr/bin/web")).unwrap(),
            "web.service: /usr/bin/web is not there",
        ),
        (
            |r| write(r, "usr/lib/systemd/system/web.service", ""),
            "web.service, which is checked, is masked",
        ),
        (
            |r| fs::remove_file(r.join("usr/lib/systemd/system/web.service")).unwrap(),
            "web.service, which is checked, is not there",
        ),
        (|r| program(r, "/usr/bin/none"), "/usr/bin/none is not there"),
        (|r| program(r, "/etc/fstab"), "/etc/fstab cannot be executed"),
        (
            |r| {
                program(r, "script");
                write(r, "usr/bin/script", "#!/usr/bin/nothing\n");
            },
            "script asks for it: /usr/bin/nothing is not there",
        ),
        (
            |r| fs::remove_dir_all(r.join("usr/lib/modules/6.12.0-1-default")).unwrap(),
            "the modules of the kernel",
        ),
        (
            |r| write(r, "usr/lib/modules/6.12.0-1-default/modules.dep", ""),
            "the modules of the kernel",
        ),
        (
            |r| write(r, "etc/fstab", "LABEL=NEW /new ext4 defaults 0 0\n"),
            "LABEL=NEW for /new is not there",
        ),
        (|r| write(r, "etc/fstab", "LABEL=NEW\n"), "line 1"),
    ];
    for (number, (damage, expected)) in rows.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        system(dir.path());
        damage(dir.path());
        let said = look(dir.path(), &UNITS);
        assert!(said.iter().any(|it| it.contains(expected)), "{number}: {expected}: {said:?}");
    }
}

#[test]
fn what_cannot_be_seen_is_not_held_against_it() {
    let rows: &[Damage] = &[
        |r| program(r, "/opt/app/run"),
        |r| program(r, "script"),
        |r| program(r, "/usr/bin/%i"),
        |r| write(r, "etc/fstab", "nas:/x /x nfs defaults 0 0\nLABEL=X /y ext4 noauto 0 0\n"),
        |r| {
            fs::remove_file(r.join("usr/lib/systemd/system/web.service")).unwrap();
            symlink("/opt/app/web.service", r.join("usr/lib/systemd/system/web.service")).unwrap();
        },
    ];
    for (number, damage) in rows.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        system(dir.path());
        damage(dir.path());
        assert_eq!(look(dir.path(), &UNITS), [""; 0], "{number}");
    }
}

#[test]
fn what_is_no_file_is_never_opened() {
    let dir = tempfile::tempdir().unwrap();
    system(dir.path());
    let library = dir.path().join("usr/lib/own/libc.so.6");
    fs::remove_file(&library).unwrap();
    // Opened for reading, it would wait for a writer for ever.
    nix::unistd::mkfifo(&library, Mode::from_bits_truncate(0o644)).unwrap();
    nix::unistd::mkfifo(&dir.path().join("etc/os-release"), Mode::from_bits_truncate(0o644))
        .unwrap();
    let said = look(dir.path(), &UNITS);
    assert!(said.iter().any(|it| it.contains("not a regular file")), "{said:?}");
    assert!(said.iter().any(|it| it.contains("needs libc.so.6")), "{said:?}");
}

#[test]
fn a_unit_that_a_generator_may_make_is_not_missing() {
    let without = |made_by: &[(&str, &str)]| {
        let dir = tempfile::tempdir().unwrap();
        system(dir.path());
        fs::remove_file(dir.path().join("usr/lib/systemd/system/web.service")).unwrap();
        for (path, text) in made_by {
            write(dir.path(), path, text);
        }
        look(dir.path(), &UNITS)
    };
    let generator = |name: &str| format!("usr/lib/systemd/system-generators/{name}");
    let podman = (&*generator("podman-system-generator"), "");
    assert_eq!(without(&[podman, ("etc/containers/systemd/web.container", "")]), [""; 0]);
    assert_eq!(without(&[(&generator("somebodys"), "")]), [""; 0]);
    assert_eq!(without(&[("etc/init.d/web", "")]), [""; 0]);
    let missing = ["web.service, which is checked, is not there"];
    assert_eq!(without(&[podman, ("etc/containers/systemd/web.volume", "")]), missing);
    assert_eq!(without(&[(&generator("systemd-fstab-generator"), "")]), missing);
}
