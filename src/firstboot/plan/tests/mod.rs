//! Each rule is a row: what is in a tree, what is asked for, what is in the tree then. Every
//! plan is applied, and made again, which must find nothing left to do.

mod accounts;
mod files;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::firstboot::apply::apply_and_say;
use crate::firstboot::configuration::{
    Command, FileContent, Group, Hash, Host, Lock, NewPassword, Placed, Secret, User, WriteFile,
};

/// 2026-01-01.
const TODAY: i64 = 20454;

pub(super) const ACCOUNTS: [(&str, &str); 6] = [
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndamaged\n"),
    ("/etc/shadow", "root:*:19000::::::\n"),
    ("/etc/group", "root:x:0:\nusers:x:100:\nwheel:x:10:\n"),
    ("/bin/bash", ""),
    ("/etc/subuid", "old:100000:65536\n"),
    ("/etc/login.defs", "USERGROUPS_ENAB yes\nHOME_MODE 0700\nPASS_MAX_DAYS\t99999\n"),
];

pub(super) fn at(line: u32) -> Place {
    Place { source: "user-data".into(), line, column: 1 }
}

pub(super) fn placed(value: &str) -> Placed<String> {
    Placed { value: value.to_owned(), place: at(1) }
}

pub(super) fn user(name: &str) -> User {
    User::new(placed(name))
}

pub(super) fn file(path: &str, content: &str) -> WriteFile {
    WriteFile {
        path: placed(path),
        content: FileContent::Bytes(content.into()),
        mode: 0o644,
        owner: None,
        append: false,
        defer: false,
    }
}

#[allow(clippy::unnecessary_wraps, reason = "as the field has it")]
fn owned(user: &str, group: Option<&str>) -> Option<Placed<Owner>> {
    let group = group.map(str::to_owned);
    Some(Placed { value: Owner { user: user.to_owned(), group }, place: at(7) })
}

#[allow(clippy::unnecessary_wraps, reason = "as the field has it")]
fn hashed(hash: &str) -> Option<Hash> {
    Some(Hash::Hashed(Secret(hash.to_owned())))
}

pub(super) struct World {
    dir: tempfile::TempDir,
    pub(super) tree: Tree,
}

impl World {
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = dir.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let tree = Tree::open(dir.path()).unwrap();
        Self { dir, tree }
    }

    pub(super) fn path(&self, path: &str) -> std::path::PathBuf {
        self.dir.path().join(path.trim_start_matches('/'))
    }

    pub(super) fn plan(&self, configuration: &Configuration) -> (Plan, Problems) {
        let moment = Moment { today: Some(TODAY), salt: Box::new(|| Ok(*b"0123456789ab")) };
        plan_at(configuration, &self.tree, None, &moment)
    }

    /// Plans, applies, and makes sure that nothing is left to do; what was warned of.
    pub(super) fn configure(&self, configuration: &Configuration) -> Vec<String> {
        let (plan, problems) = self.plan(configuration);
        assert!(!problems.iter().any(Problem::is_error), "{problems:?}");
        apply_and_say(&plan, &self.tree, &|_| Ok(()), &|_| Ok(())).unwrap();
        problems.iter().map(ToString::to_string).collect()
    }

    /// What the host is to be leaves this in a file, and nothing to do a second time.
    pub(super) fn configures(&self, host: Host, path: &str, wanted: &str) {
        let configuration = Configuration { host, ..Configuration::default() };
        self.configure(&configuration);
        assert_eq!(self.text(path), wanted, "{path}");
        assert!(self.plan(&configuration).0.is_empty(), "{path}: once is enough");
    }

    pub(super) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    pub(super) fn mode(&self, path: &str) -> u32 {
        fs::symlink_metadata(self.path(path)).unwrap().permissions().mode() & 0o7777
    }
}

