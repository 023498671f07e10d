//! Files: their order, their owners, and what is fetched for them.

use super::*;

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
fn what_is_appended_may_name_the_next_ones_owner() {
    if !is_root() {
        return;
    }
    let world = World::with(&ACCOUNTS);
    let append = |text: &str, user: &str| WriteFile {
        append: true,
        owner: owned(user, Some("users")),
        ..file("/etc/passwd", text)
    };
    let files = vec![
        append("carol:x:2001:100::/:/bin/bash\n", "root"),
        append("dave:x:2002:100::/:/bin/bash\n", "carol"),
        append("", "dave"),
    ];
    let (plan, problems) = world.plan(&Configuration { files, ..Configuration::default() });
    assert!(errors(&problems).is_empty(), "{problems:?}");
    let [Change::File { file: NewFile { content: Content::Bytes(bytes), .. }, .. }] =
        &plan.base[..]
    else {
        panic!("{:?}", plan.base)
    };
    let text = String::from_utf8_lossy(bytes);
    assert!(text.contains("damaged\ncarol:x:2001"), "{text}");
    assert!(text.ends_with("dave:x:2002:100::/:/bin/bash\n"), "{text}");
}

#[test]
fn directories_that_a_file_needs_belong_to_its_owner() {
    if !is_root() {
        return;
    }
    let world = World::with(&ACCOUNTS);
    world.configure(&Configuration { users: vec![user("bob")], ..Configuration::default() });
    fs::create_dir_all(world.path("/srv/there")).unwrap();
    let of_bob = |path: &str, defer| WriteFile {
        owner: owned("bob", Some("users")),
        mode: 0o600,
        defer,
        ..file(path, "x")
    };
    world.configure(&Configuration {
        files: vec![
            of_bob("/srv/there/new/deep/x", false),
            of_bob("/home/bob/.config/app/x", true),
            file("/srv/roots/x", "x"),
        ],
        ..Configuration::default()
    });
    for (path, ids) in [
        ("/srv", (0, 0)),
        ("/srv/there", (0, 0)),
        ("/srv/there/new", (1000, 100)),
        ("/srv/there/new/deep", (1000, 100)),
        ("/home", (0, 0)),
        ("/home/bob/.config", (1000, 100)),
        ("/home/bob/.config/app", (1000, 100)),
        ("/srv/roots", (0, 0)),
    ] {
        let meta = fs::metadata(world.path(path)).unwrap();
        assert_eq!((meta.uid(), meta.gid()), ids, "{path}");
    }
    assert_eq!(world.mode("/srv/there/new"), 0o755);
}

#[test]
fn a_directory_that_a_program_makes_first_stays_as_it_is() {
    if !is_root() {
        return;
    }
    let world = World::with(&ACCOUNTS);
    world.configure(&Configuration { users: vec![user("bob")], ..Configuration::default() });
    let of_bob = WriteFile { owner: owned("bob", None), defer: true, ..file("/srv/app/x", "") };
    let configuration = Configuration { files: vec![of_bob], ..Configuration::default() };
    let (plan, problems) = world.plan(&configuration);
    assert!(errors(&problems).is_empty(), "{problems:?}");
    fs::create_dir_all(world.path("/srv/app")).unwrap();
    fs::set_permissions(world.path("/srv/app"), fs::Permissions::from_mode(0o700)).unwrap();
    apply_and_say(&plan, &world.tree, &|_| Ok(()), &|_| Ok(())).unwrap();
    let uid = fs::metadata(world.path("/srv/app")).unwrap().uid();
    assert_eq!((uid, world.mode("/srv/app")), (0, 0o700));
    assert_eq!(fs::metadata(world.path("/srv/app/x")).unwrap().uid(), 1000);
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
