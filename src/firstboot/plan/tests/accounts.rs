//! Users, groups, keys and passwords.

use super::*;

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
fn groups_are_made_unless_create_groups_is_false() {
    let bob = |only_groups_there, primary: Option<&str>| User {
        only_groups_there,
        primary_group: primary.map(placed),
        groups: vec![placed("wheel"), placed("made"), placed("new")],
        ..user("bob")
    };
    let plan = |user| {
        let world = World::with(&ACCOUNTS);
        let groups = vec![Group { name: placed("made"), members: Vec::new() }];
        let configuration = Configuration { groups, users: vec![user], ..Configuration::default() };
        let (plan, problems) = world.plan(&configuration);
        (show(&plan, &world.tree), problems.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let (shown, problems) = plan(bob(false, Some("staff")));
    assert!(problems.is_empty() && shown.contains("+new:x:1002:bob"), "{problems:?} {shown}");
    let (shown, problems) = plan(bob(true, None));
    assert!(shown.contains("+made:x:1000:bob") && shown.contains("+wheel:x:10:bob"), "{shown}");
    assert!(!shown.contains("new:x:"), "{shown}");
    let says = "user-data:1:1: warning: there is no group \"new\", and none is made";
    assert!(problems.len() == 1 && problems[0].starts_with(says), "{problems:?}");
    let (_, problems) = plan(bob(true, Some("staff")));
    assert!(problems[0].contains("there is no group staff for bob"), "{problems:?}");
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
        redirect_to: (name == "root").then(|| placed("bob")),
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
