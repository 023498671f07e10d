//! Drives, made and refused.

use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use super::*;
use crate::firstboot::machine::Machine;
use crate::firstboot::trust::Trust;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::Root;

/// The private and the public key that ssh-keygen would make, of nobody.
fn key_pair() -> (String, String) {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    let private = key.to_openssh(LineEnding::LF).unwrap().to_string();
    (private, key.public_key().to_openssh().unwrap())
}

fn command(dir: &Path, output: &str, signed: bool) -> Create {
    let key = dir.join("key");
    fs::write(&key, key_pair().0).unwrap();
    let sign = signed.then_some(key);
    Create { output: dir.join(output), sign, force: false, dir: dir.join("drive") }
}

fn create(dir: &Path, output: &str, signed: bool) -> Result<PathBuf, String> {
    let create = command(dir, output, signed);
    let written = create.gather().and_then(|gathered| {
        let checked = create.check(&gathered)?;
        create.write(&mut io::sink(), &checked, &gathered)
    });
    written.map(|()| create.output).map_err(|e| format!("{e:#}"))
}

fn directory(script: &[u8]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("drive/combustion")).unwrap();
    fs::write(dir.path().join("drive/combustion/script"), script).unwrap();
    dir
}

#[test]
fn images_have_their_file_systems_and_are_never_half() {
    let dir = directory(b"#!/bin/sh\n");
    let stick = create(dir.path(), "a.img", true).unwrap();
    let bytes = fs::read(&stick).unwrap();
    assert!(bytes.windows(11).any(|it| it == b"COMBUSTION "), "no label");
    let cd = create(dir.path(), "a.iso", false).unwrap();
    let bytes = fs::read(cd).unwrap();
    assert_eq!(&bytes[0x8001..0x8006], b"CD001");
    assert!(create(dir.path(), "a.img", false).unwrap_err().contains("--force replaces it"));
    assert!(create(dir.path(), "a.zip", false).unwrap_err().contains("FILE.img"));
    assert_eq!(fs::read(stick).unwrap().len() % 512, 0);
}

#[test]
fn what_is_signed_is_trusted_and_what_is_changed_is_not() {
    let dir = directory(b"#!/bin/sh\n");
    let tree = dir.path().join("drive");
    let listed = copy::copy(&tree, &dir.path().join("copy")).unwrap().files;
    let (private, public) = key_pair();
    for (name, text) in sign(&listed, &private).unwrap() {
        fs::write(tree.join(name), text).unwrap();
    }
    let root = Root::new(dir.path());
    let keys = root.join("/usr/lib/health-checker/firstboot.keys/admin.pub");
    files::replace(&keys, public.as_bytes(), 0o644).unwrap();
    let machine = Machine::new(root, "/nonexistent".into(), Cmdline::default());
    let trust = Trust::of(&machine).unwrap();
    let verify = || {
        let files_now = copy::copy(&tree, &dir.path().join("copy")).unwrap().files;
        trust.verify(&files_now, |name| files::read(&tree.join(name))).map_err(|e| format!("{e:#}"))
    };
    assert_eq!(verify().unwrap(), "admin.pub");
    fs::write(tree.join("combustion/more"), "").unwrap();
    assert!(verify().unwrap_err().contains("nobody has signed it"));
    fs::remove_file(tree.join("combustion/more")).unwrap();
    let manifest = fs::read_to_string(tree.join("SHA256SUMS")).unwrap();
    fs::write(tree.join("SHA256SUMS"), manifest.replace("script", "scripd")).unwrap();
    assert!(verify().unwrap_err().contains("not signed by any of this machine's keys: admin.pub"));
}

#[test]
fn a_seed_has_its_own_label_and_a_wrong_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let drive = dir.path().join("drive");
    fs::create_dir(&drive).unwrap();
    fs::write(drive.join("user-data"), "#cloud-config\nusers: []\n").unwrap();
    let error = create(dir.path(), "a.img", false).unwrap_err();
    assert!(error.contains("there is \"user-data\", but no \"meta-data\""), "{error}");
    fs::write(drive.join("meta-data"), "").unwrap();
    let stick = create(dir.path(), "a.img", false).unwrap();
    assert!(fs::read(stick).unwrap().windows(11).any(|it| it == b"CIDATA     "), "no label");
    fs::write(drive.join("user-data"), "#cloud-config\nruncmd: 3\n").unwrap();
    let error = create(dir.path(), "b.img", false).unwrap_err();
    let says = format!("{}: user-data:2:9: error: runcmd must be a list", drive.display());
    assert!(error.starts_with(&says), "{error}");
}

