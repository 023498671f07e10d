//! What is read, and what is said of what is wrong: a row each.

use std::sync::Arc;

use super::{Defaults, KEYS, read};
use crate::firstboot::configuration::{
    Command, Configuration, FileContent, Hash, Lock, PowerAction, Secret, SigningKey,
};
use crate::firstboot::seed::Seed;
use crate::firstboot::yaml::load;

fn with_seed(text: &str, seed: &Seed) -> (Configuration, Vec<String>) {
    let document = load(text, &Arc::from("u")).unwrap();
    let defaults = Defaults::of("NAME=x\nID=\"opensuse-microos\"\n");
    let (configuration, problems) = read(&document.root, seed, &defaults);
    (configuration, problems.iter().map(ToString::to_string).collect())
}

fn of(text: &str) -> (Configuration, Vec<String>) {
    with_seed(text, &Seed::default())
}

fn clean(text: &str) -> Configuration {
    let (configuration, problems) = of(text);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    configuration
}

#[test]
#[allow(clippy::too_many_lines, reason = "a row each")]
fn what_is_wrong_is_named_with_place_and_remedy() {
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("[a]", "u:1:1: error: a cloud-config is a mapping"),
        ("apt: {}", "u:1:1: error: \"apt\" is not supported: this system has no apt"),
        (
            "user_s: []",
            "u:1:1: warning: there is no key \"user_s\", so it is ignored; did you mean \"users\"?",
        ),
        (
            "write-files: []",
            "u:1:1: warning: there is no key \"write-files\", so it is ignored; did you mean \"write_files\"?",
        ),
        ("frobnicate: 1", "u:1:1: warning: there is no key \"frobnicate\", so it is ignored"),
        ("output: {all: x}", "u:1:1: warning: \"output\" is ignored"),
        ("hostname: [a]", "u:1:11: error: hostname must be text, and this is a list"),
        ("hostname: yes", "u:1:11: error: hostname must be text: put it in quotes"),
        ("hostname: -a", "u:1:11: error: hostname \"-a\" is no host name"),
        ("timezone: ../../etc/shadow", "u:1:11: error: timezone \"../../etc/shadow\" is no name"),
        ("users: 3.5", "u:1:8: error: users must be text"),
        ("users: [{gecos: x}]", "u:1:9: error: a user has no name"),
        ("users: [{name: a, uid: -1}]", "u:1:24: error: uid must be a whole number from 0"),
        (
            "users: [{name: a, uid: 5}, {name: b, uid: 5}]",
            "u:1:28: error: uid 5 is that of user \"a\" already",
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
            "u:1:23: warning: \"AAAAC3\"… is no public key as sshd reads it",
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
            "password: x\nusers: []",
            "u:1:11: error: password is the default user's, and there is none",
        ),
        ("write_files: [{path: a}]", "u:1:22: error: path \"a\" must be an absolute path"),
        ("write_files: [{path: /a/../b}]", "u:1:22: error: path \"/a/../b\" must be"),
        ("write_files: [{content: a}]", "u:1:15: error: a file has no path"),
        (
            "write_files: [{path: /a, permissions: 644}]",
            "u:1:39: warning: 644 is a decimal number, so that the mode becomes 0o1204: write \"0644\"",
        ),
        (
            "write_files: [{path: /a, permissions: rw}]",
            "u:1:39: error: permissions must be a mode in octal",
        ),
        (
            "write_files: [{path: /a, permissions: '77777'}]",
            "u:1:39: error: permissions must be a mode",
        ),
        (
            "write_files: [{path: /a, encoding: b64, content: '%'}]",
            "u:1:50: error: content is not b64",
        ),
        ("write_files: [{path: /a, encoding: gz, content: x}]", "u:1:49: error: content is not gz"),
        (
            "write_files: [{path: /a, encoding: rot13, content: x}]",
            "u:1:36: warning: encoding \"rot13\" is not known",
        ),
        (
            "users: [bob]\nwrite_files: [{path: /a, owner: bob}]",
            "u:2:33: warning: user \"bob\" is made after files are written",
        ),
        (
            "write_files: [{path: /a, source: {uri: 'http://a', headers: {'a b': c}}}]",
            "u:1:62: error: \"a b\" is no name of a header",
        ),
        (
            "write_files: [{path: /a, source: {uri: 'http://a', headers: {a: \"b\\ec\"}}}]",
            "u:1:65: error: the header a has characters that none can have",
        ),
        (
            "write_files: [{path: /a, source: {uri: 'http://a', headers: {Content-Length: 9}}}]",
            "u:1:62: error: the header Content-Length cannot be set",
        ),
        ("runcmd: ls", "u:1:9: error: runcmd must be a list"),
        ("runcmd:\n- echo a: b", "u:2:3: error: a command of runcmd is a mapping: a \": \" in it"),
        ("runcmd: [[]]", "u:1:10: error: a command of runcmd is empty"),
        (
            "runcmd: [[systemctl, enable, on]]",
            "u:1:30: warning: YAML takes this argument for a boolean, and the program gets \"True\"",
        ),
        ("bootcmd: [1.5]", "u:1:11: error: a command of bootcmd must be text or a list"),
        ("power_state: {mode: sleep}", "u:1:21: error: mode of power_state must be"),
        ("power_state: {mode: halt, delay: soon}", "u:1:34: error: delay must be now, or minutes"),
        ("phone_home: {url: 'ftp://a'}", "u:1:19: error: url of phone_home must begin with http"),
        ("zypper: {repos: [{id: a}]}", "u:1:18: error: a repository must have id and baseurl"),
        (
            "zypper: {repos: [{id: a/b, baseurl: x}]}",
            "u:1:23: error: id \"a/b\" becomes a file's name",
        ),
        ("zypper: {repos: [x]}", "u:1:18: error: a repository must be a mapping"),
        (
            "zypper: {repos: [{id: r, baseurl: x}]}",
            "u:1:18: warning: repository \"r\" names no key, so that nothing is taken from it",
        ),
        (
            "zypper: {repos: [{id: r, baseurl: x, gpgkey: [a.asc]}]}",
            "u:1:47: error: gpgkey \"a.asc\" is no address of a key: write https://… or file:///…",
        ),
        (
            "zypper: {repos: [{id: r, baseurl: x, gpgkey: --x}]}",
            "u:1:46: error: gpgkey \"--x\" is no address",
        ),
        (
            "zypper: {repos: [{id: r, baseurl: x, 'a=b': c}]}",
            "u:1:38: error: \"a=b\" is no name of a setting",
        ),
        (
            "zypper: {repos: [{id: r, baseurl: x, name: \"a\\eb\"}]}",
            "u:1:44: error: name has control characters in it",
        ),
        (
            "zypper: {repos: [{id: r, baseurl: x, name: \"a\\nb\"}]}",
            "u:1:44: error: name has line ends in it",
        ),
        ("zypper: {config: [a]}", "u:1:18: error: config of zypper must be a mapping"),
        ("zypper: {config: {reposdir: /x}}", "u:1:19: error: reposdir cannot be set"),
        ("zypper: {config: {a: [b]}}", "u:1:22: error: a must be text"),
        ("package_upgrade: soon", "u:1:18: error: package_upgrade must be true or false"),
        ("packages: [{zypper: [{zypper: [a]}]}]", "u:1:22: error: a package of zypper is its name"),
        ("packages: [--root=/]", "u:1:12: error: \"--root=/\" is no name of a package"),
        (
            "packages: [[a, 1.10]]",
            "u:1:16: error: a package must be text, and this is the number 1.1",
        ),
        ("packages: [{apt: [a]}]", "u:1:13: error: packages of \"apt\" are not supported"),
        ("mounts: [[]]", "u:1:10: error: an entry of mounts has one to six fields"),
        (
            "mounts: [[sdb1, data]]",
            "u:1:17: error: the directory \"data\" must be an absolute path",
        ),
        ("ca_certs: {trusted: [x]}", "u:1:22: error: this is no certificate in PEM"),
        ("keyboard: {model: pc105}", "u:1:11: error: keyboard has no layout"),
        ("ntp: {ntp_client: ntpd}", "u:1:19: error: ntp_client \"ntpd\" is none of chrony"),
        ("ssh_keys: {rsa_secret: x}", "u:1:12: error: \"rsa_secret\" is no key of ssh_keys"),
        ("ssh_pwauth: perhaps", "u:1:13: error: ssh_pwauth must be true or false"),
        (
            "users: [{name: root}]\nssh_authorized_keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl']",
            "u:2:23: warning: disable_root is true unless",
        ),
    ] {
        let (_, problems) = of(text);
        if !problems.iter().any(|it| it.starts_with(expected)) {
            wrong.push(format!("{text}: {expected}\n{problems:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn wrong_types_at_every_key_are_told_and_nothing_panics() {
    for key in KEYS {
        for value in [
            "3",
            "yes",
            "x",
            "1.5",
            "[]",
            "{}",
            "[[[]]]",
            "[{}]",
            "{a: {b: c}}",
            "[1, yes, null]",
            "!!binary AAAA",
            "null",
        ] {
            drop(of(&format!("{}: {value}", key.name)));
        }
    }
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
    assert_eq!(config.ssh.password_authentication, Some(false));
    // Without a list of users there is the default one, with an empty list nobody.
    assert_eq!(clean("{}").users[0].name.value, "opensuse");
    assert_eq!(clean("").users[0].name.value, "opensuse");
    assert_eq!(clean("users: []").users, []);
    assert_eq!(clean("user: {name: core, shell: /bin/sh}").users[0].name.value, "core");
}

#[test]
fn keys_go_to_the_default_user_and_root() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let seed =
        Seed { public_keys: vec![KEY.to_owned()], datasource: "NoCloud".into(), ..Seed::default() };
    let (config, problems) = with_seed("{}", &seed);
    assert_eq!(problems, Vec::<String>::new());
    let names: Vec<_> =
        config.users.iter().map(|it| (&*it.name.value, it.ssh_keys.len())).collect();
    assert_eq!(names, [("opensuse", 1), ("root", 1)]);
    assert_eq!(config.users[1].redirect_to.as_deref(), Some("opensuse"));
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

#[test]
fn files_in_every_encoding() {
    // printf hello | gzip -n | base64
    let packed = "H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==";
    for (encoding, content) in [
        ("text/plain", "hello".to_owned()),
        ("b64", "aGVsbG8=".to_owned()),
        ("base64", "'aGVs\n\n  bG8='".to_owned()),
        ("gz+b64", packed.to_owned()),
        ("gzip+base64", packed.to_owned()),
        ("gz", format!("!!binary {packed}")),
        ("gzip", format!("!!binary {packed}")),
    ] {
        let text = format!(
            "write_files:\n- path: /etc/x\n  permissions: 0600\n  owner: root:adm\n  append: yes\n  \
             encoding: {encoding}\n  content: {content}\n"
        );
        let config = clean(&text);
        let file = &config.files[0];
        assert_eq!(file.content, FileContent::Bytes(b"hello".to_vec()), "{encoding}");
        assert_eq!((file.mode, file.append, file.defer), (0o600, true, false));
        let owner = &file.owner.as_ref().unwrap().value;
        assert_eq!((&*owner.user, owner.group.as_deref()), ("root", Some("adm")));
    }
    for (permissions, mode) in
        [("'0755'", 0o755), ("'755'", 0o755), ("0o755", 0o755), ("493", 0o755)]
    {
        let config = clean(&format!("write_files: [{{path: /a, permissions: {permissions}}}]"));
        assert_eq!(config.files[0].mode, mode, "{permissions}");
    }
    assert_eq!(clean("write_files: [{path: /a}]").files[0].content, FileContent::Bytes(Vec::new()));
}

#[test]
fn names_of_the_host() {
    // hostname:, fqdn:, the platform's; prefer long: what is written, and with domain
    for (text, platform, short, long) in [
        ("{}", None, None, None),
        ("{}", Some("p.example.org"), Some("p"), Some("p.example.org")),
        ("hostname: h", Some("p.example.org"), Some("h"), None),
        ("hostname: h.example.org", None, Some("h"), Some("h.example.org")),
        ("hostname: h\nfqdn: f.example.org", None, Some("h"), Some("f.example.org")),
        ("fqdn: f.example.org", None, Some("f"), Some("f.example.org")),
        (
            "fqdn: f.example.org\nprefer_fqdn_over_hostname: true",
            None,
            Some("f.example.org"),
            Some("f.example.org"),
        ),
        ("hostname: h\npreserve_hostname: true", None, None, None),
        ("hostname: 12", None, Some("12"), None),
    ] {
        let seed = Seed { local_hostname: platform.map(str::to_owned), ..Seed::default() };
        let (config, problems) = with_seed(text, &seed);
        assert_eq!(problems, Vec::<String>::new());
        let value = |it: &Option<super::Placed<String>>| it.as_ref().map(|it| it.value.clone());
        let names = (value(&config.host.hostname), value(&config.host.fqdn));
        assert_eq!(names, (short.map(str::to_owned), long.map(str::to_owned)), "{text}");
    }
}

#[test]
fn commands_and_the_end() {
    let config = clean(
        "bootcmd: [echo a, [touch, /b, 3], null]\nruncmd:\n- 'x: y'\nfinal_message: done\n\
         power_state: {mode: reboot, delay: '+5', timeout: 10, condition: 'test -e /x', message: bye}\n\
         phone_home: {url: 'http://a/$INSTANCE_ID', post: [pub_key_rsa, hostname], tries: 3}\n",
    );
    let later = &config.later;
    assert_eq!(
        later.bootcmd,
        [
            Command::Shell("echo a".into()),
            Command::Exec(vec!["touch".into(), "/b".into(), "3".into()])
        ]
    );
    assert_eq!(later.runcmd, [Command::Shell("x: y".into())]);
    let power = later.power_state.as_ref().unwrap();
    assert_eq!((power.mode, power.delay_minutes, power.timeout_s), (PowerAction::Reboot, 5, 10));
    assert_eq!(later.phone_home.as_ref().unwrap().post, ["pub_key_rsa", "hostname"]);
    assert!(clean("power_state: {mode: halt, condition: false}").later.power_state.is_none());
}

#[test]
fn mounts_and_software() {
    let config = clean(
        "mounts:\n- [sdb1, /data]\n- [LABEL=x y, /srv, ext4, 'noatime', '0', '0']\n- [vdc, null]\n\
         packages: [vim, [git, '2.1'], {zypper: [jq]}]\n\
         zypper: {repos: [{id: r, name: R, baseurl: 'http://a', gpgcheck: true, enabled: no}]}\n",
    );
    let mounts: Vec<_> = config
        .mounts
        .iter()
        .map(|it| format!("{} {:?} {}", it.device.value, it.target, it.rest.join(" ")))
        .collect();
    assert_eq!(
        mounts,
        [
            "sdb1 Some(\"/data\") auto defaults,nofail 0 2",
            "LABEL=x y Some(\"/srv\") ext4 noatime 0 0",
            "vdc None auto defaults,nofail 0 2",
        ]
    );
    let packages: Vec<_> = config
        .software
        .packages
        .iter()
        .map(|it| (&*it.name.value, it.version.as_deref()))
        .collect();
    assert_eq!(packages, [("vim", None), ("git", Some("2.1")), ("jq", None)]);
    let settings: Vec<_> = config.software.repositories[0]
        .settings
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(
        settings,
        ["name=R", "baseurl=http://a", "gpgcheck=1", "enabled=0", "autorefresh=1"]
    );
}

#[test]
fn repositories_and_their_keys() {
    let config = clean(
        "zypper:\n  repos:\n  - {id: my repo, baseurl: ['http://a', 'http://b'], enabled: '0',\n     \
         gpgkey: 'https://x/k, file:///etc/k', priority: 90, mode: null}\n  \
         - {id: open, baseurl: 'http://a', gpgcheck: off}\n  \
         config: {solver.onlyRequires: true, commit.downloadMode: DownloadInAdvance, arch: null}\n\
         package_update: 'yes'\npackage_upgrade: false\npackage_reboot_if_required: true\n",
    );
    let [repository, open] = &config.software.repositories[..] else { panic!("{config:#?}") };
    assert_eq!((&*repository.id.value, &*repository.address), ("my_repo", "http://a"));
    let settings: Vec<_> =
        repository.settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        settings,
        [
            "baseurl=http://a http://b",
            "enabled=0",
            "gpgkey=https://x/k, file:///etc/k",
            "priority=90",
            "autorefresh=1",
        ]
    );
    let keys: Vec<_> = repository.keys.iter().map(|it| it.value.clone()).collect();
    let [url, file] = ["https://x/k", "/etc/k"].map(str::to_owned);
    assert_eq!(keys, [SigningKey::Url(url), SigningKey::File(file)]);
    assert!(!repository.enabled && open.enabled);
    let conf: Vec<_> =
        config.software.zypp_conf.iter().map(|(key, it)| format!("{key}={}", it.value)).collect();
    assert_eq!(conf, ["solver.onlyRequires=true", "commit.downloadMode=DownloadInAdvance"]);
    assert!(config.software.refresh.is_some() && config.software.upgrade.is_none());
}

#[test]
fn documentation_and_schema_have_the_same_keys() {
    use super::Support;

    let table = include_str!("../../../docs/cloud-config.md");
    let schema = include_str!("../../../data/cloud-config.schema.json");
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let mut in_schema: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    for key in KEYS {
        let (word, why) = match key.support {
            Support::Full => ("yes", ""),
            Support::Part(how) => ("with differences", how),
            Support::Refused(why) => ("refused", why),
            Support::Ignored(why) => ("ignored", why),
        };
        let begin = format!("| `{}` | {word} | ", key.name);
        let row = table.lines().find(|line| line.starts_with(&begin));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {why} |"))), "{begin}… | {why} |");
        let is_applied = matches!(key.support, Support::Full | Support::Part(_));
        let at = in_schema.iter().position(|name| *name == key.name);
        assert_eq!(at.is_some(), is_applied, "{} in the schema", key.name);
        in_schema.retain(|name| *name != key.name);
    }
    assert_eq!(in_schema, [""; 0]);
    assert_eq!(table.matches("\n| `").count(), KEYS.len());
}
