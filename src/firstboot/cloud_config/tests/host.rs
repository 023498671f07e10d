//! Names, time, language, and whom the system trusts.

use super::{clean, problems_begin, with_seed};
use crate::firstboot::configuration::Placed;
use crate::firstboot::seed::Seed;

#[test]
fn what_is_wrong_is_named_with_place_and_remedy() {
    problems_begin(&[
        ("hostname: [a]", "u:1:11: error: hostname must be text, and this is a list"),
        ("hostname: yes", "u:1:11: error: hostname must be text: put it in quotes"),
        ("hostname: -a", "u:1:11: error: hostname \"-a\" is no host name"),
        ("timezone: ../../etc/shadow", "u:1:11: error: timezone \"../../etc/shadow\" is no name"),
        ("ca_certs: {trusted: [x]}", "u:1:22: error: this is no certificate in PEM"),
        (
            "manage_etc_hosts: localhost",
            "u:1:19: warning: manage_etc_hosts leaves /etc/hosts as it is where neither",
        ),
        (
            "hostname: h\npreserve_hostname: true\nmanage_etc_hosts: true",
            "u:3:19: warning: manage_etc_hosts leaves /etc/hosts as it is",
        ),
        ("keyboard: {model: pc105}", "u:1:11: error: keyboard has no layout"),
        ("ntp: {ntp_client: ntpd}", "u:1:19: error: ntp_client \"ntpd\" is none of chrony"),
    ]);
}

#[test]
fn hosts_that_have_a_name_are_managed() {
    let seed = Seed { local_hostname: Some("p".to_owned()), ..Seed::default() };
    let (_, problems) = with_seed("manage_etc_hosts: true", &seed);
    assert_eq!(problems, Vec::<String>::new());
    clean("manage_etc_hosts: localhost\nhostname: h");
    clean("manage_etc_hosts: false");
}

#[test]
fn ntp_with_nothing_in_it_is_asked_for() {
    for (text, is_asked) in [
        ("ntp:", true),
        ("ntp: {}", true),
        ("ntp: {enabled: null}", true),
        ("ntp: {enabled: false}", false),
        ("{}", false),
    ] {
        let (config, problems) = with_seed(text, &Seed::default());
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(config.host.ntp.is_some(), is_asked, "{text}");
    }
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
        let value = |it: &Option<Placed<String>>| it.as_ref().map(|it| it.value.clone());
        let names = (value(&config.host.hostname), value(&config.host.fqdn));
        assert_eq!(names, (short.map(str::to_owned), long.map(str::to_owned)), "{text}");
    }
}