#[test]
fn a_script_that_would_not_start_is_refused_at_the_desk() {
    for (script, says) in [
        (&b"#!/bin/sh\r\n"[..], "drive: combustion/script: line 1: it ends with CR and LF"),
        (b"echo", "line 1: no interpreter is named"),
    ] {
        let error = create(directory(script).path(), "a.img", false).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    let dir = directory(b"#!/bin/sh\n");
    std::os::unix::fs::symlink("script", dir.path().join("drive/combustion/link")).unwrap();
    assert!(create(dir.path(), "a.img", false).unwrap_err().contains("combustion/link is a link"));
    assert!(create(dir.path(), "a.iso", true).unwrap_err().contains("combustion/link is a link"));
    create(dir.path(), "a.iso", false).unwrap();
}

#[test]
fn what_a_machine_would_refuse_or_pass_over_is_refused() {
    let (meta, user) = (("meta-data", ""), ("user-data", "#cloud-config\nusers: []\n"));
    let large = "#!/bin/sh\n".to_owned() + &"#".repeat(16 << 20);
    let openstack = ("openstack/latest/meta_data.json", r#"{"uuid": "u"}"#);
    let disabled = ("openstack/latest/meta_data.json", r#"{"uuid": "u", "dsmode": "disabled"}"#);
    let include = ("user-data", "#include\nhttp://a/b\n");
    for (files, signed, says) in [
        (
            &[meta, user, ("combustion/other", "")][..],
            false,
            "the directory \"combustion\" has no file \"script\" in it",
        ),
        (&[user, openstack], false, "there is \"user-data\", but no \"meta-data\""),
        (&[user, ("meta-data", "dsmode: disabled\n")], false, "says dsmode: disabled"),
        (&[disabled], false, "says dsmode: disabled"),
        (&[("combustion/script", &large)], false, "combustion: script: it is larger than 16 MiB"),
        (&[("script", "")], false, "one directory too high"),
        (&[("ignition/config.ign", "{}")], false, "it is a configuration for Ignition, which"),
        (&[meta, include], true, "user-data:2:1: error: cannot fetch http://a/b: the conf"),
        (&[meta, include, ("SHA256SUMS", "")], false, "nobody has signed what is at this address"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            files::replace(&dir.path().join("drive").join(name), text.as_bytes(), 0o644).unwrap();
        }
        let error = create(dir.path(), "a.iso", signed).unwrap_err();
        let named = dir.path().join("drive").display().to_string();
        assert!(error.starts_with(&named) && error.contains(says), "{error} for {says}");
        assert!(!dir.path().join("a.iso").exists());
    }
}

#[test]
fn links_that_a_machine_would_not_follow_are_refused() {
    for (link, target, says) in [
        ("user-data", "other", "drive: user-data is a link: put the file itself there"),
        ("combustion/script", "../other", "combustion: script: it is a link that leads out"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join("drive").join(name);
        for (name, text) in [("meta-data", ""), ("other", "#cloud-config\n"), ("combustion/x", "")]
        {
            files::replace(&at(name), text.as_bytes(), 0o644).unwrap();
        }
        if link == "user-data" {
            fs::remove_dir_all(at("combustion")).unwrap();
        }
        std::os::unix::fs::symlink(target, at(link)).unwrap();
        for output in ["a.iso", "a.img"] {
            let error = create(dir.path(), output, false).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}

#[test]
fn what_cannot_be_found_out_is_no_refusal() {
    let dir = directory(b"#!/bin/sh\n");
    let run = |create: &Create, out: &mut dyn Write| create.run(out).map_err(|e| format!("{e:#}"));
    let none = dir.path().join("none");
    let good = || command(dir.path(), "a.img", true);
    for (create, says) in [
        (Create { dir: none.clone(), ..good() }, "none: No such file"),
        (Create { dir: dir.path().join("key"), ..good() }, "key: Not a directory"),
        (Create { sign: Some(none.clone()), ..good() }, "none: No such file"),
        (Create { output: none.join("a.img"), ..good() }, "cannot write "),
    ] {
        let error = run(&create, &mut io::sink()).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
    let no = Create { sign: Some(dir.path().join("drive/combustion/script")), ..good() };
    assert_eq!(run(&no, &mut io::sink()), Ok(1));
    let full = run(&good(), &mut &mut [0; 9][..]).unwrap_err();
    assert!(full.contains("failed to write whole buffer"), "{full}");
    let again = run(&good(), &mut io::sink());
    assert_eq!(again, Ok(1), "it was written all the same");
}
