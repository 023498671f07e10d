//! `users`, `groups`, their keys and passwords, and the ssh server.

use super::{clean, problems_begin, read_text, with_seed};
use crate::firstboot::configuration::{Hash, Lock, Secret, User};
use crate::firstboot::seed::Seed;

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

#[test]
fn what_is_wrong_is_named_with_place_and_remedy() {
    problems_begin(&[
        ("users: 3.5", "u:1:8: error: users must be text"),
        ("users: [{gecos: x}]", "u:1:9: error: a user has no name"),
        ("users: [{name: a, uid: -1}]", "u:1:24: error: uid must be a whole number from 0"),
        (
            "users: [{name: a, uid: 5}, {name: b, uid: 5}]",
            "u:1:28: error: uid 5 is that of user \"a\" already",
        ),
        (
            "users: [{name: a}, {name: b}, {name: a}]",
            "u:1:31: warning: user \"a\" is here a second time",
        ),
        (
            "users: [{name: a, shel: /bin/sh}]",
            "u:1:19: warning: a user has no key \"shel\", so it is ignored; did you mean \"shell\"?",
        ),
        ("users: [{name: a, shell: sh}]", "u:1:26: error: shell \"sh\" must be an absolute path"),
        ("users: [{name: a, expiredate: soon}]", "u:1:31: error: expiredate \"soon\" is no date"),
        ("users: [{name: a, sudo: yes}]", "u:1:25: error: sudo must be a rule or false"),
        ("users: [{name: a, passwd: secret}]", "u:1:27: error: this is no hash"),
        (
            "users: [{name: a, passwd: $6$a$b}]",
            "u:1:27: warning: a password is set, and locked all the same",
        ),
        (
            "users: [{name: a, ssh_import_id: gh:x}]",
            "u:1:34: error: ssh_import_id of user \"a\" is not supported",
        ),
        ("users: [a]", "u:1:8: warning: none of the users has a key or a password"),
        (
            "ssh_authorized_keys: ['-----BEGIN OPENSSH PRIVATE KEY-----']",
            "u:1:23: error: this is a private key",
        ),
        (
            "ssh_authorized_keys: [AAAAC3]",
            "u:1:23: warning: this is no public key as sshd reads it",
        ),
        (
            "ssh_authorized_keys: [ssh-ed25519 AAAA]",
            "u:1:23: warning: \"ssh-ed25519 AAAA\"… is no public key as sshd reads it",
        ),
        (
            "chpasswd: {list: 'a:$y$j9T$x$y'}",
            "u:1:18: warning: $y$j… looks like a hash, and is taken here for a password in plain text",
        ),
        ("chpasswd: {users: [{name: a, password: x}]}", "u:1:40: error: this is no hash"),
        (
            "chpasswd: {list: nonsense}",
            "u:1:18: error: a line of chpasswd's list must be name:password",
        ),
        (
            "users: [{name: a, ssh_redirect_user: perhaps}]",
            "u:1:38: error: ssh_redirect_user of user \"a\" must be true or false",
        ),
        (
            "users: [{name: a, ssh_redirect_user: true, ssh_authorized_keys: [k]}]",
            "u:1:38: error: ssh_redirect_user lets nobody in as \"a\"",
        ),
        ("password: 0123", "u:1:11: warning: YAML reads the number in password otherwise than"),
        (
            "users: [{name: a, plain_text_passwd: 12:30}]",
            "u:1:38: warning: YAML reads the number in a password otherwise than",
        ),
        ("users: {eve: {shel: x}}", "u:1:15: warning: a user has no key \"shel\""),
        ("users: {default: {shel: x}}", "u:1:19: warning: a user has no key \"shel\""),
        ("users: {eve: perhaps}", "u:1:14: error: a user that is no mapping must be true or false"),
        (
            "user: foo\nusers: {default: false}",
            "u:1:7: warning: user is ignored: it is the default user, and users says",
        ),
        (
            "password: x\nusers: []",
            "u:1:11: error: password is the default user's, and there is none",
        ),
        ("ssh_keys: {rsa_secret: x}", "u:1:12: error: \"rsa_secret\" is no key of ssh_keys"),
        (
            "ssh_keys: {rsa_private: '-----BEGIN RSA PRIVATE KEY-----'}",
            "u:1:25: warning: rsa_public is not given, and cannot be derived from a private key",
        ),
        ("ssh_keys: {rsa_private: x}", "u:1:25: error: rsa_private is no private key"),
        (
            "ssh_genkeytypes: [rsa]",
            "u:1:1: warning: \"ssh_genkeytypes\" is ignored: sshd makes its own keys",
        ),
        ("ssh_pwauth: perhaps", "u:1:13: error: ssh_pwauth must be true or false"),
        (
            "users: [{name: root}]\nssh_authorized_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl']",
            "u:2:23: warning: disable_root is true unless",
        ),
    ]);
}

