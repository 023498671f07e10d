//! Each rule is a row: what is in a tree, what is asked for, what is in the tree then. Every
//! plan is applied, and made again, which must find nothing left to do.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::firstboot::apply::apply_and_say;
use crate::firstboot::configuration::{
    Command, FileContent, Group, Hash, Lock, NewPassword, Placed, Secret, User, WriteFile,
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
    User {
        name: placed(name),
        gecos: None,
        homedir: None,
        no_create_home: false,
        shell: None,
        uid: None,
        primary_group: None,
        groups: Vec::new(),
        no_user_group: false,
        system: false,
        expire_date: None,
        inactive: None,
        password: None,
        lock: Lock::Locked,
        sudo: Vec::new(),
        ssh_keys: Vec::new(),
        redirect_to: None,
        resets_password: false,
    }
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

    pub(super) fn plan(&self, configuration: &Configuration) -> (Plan, Vec<Problem>) {
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
fn a_user_is_what_useradd_would_make() {
    if !is_root() {
        return;
    }
    let rows: [(User, &str, &str, &str); 8] = [
        (
            user("bob"),
            "bob:x:1000:1000::/home/bob:/bin/bash",
            "bob:!:20454::99999::::",
            "bob:x:1000:",
        ),
        (
            User {
                gecos: Some("Bob B".into()),
                uid: Some(1234),
                shell: Some("/bin/bash".into()),
                homedir: Some("/srv/bob".into()),
                inactive: Some(5),
                expire_date: Some("2026-01-02".into()),
                password: hashed("$6$x"),
                ..user("bob")
            },
            "bob:x:1234:1234:Bob B:/srv/bob:/bin/bash",
            "bob:!$6$x:20454::99999::5:20455:",
            "bob:x:1234:",
        ),
        (
            User { password: hashed("$y$x"), lock: Lock::Open, ..user("bob") },
            "bob:x:1000:",
            "bob:$y$x:20454:",
            "bob:x:1000:",
        ),
        // No password, and yet not locked: keys work without PAM.
        (User { lock: Lock::Open, ..user("bob") }, "bob:", "bob:*:20454:", "bob:x:1000:"),
        // passwd -l adds no second !.
        (User { password: hashed("!"), ..user("bob") }, "bob:", "bob:!:20454:", "bob:x:"),
        (
            User { system: true, ..user("web") },
            "web:x:999:999::/home/web:/bin/bash",
            "web:!:20454::::::",
            "web:x:999:",
        ),
        (User { no_user_group: true, ..user("bob") }, "bob:x:1000:100:", "bob:!:", "users:x:100:"),
        (
            User {
                primary_group: Some(placed("staff")),
                groups: vec![placed("wheel"), placed("new")],
                ..user("bob")
            },
            "bob:x:1000:1000:",
            "bob:!:",
            "root:x:0:\nusers:x:100:\nwheel:x:10:bob\nstaff:x:1000:\nnew:x:1001:bob",
        ),
    ];
    for (user, passwd, shadow, group) in rows {
        let world = World::with(&ACCOUNTS);
        let system = user.system;
        let configuration = Configuration { users: vec![user], ..Configuration::default() };
        world.configure(&configuration);
        for (path, wanted) in
            [("/etc/passwd", passwd), ("/etc/shadow", shadow), ("/etc/group", group)]
        {
            let text = world.text(path);
            assert!(text.contains(wanted), "{path}: {wanted:?} is not in {text}");
        }
        assert!(world.text("/etc/passwd").starts_with(ACCOUNTS[0].1), "lines are kept");
        assert_eq!(world.text("/etc/subuid").contains(":165536:65536"), !system);
        let home = passwd.split(':').nth(5).filter(|it| !system && !it.is_empty());
        if let Some(home) = home {
            assert_eq!(world.mode(home), 0o700);
        }
        let (again, _) = world.plan(&configuration);
        assert!(again.is_empty(), "{again:?}");
    }
}

#[test]
fn a_home_begins_as_skel_has_it_and_belongs_to_its_user() {
    if !is_root() {
        return;
    }
    let mut files = ACCOUNTS.to_vec();
    files.extend([("/usr/etc/skel/.bashrc", "rc"), ("/usr/etc/skel/.config/a/b", "deep")]);
    let world = World::with(&files);
    std::os::unix::fs::symlink(".bashrc", world.path("/usr/etc/skel/.profile")).unwrap();
    let users = vec![user("bob"), User { no_create_home: true, ..user("eve") }];
    world.configure(&Configuration { users, ..Configuration::default() });
    assert_eq!(world.text("/home/bob/.config/a/b"), "deep");
    assert_eq!(fs::read_link(world.path("/home/bob/.profile")).unwrap(), Path::new(".bashrc"));
    let metadata = fs::metadata(world.path("/home/bob/.bashrc")).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (1000, 1000));
    assert!(!world.path("/home/eve").exists());
}

#[test]
fn what_cannot_be_made_of_a_user_is_said() {
    for (user, says) in [
        (user("a:b"), "cannot be the name of a user"),
        (User { uid: Some(0), ..user("toor") }, "uid 0 of toor is root's already"),
        (User { uid: Some(u32::MAX), ..user("bob") }, "no number of a user"),
        (user("wheel"), "write \"primary_group: wheel\""),
        (User { gecos: Some("a:b".into()), ..user("bob") }, "gecos \"a:b\" contains ':'"),
        (User { homedir: Some("home".into()), ..user("bob") }, "write /home"),
        (User { expire_date: Some("soon".into()), ..user("bob") }, "write 2030-12-31"),
        (User { groups: vec![placed("a b")], ..user("bob") }, "cannot be the name of a group"),
        (User { password: hashed("a:b"), ..user("bob") }, "contains a colon"),
        (User { sudo: vec![placed("ALL\nroot ALL")], ..user("bob") }, "more than one line"),
    ] {
        let world = World::with(&ACCOUNTS);
        let configuration = Configuration { users: vec![user], ..Configuration::default() };
        let errors = errors(&world.plan(&configuration).1);
        assert!(errors.len() == 1 && errors[0].contains(says), "{says}: {errors:?}");
        assert!(errors[0].starts_with("user-data:1:1: error: "), "{errors:?}");
    }
}

#[test]
fn of_a_user_that_is_there_only_groups_rules_and_keys_count() {
    if !is_root() {
        return;
    }
    let world = World::with(&ACCOUNTS);
    let root = User {
        password: hashed("$6$secret"),
        lock: Lock::Open,
        uid: Some(7),
        groups: vec![placed("wheel")],
        sudo: vec![placed("ALL=(ALL) ALL")],
        ssh_keys: vec![placed("ssh-ed25519 AAA")],
        ..user("root")
    };
    let warnings =
        world.configure(&Configuration { users: vec![root], ..Configuration::default() });
    assert!(warnings[0].contains("ignored are uid 7 (it is 0), passwd"), "{warnings:?}");
    assert!(!warnings[0].contains("secret"));
    assert_eq!(world.text("/etc/shadow"), ACCOUNTS[1].1);
    assert_eq!(world.text("/etc/passwd"), ACCOUNTS[0].1);
    assert!(world.text("/etc/group").contains("wheel:x:10:root\n"));
    assert_eq!(world.text("/root/.ssh/authorized_keys"), "ssh-ed25519 AAA\n");
    assert_eq!(world.mode("/root/.ssh"), 0o700);
    assert_eq!(world.mode("/root/.ssh/authorized_keys"), 0o600);
    let sudoers = "/etc/sudoers.d/90-cloud-init-users";
    assert_eq!(world.text(sudoers), "\n# User rules for root\nroot ALL=(ALL) ALL\n");
    assert_eq!(world.mode(sudoers), 0o440);
}

#[test]
fn roots_keys_are_locked_behind_a_command() {
    let world = World::with(&ACCOUNTS);
    let users = ["bob", "root"].map(|name| User {
        ssh_keys: vec![placed("ssh-rsa K")],
        redirect_to: (name == "root").then(|| "bob".to_owned()),
        ..user(name)
    });
    let configuration = Configuration { users: users.into(), ..Configuration::default() };
    let (plan, problems) = world.plan(&configuration);
    assert!(errors(&problems).is_empty(), "{problems:?}");
    let shown = show(&plan, &world.tree);
    assert!(shown.contains("  +ssh-rsa K\n"), "{shown}");
    assert!(shown.contains("the user \\\"bob\\\" rather than the user \\\"root\\\""), "{shown}");
}

#[test]
fn passwords_are_changed_where_there_is_a_user() {
    if !is_root() {
        return;
    }
    let new = |name: &str, password: Hash, expire: bool| NewPassword {
        user: placed(name),
        password,
        expire,
    };
    let plain = || Hash::Plain(Secret("geheim".into()));
    for (password, expire, wanted) in [
        (Hash::Hashed(Secret("$y$x".into())), true, "root:$y$x:0::::::\n"),
        (Hash::Hashed(Secret("$y$x".into())), false, "root:$y$x:20454::::::\n"),
        (plain(), false, "root:$6$"),
    ] {
        let world = World::with(&ACCOUNTS);
        let passwords = vec![new("root", password, expire)];
        world.configure(&Configuration { passwords, ..Configuration::default() });
        let shadow = world.text("/etc/shadow");
        assert!(shadow.starts_with(wanted) && !shadow.contains("geheim"), "{shadow}");
    }
    let world = World::with(&ACCOUNTS);
    let passwords = vec![new("nobody-there", plain(), true)];
    let (_, problems) = world.plan(&Configuration { passwords, ..Configuration::default() });
    assert!(errors(&problems)[0].contains("there is no user \"nobody-there\""));
}

#[test]
fn a_password_at_random_is_said_once_and_is_in_no_plan() {
    if !is_root() {
        return;
    }
    let world = World::with(&ACCOUNTS);
    let passwords =
        vec![NewPassword { user: placed("root"), password: Hash::Random, expire: true }];
    let configuration = Configuration { passwords, ..Configuration::default() };
    let (plan, problems) = world.plan(&configuration);
    assert!(problems.is_empty());
    assert!(show(&plan, &world.tree).contains("password of root: at random"));
    let said = Arc::new(Mutex::new(Vec::new()));
    let say = |line: &str| -> Result<()> {
        said.lock().unwrap().push(line.to_owned());
        Ok(())
    };
    apply_and_say(&plan, &world.tree, &|_| Ok(()), &say).unwrap();
    let said = said.lock().unwrap();
    let password = said[0].strip_prefix("The password of root is now: ").unwrap();
    let shadow = world.text("/etc/shadow");
    let fields: Vec<_> = shadow.lines().next().unwrap().split(':').collect();
    sha_crypt::PasswordVerifier::verify_password(
        &sha_crypt::ShaCrypt::SHA512,
        password.as_bytes(),
        fields[1],
    )
    .unwrap();
    assert_eq!((said.len(), password.len(), fields[2]), (1, 20, "0"));
}

#[test]
fn groups_are_there_with_their_members() {
    if !is_root() {
        return;
    }
    let mut files = ACCOUNTS.to_vec();
    files.push(("/etc/gshadow", "root:*::\nwheel:!::\n"));
    let world = World::with(&files);
    let group = |name: &str, members: &[&str]| Group {
        name: placed(name),
        members: members.iter().map(|it| placed(it)).collect(),
    };
    let warnings = world.configure(&Configuration {
        groups: vec![group("wheel", &["root", "bob"]), group("cloud", &["nobody"])],
        users: vec![user("bob")],
        ..Configuration::default()
    });
    assert!(warnings[0].contains("no user \"nobody\" to be in the group cloud"), "{warnings:?}");
    assert_eq!(
        world.text("/etc/group"),
        "root:x:0:\nusers:x:100:\nwheel:x:10:root,bob\ncloud:x:1000:\nbob:x:1001:\n"
    );
    assert_eq!(world.text("/etc/gshadow"), "root:*::\nwheel:!::root,bob\ncloud:!::\nbob:!::\n");
}

#[test]
fn files_are_written_in_their_order_and_nowhere_else() {
    if !is_root() {
        return;
    }
    let world = World::with(&[("/etc/motd", "old\n"), ("/usr/lib/resolv.conf", "x")]);
    let link = |target: &str, path: &str| {
        fs::create_dir_all(world.path(path).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, world.path(path)).unwrap();
    };
    link("/usr/lib/resolv.conf", "/etc/resolv.conf");
    link("/run/gone", "/etc/gone");
    link("../../../../../../tmp", "/etc/out");
    link("/etc/loop", "/etc/loop");
    let mut files = vec![
        WriteFile { append: true, ..file("/etc/motd", "new\n") },
        WriteFile { append: true, ..file("/etc/motd", "last\n") },
        WriteFile { mode: 0o4750, ..file("/opt/a/b/../c/run", "x") },
        file("/etc/resolv.conf", "y"),
        file("/etc/gone", "z"),
        file("/etc/out/health-checker-test", "within"),
    ];
    let configuration =
        |files: &[WriteFile]| Configuration { files: files.to_vec(), ..Configuration::default() };
    let warnings = world.configure(&configuration(&files));
    assert_eq!(world.text("/etc/motd"), "old\nnew\nlast\n");
    assert_eq!(world.mode("/opt/a/c/run"), 0o4750);
    assert_eq!(world.text("/usr/lib/resolv.conf"), "y");
    assert!(fs::symlink_metadata(world.path("/etc/resolv.conf")).unwrap().is_symlink());
    assert!(fs::symlink_metadata(world.path("/etc/gone")).unwrap().is_file());
    assert_eq!(world.text("/tmp/health-checker-test"), "within");
    assert!(warnings[0].contains("/etc/resolv.conf is on the part"), "{warnings:?}");
    assert!(warnings.iter().any(|it| it.contains("is lost when the system starts")));

    for (path, says) in [
        ("etc/motd", "is not absolute: write /etc/motd"),
        ("/etc/", "names no file"),
        ("/etc/..", "names no file"),
        ("/etc/loop", "too many links"),
        ("/etc/a\0", "NUL"),
        ("/proc/sys/kernel/x", "bootcmd"),
        ("/etc/motd/x", "/etc/motd is no directory"),
    ] {
        files = vec![file(path, "")];
        let (_, problems) = world.plan(&configuration(&files));
        let errors = errors(&problems);
        assert!(errors.len() == 1 && errors[0].contains(says), "{path}: {errors:?}");
    }
}

#[test]
fn an_owner_has_to_be_there_when_the_file_is_written() {
    if !is_root() {
        return;
    }
    let world = World::with(&ACCOUNTS);
    let of_bob =
        |defer| WriteFile { owner: owned("bob", Some("bob")), defer, ..file("/srv/x", "") };
    let configuration = |defer| Configuration {
        users: vec![user("bob")],
        files: vec![of_bob(defer)],
        ..Configuration::default()
    };
    let early = errors(&world.plan(&configuration(false)).1);
    assert!(early[0].starts_with("user-data:7:1: error: /srv/x is to belong to the user \"bob\""));
    assert!(early[0].contains("\"defer: true\""), "{early:?}");
    world.configure(&configuration(true));
    assert_eq!(fs::metadata(world.path("/srv/x")).unwrap().uid(), 1000);
    let never = Configuration { files: vec![of_bob(true)], ..Configuration::default() };
    let world = World::with(&ACCOUNTS);
    assert!(errors(&world.plan(&never).1)[0].contains("nothing makes it"));
}

#[test]
fn a_file_from_an_address_is_fetched_before_anything_is_changed() {
    let world = World::with(&[]);
    let fetched = |fallback: Option<&[u8]>| WriteFile {
        content: FileContent::Fetched {
            uri: "https://me:pw@server/x?token=1".into(),
            headers: Vec::new(),
            fallback: fallback.map(<[u8]>::to_vec),
        },
        ..file("/etc/x", "")
    };
    let plan = |fallback| {
        let files = vec![fetched(fallback)];
        world.plan(&Configuration { files, ..Configuration::default() }).0
    };
    let shown = show(&plan(None), &world.tree);
    assert!(shown.contains("https://server/x") && !shown.contains("pw"), "{shown}");
    for (fallback, got, wanted) in [
        (None, Some(b"got"), Some("got")),
        (Some(&b"else"[..]), None, Some("else")),
        (None, None, None),
    ] {
        let mut plan = plan(fallback);
        let result = plan.fetch(&|_, _| Ok(got.map(|it| it.to_vec())));
        assert_eq!(result.is_ok(), wanted.is_some());
        let Change::File { file, .. } = plan.base.last().unwrap() else { panic!() };
        if let Some(wanted) = wanted {
            assert_eq!(file.content, Content::Bytes(wanted.into()));
        }
    }
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
