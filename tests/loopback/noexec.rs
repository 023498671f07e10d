//! Where `/run` or `/var` lets no program be executed, scripts run all the same.

use std::fs;
use std::path::Path;
use std::time::Duration;

use health_checker::firstboot::configuration::{Command, Later, Script, When};
use health_checker::firstboot::later::{FILE, boot_stage, final_stage};
use health_checker::firstboot::outcome::Outcome;
use health_checker::record::store;
use health_checker::sys::files::{Root, replace};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::bed::Alone;

const LIMIT: Duration = Duration::from_secs(60);
const THERE: &str = "/var/lib/cloud/scripts/per-boot";

/// With these directories on file systems of their own, mounted noexec.
fn mount_noexec(root: &Path, names: &[&str]) {
    for name in names {
        let at = root.join(name);
        fs::create_dir(&at).unwrap();
        let data: Option<&str> = None;
        mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::MS_NOEXEC, data).unwrap();
        let copy = at.join("true");
        fs::copy("/bin/true", &copy).unwrap();
        let error = health_checker::sys::command::run(&mut std::process::Command::new(copy), LIMIT);
        assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied, "{name}");
    }
}

#[test]
fn scripts_run_where_nothing_can_be_executed() {
    for noexec in [&["var"][..], &["run"], &["var", "run"]] {
        let _alone = Alone::enter();
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        mount_noexec(dir.path(), noexec);
        let root = Root::new(dir.path());
        let out = dir.path().join("out");
        let echo = |word: &str| format!("echo {word} >>{}", out.display());
        let command = |word: &str| vec![Command::Shell(echo(word))];
        let text = format!("#!/bin/sh -u\n{}\n", echo("sent:$-:$INSTANCE_ID")).into_bytes();
        let script = |prefix: &[&str]| Script {
            name: format!("a-{}", prefix.len()),
            when: When::Instance,
            text: text.clone(),
            prefix: prefix.iter().map(|it| (*it).to_owned()).collect(),
        };
        let later = Later {
            instance_id: "i-1".into(),
            bootcmd: command("bootcmd"),
            runcmd: command("runcmd"),
            scripts: vec![script(&[]), script(&["env", "INSTANCE_ID=prefix"])],
            ..Later::default()
        };
        replace(&root.join(FILE), &serde_json::to_vec(&later).unwrap(), 0o600).unwrap();
        let there = format!("#!/bin/sh\n{}\n", echo("there"));
        replace(&root.join(THERE).join("a"), there.as_bytes(), 0o755).unwrap();
        assert!(boot_stage(&root, LIMIT).unwrap() && final_stage(&root, LIMIT).unwrap());
        let ran = fs::read_to_string(&out).unwrap();
        assert_eq!(ran, "bootcmd\nthere\nsent:u:i-1\nsent:u:prefix\nruncmd\n", "{noexec:?}");

        let code = fs::read("/bin/true").unwrap();
        replace(&root.join(THERE).join("b"), &code, 0o755).unwrap();
        let is_executed = !noexec.contains(&"var");
        assert_eq!(final_stage(&root, LIMIT).unwrap(), is_executed, "{noexec:?}");
        let outcome = Outcome::read(&root.join(store::DIR)).unwrap().unwrap();
        let failed = outcome.later.unwrap().failed;
        let says = "/b is on a file system mounted noexec: it is a program in machine code";
        let is_said = failed.iter().any(|it| it.name == "per-boot/b" && it.reason.contains(says));
        assert_eq!(is_said, !is_executed, "{noexec:?}: {failed:?}");
        for name in noexec {
            umount2(&dir.path().join(name), MntFlags::MNT_DETACH).unwrap();
        }
    }
}