#[test]
fn users_are_read() {
    let config = clean(
        "users:\n- default\n- name: bob\n  groups: wheel, adm\n  lock_passwd: false\n  passwd: $6$a$b\n  \
         sudo: ['ALL=(ALL) ALL']\n  uid: '1234'\n  shell: /bin/zsh\n  primary-group: staff\n- eve\n\
         groups: [staff, docker: [bob]]\nssh_pwauth: 'no'\n",
    );
    let [default, bob, eve] = &config.users[..] else { panic!("{:#?}", config.users) };
    assert_eq!((default.name.value.as_str(), default.lock), ("opensuse", Lock::Locked));
    assert_eq!(default.sudo[0].value, "ALL=(ALL) NOPASSWD:ALL");
    assert_eq!(
        (bob.uid, bob.lock, bob.shell.as_deref()),
        (Some(1234), Lock::Open, Some("/bin/zsh"))
    );
    assert_eq!(bob.password, Some(Hash::Hashed(Secret("$6$a$b".into()))));
    assert_eq!(bob.groups.iter().map(|it| &*it.value).collect::<Vec<_>>(), ["wheel", "adm"]);
    assert_eq!(bob.primary_group.as_ref().unwrap().value, "staff");
    assert_eq!(bob.name.place.to_string(), "u:3:3");
    assert_eq!(eve.name.value, "eve");
    assert_eq!(config.groups[1].members[0].value, "bob");
    let passwords = config.ssh.password_authentication.unwrap();
    assert_eq!((passwords.value, passwords.place.to_string()), (false, "u:13:13".to_owned()));
    // Without a list of users there is the default one, with an empty list nobody.
    assert_eq!(clean("{}").users[0].name.value, "opensuse");
    assert_eq!(clean("").users[0].name.value, "opensuse");
    assert_eq!(clean("users: []").users, []);
    assert_eq!(clean("user: {name: core, shell: /bin/sh}").users[0].name.value, "core");
}

#[test]
fn a_redirect_to_nobody_is_no_login() {
    let with_keys = |users: &str| {
        let (config, problems) =
            read_text(&format!("users: {users}\nssh_authorized_keys: ['{KEY}']"));
        let bob = config.users.into_iter().find(|it| it.name.value == "bob").unwrap();
        (bob.ssh_keys.len(), bob.redirect_to.is_some(), problems)
    };
    for asked in ["true", "default", "'yes'"] {
        let bob = format!("{{name: bob, ssh_redirect_user: {asked}}}");
        let (keys, locked, problems) = with_keys(&format!("[{bob}]"));
        assert_eq!((keys, locked), (0, false), "{asked}");
        let warned = "u:1:40: warning: ssh_redirect_user of user \"bob\" is ignored";
        assert!(problems.iter().any(|it| it.starts_with(warned)), "{problems:?}");
        let (keys, locked, problems) = with_keys(&format!("[default, {bob}]"));
        assert_eq!((keys, locked, problems), (1, true, Vec::new()), "{asked}");
    }
    let (keys, locked, _) = with_keys("[default, {name: bob, ssh_redirect_user: false}]");
    assert_eq!((keys, locked), (0, false));
    // The default user is not locked out by being told of itself.
    let own = "user: bob\nusers: [{name: bob, ssh_redirect_user: true}]\n";
    let (config, _) = read_text(&format!("{own}ssh_authorized_keys: ['{KEY}']"));
    assert_eq!((config.users[0].ssh_keys.len(), &config.users[0].redirect_to), (1, &None));
}

/// Who there is, with which rules, and how many keys.
fn who(text: &str) -> String {
    let (config, problems) = read_text(text);
    assert!(!problems.iter().any(|it| it.contains(" error: ")), "{text}: {problems:?}");
    let user = |it: &User| {
        let rules: Vec<_> = it.sudo.iter().map(|it| &*it.value).collect();
        format!("{} [{}] {}", it.name.value, rules.join(","), it.ssh_keys.len())
    };
    config.users.iter().map(user).collect::<Vec<_>>().join("; ")
}