pub(super) fn errors(problems: &[Problem]) -> Vec<String> {
    problems.iter().filter(|it| it.is_error()).map(ToString::to_string).collect()
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

#[test]
fn secrets_are_in_nothing_that_is_shown() {
    let world = World::with(&ACCOUNTS);
    let mut configuration = Configuration {
        users: vec![User { password: hashed("$6$SECRET"), ..user("bob") }],
        files: vec![
            WriteFile { mode: 0o600, ..file("/etc/token", "SECRET") },
            file("/etc/key", "-----BEGIN PRIVATE KEY-----\nSECRET\n"),
            file("/etc/plain", "to be seen\n"),
        ],
        ..Configuration::default()
    };
    configuration.later.runcmd = vec![Command::Shell("curl -H SECRET".into())];
    let (plan, problems) = world.plan(&configuration);
    assert!(errors(&problems).is_empty(), "{problems:?}");
    let shown = show(&plan, &world.tree);
    assert!(shown.contains("+bob:(redacted):20454:"), "{shown}");
    assert!(shown.contains("write /etc/plain (0644 root:root)\n"), "{shown}");
    assert!(shown.contains("  +to be seen\n") && shown.contains("runcmd: 1 commands"), "{shown}");
    let json = plan.json().to_string();
    assert!(json.contains("to be seen") && json.contains("(redacted)"));
    for shown in [shown, json] {
        assert!(!shown.contains("SECRET"), "{shown}");
    }
}

#[test]
fn what_was_secret_before_is_in_nothing_that_is_shown() {
    let pgp = "-----BEGIN PGP PRIVATE KEY BLOCK-----\nSECRET\n";
    let world = World::with(&[
        ("/etc/closed", "SECRET\n"),
        ("/etc/group-only", "SECRET\n"),
        ("/etc/key", pgp),
        ("/etc/open", "seen before\n"),
    ]);
    for (path, mode) in [("/etc/closed", 0o600), ("/etc/group-only", 0o640)] {
        fs::set_permissions(world.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    let append = |path: &str, text: &str| WriteFile { append: true, ..file(path, text) };
    let rows = [
        (file("/etc/closed", "new\n"), false),
        (append("/etc/closed", "new\n"), false),
        (append("/etc/group-only", "new\n"), false),
        (WriteFile { mode: 0o640, ..file("/etc/new", "SECRET\n") }, false),
        (file("/etc/key", "new\n"), false),
        (append("/etc/key", "new\n"), false),
        (file("/etc/new", pgp), false),
        (append("/etc/open", "new\n"), true),
    ];
    for (file, is_seen) in rows {
        for defer in [false, true] {
            let files = vec![WriteFile { defer, ..file.clone() }];
            let (plan, problems) = world.plan(&Configuration { files, ..Configuration::default() });
            assert!(errors(&problems).is_empty(), "{problems:?}");
            let (shown, json) = (show(&plan, &world.tree), plan.json().to_string());
            let path = &file.path.value;
            assert!(!shown.contains("SECRET") && !json.contains("SECRET"), "{path}: {shown}{json}");
            assert_eq!(shown.contains("+new"), is_seen, "{path}: {shown}");
        }
    }
    // Written twice: what is in it of the first stays secret.
    let first = WriteFile { mode: 0o600, ..file("/etc/new", "SECRET\n") };
    let files = vec![first, append("/etc/new", "new\n")];
    let plan = world.plan(&Configuration { files, ..Configuration::default() }).0;
    assert!(!show(&plan, &world.tree).contains("SECRET"));
    assert!(!plan.json().to_string().contains("SECRET"));
}

#[test]
fn what_runs_later_is_written_down_for_nobody_else() {
    if !is_root() {
        return;
    }
    let path = "/etc/health-checker/firstboot/later.json";
    let world = World::with(&[]);
    let mut configuration = Configuration::default();
    configuration.later.final_message = Some("done".into());
    world.configure(&configuration);
    assert_eq!(world.mode(path), 0o600);
    assert!(world.text(path).contains("\"final_message\": \"done\""));
    // Another instance without any.
    world.configure(&Configuration::default());
    assert!(!world.path(path).exists());
}

#[test]
fn a_tree_that_is_as_wanted_is_left_alone() {
    let world = World::with(&ACCOUNTS);
    let (plan, problems) = world.plan(&Configuration::default());
    assert!(plan.is_empty() && problems.is_empty(), "{problems:?}");
    assert_eq!(show(&plan, &world.tree), "nothing to do\n");
}
