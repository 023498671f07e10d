//! `zypper` and `packages`.

use super::{clean, problems_begin, read_text};
use crate::firstboot::configuration::SigningKey;

#[test]
fn what_is_wrong_is_named_with_place_and_remedy() {
    problems_begin(&[
        ("zypper: {repos: [{id: a}]}", "u:1:18: error: a repository must have id and baseurl"),
        (
            "zypper: {repos: [{id: a/b, baseurl: x}]}",
            "u:1:23: error: id \"a/b\" becomes a file's name",
        ),
        (
            "zypper: {repos: [{id: r, baseurl: []}]}",
            "u:1:35: error: baseurl is an empty list: write the repository's address",
        ),
        ("zypper: {repos: [{id: r, baseurl: [null]}]}", "u:1:35: error: baseurl is an empty list"),
        (
            "zypper: {repos: [{id: r, baseurl: x, gpgkey: []}]}",
            "u:1:18: warning: repository \"r\" names no key",
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
            "packages: ['https://u:s3cret@h/x.rpm?k=s3cret']",
            "u:1:12: error: \"https://h/x.rpm?…\" is no name of a package",
        ),
        (
            "packages: [[a, 1.10]]",
            "u:1:16: error: a package must be text, and this is the number 1.1",
        ),
        ("packages: [{apt: [a]}]", "u:1:13: error: packages of \"apt\" are not supported"),
    ]);
}

#[test]
fn no_repository_vanishes_without_an_error() {
    // At each setting, of each kind.
    for key in ["id", "baseurl", "gpgkey", "name", "enabled", "x"] {
        for value in ["[]", "[null]", "['']", "''", "{}", "null", "[[]]", "1.5", "yes", "[a, b]"] {
            let others = ["id: r", "baseurl: 'http://x'", "gpgcheck: false"].iter();
            let others: Vec<_> = others.filter(|it| !it.starts_with(key)).copied().collect();
            let text = format!("zypper: {{repos: [{{{}, {key}: {value}}}]}}", others.join(", "));
            let (config, problems) = read_text(&text);
            let is_there = config.software.repositories.len() == 1;
            assert!(is_there || problems.iter().any(|it| it.contains(" error: ")), "{text}");
        }
    }
    let config = clean(
        "zypper: {repos: [{id: r, baseurl: 'http://a', gpgcheck: false, gpgkey: [], enabled: []}]}",
    );
    let [repository] = &config.software.repositories[..] else { panic!("{config:#?}") };
    let keys: Vec<_> = repository.settings.iter().map(|(key, _)| &**key).collect();
    assert_eq!(keys, ["baseurl", "gpgcheck", "enabled", "autorefresh"]);
    assert!(repository.enabled);
}

#[test]
fn packages_and_settings_of_repositories() {
    let config = clean(
        "packages: [vim, [git, '2.1'], {zypper: [jq]}]\n\
         zypper: {repos: [{id: r, name: R, baseurl: 'http://a', gpgcheck: true, enabled: no}]}\n",
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

/// It is ours to check, and not zypper's: its file has the address alone.
const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";

#[test]
fn repositories_and_their_keys() {
    let config = clean(&
        "zypper:\n  repos:\n  - {id: my repo, baseurl: ['http://a', 'http://b'], enabled: '0',\n     \
         gpgkey: 'https://x/k#sha256={SUM}, file:///etc/k', priority: 90, mode: null}\n  \
         - {id: open, baseurl: 'http://a', gpgcheck: off}\n  \
         config: {solver.onlyRequires: true, commit.downloadMode: DownloadInAdvance, arch: null}\n\
         package_update: 'yes'\npackage_upgrade: false\npackage_reboot_if_required: true\n"
            .replace("{SUM}", SUM),
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
    let [url, file] = [format!("https://x/k#sha256={SUM}"), "/etc/k".to_owned()];
    assert_eq!(keys, [SigningKey::Url(url), SigningKey::File(file)]);
    assert!(!repository.enabled && open.enabled);
    let conf: Vec<_> =
        config.software.zypp_conf.iter().map(|(key, it)| format!("{key}={}", it.value)).collect();
    assert_eq!(conf, ["solver.onlyRequires=true", "commit.downloadMode=DownloadInAdvance"]);
    assert!(config.software.refresh.is_some() && config.software.upgrade.is_none());
}