#[test]
fn the_default_user_is_whom_cloud_init_takes_for_it() {
    const ALL: &str = "[ALL=(ALL) NOPASSWD:ALL]";
    let keys = format!("ssh_authorized_keys: ['{KEY}']\n");
    let rows = [
        // `user` is there beside any `users`, in both forms.
        ("user: foo\nusers: [bob]", format!("bob [] 0; foo {ALL} 1; root [] 1")),
        ("user: foo\nusers: []", format!("foo {ALL} 1; root [] 1")),
        ("user: {name: foo, sudo: a}\nusers: {bob: }", "bob [] 0; foo [a] 1; root [] 1".into()),
        ("user: foo\nusers: [default, bob]", format!("foo {ALL} 1; bob [] 0; root [] 1")),
        ("user: foo\nusers: {default: false, bob: true}", "bob [] 0; root [] 1".into()),
        // What is said at the name counts before what is said at `default`, and that before `user`.
        (
            "user: {name: foo, sudo: a}\nusers: [{name: foo, sudo: b}, {name: default, sudo: c}]",
            "foo [b] 1; root [] 1".into(),
        ),
        ("users: [{name: default, sudo: c}, bob]", "opensuse [c] 1; bob [] 0; root [] 1".into()),
        ("users: {default: {sudo: c}}", "opensuse [c] 1; root [] 1".into()),
        ("users: [{name: default, sudo: null}]", "opensuse [] 1; root [] 1".into()),
        ("users: {eve: true, bob: false, tom: 'no'}", "eve [] 0; root [] 1".into()),
        // The name alone makes nobody the default user.
        ("users: [opensuse]", "opensuse [] 0; root [] 1".into()),
    ];
    for (text, expected) in rows {
        assert_eq!(who(&format!("{keys}{text}")), expected, "{text}");
    }
    let own = format!("users: [{{name: default, ssh_authorized_keys: ['{KEY}']}}]");
    assert_eq!(who(&own), format!("opensuse {ALL} 1"));
}

#[test]
fn fields_and_the_password_are_the_default_users() {
    let config = clean("user: {name: foo, groups: [a, b]}\nusers: [bob]\npassword: x");
    assert_eq!(config.passwords[0].user.value, "foo");
    let foo = &config.users[1];
    assert_eq!((&*foo.name.value, foo.groups.len()), ("foo", 2));
    let text = "user: {name: foo, groups: [a, b]}\n\
                users: {default: {lock_passwd: false, hashed_passwd: $6$a$b, groups: [b, c]}}";
    let config = clean(text);
    let [foo] = &config.users[..] else { panic!("{config:#?}") };
    assert!(!foo.only_groups_there);
    let groups: Vec<_> = foo.groups.iter().map(|it| &*it.value).collect();
    assert_eq!(
        (foo.lock, foo.resets_password, &groups[..]),
        (Lock::Open, true, &["a", "b", "c"][..])
    );
    let config = clean("users: [default, {name: a, create_groups: false}]\npassword: x");
    assert!(config.users[1].only_groups_there);
}

#[test]
fn keys_go_to_the_default_user_and_root() {
    let seed =
        Seed { public_keys: vec![KEY.to_owned()], datasource: "NoCloud".into(), ..Seed::default() };
    let (config, problems) = with_seed("{}", &seed);
    assert_eq!(problems, Vec::<String>::new());
    let names: Vec<_> =
        config.users.iter().map(|it| (&*it.name.value, it.ssh_keys.len())).collect();
    assert_eq!(names, [("opensuse", 1), ("root", 1)]);
    assert_eq!(config.users[1].redirect_to.as_ref().unwrap().value, "opensuse");
    assert_eq!(config.users[1].ssh_keys[0].place.to_string(), "meta-data of NoCloud");
    let (config, _) = with_seed("disable_root: false\nusers: [root]", &seed);
    let [own, platforms] = &config.users[..] else { panic!("{:#?}", config.users) };
    assert_eq!((own.ssh_keys.len(), platforms.ssh_keys.len()), (0, 1));
    assert_eq!(platforms.redirect_to, None);
}

#[test]
fn passwords_of_both_forms() {
    let config = clean(
        "chpasswd:\n  expire: false\n  list: |\n    a:R\n    b:$6$s$h\n    c:pass:word\n  users:\n  \
         - {name: d, password: pw, type: text}\n  - {name: e, type: RANDOM}\n",
    );
    let passwords: Vec<_> = config
        .passwords
        .iter()
        .map(|it| (&*it.user.value, it.password.clone(), it.expire))
        .collect();
    let secret = |text: &str| Secret(text.to_owned());
    assert_eq!(
        passwords,
        [
            ("d", Hash::Plain(secret("pw")), false),
            ("e", Hash::Random, false),
            ("a", Hash::Random, false),
            ("b", Hash::Hashed(secret("$6$s$h")), false),
            ("c", Hash::Plain(secret("pass:word")), false),
        ]
    );
    assert!(clean("password: x").passwords[0].expire);
    assert_eq!(format!("{:?}", secret("x")), "(redacted)");
}
