//! `bootcmd`, `runcmd`, and how it ends.

use super::{clean, problems_begin};
use crate::firstboot::configuration::{Command, PowerAction};

#[test]
fn what_is_wrong_is_named_with_place_and_remedy() {
    problems_begin(&[
        ("runcmd: ls", "u:1:9: error: runcmd must be a list"),
        ("runcmd:\n- echo a: b", "u:2:3: error: a command of runcmd is a mapping: a \": \" in it"),
        ("runcmd: [[]]", "u:1:10: error: a command of runcmd is empty"),
        (
            "runcmd: [[systemctl, enable, on]]",
            "u:1:30: warning: YAML takes this argument for a boolean, and the program gets \"True\"",
        ),
        (
            "runcmd: [[chmod, 0644, /x]]",
            "u:1:18: warning: YAML reads the number in an argument of runcmd otherwise than",
        ),
        (
            "bootcmd: [[x, 1.10]]",
            "u:1:15: warning: YAML reads the number in an argument of bootcmd otherwise than",
        ),
        ("runcmd: [0x10]", "u:1:10: warning: YAML reads the number in a command otherwise than"),
        ("bootcmd: [1.5]", "u:1:11: error: a command of bootcmd must be text or a list"),
        ("power_state: {mode: sleep}", "u:1:21: error: mode of power_state must be"),
        ("power_state: {mode: halt, delay: soon}", "u:1:34: error: delay must be now, or minutes"),
        ("phone_home: {url: 'ftp://a'}", "u:1:19: error: url of phone_home must begin with http"),
    ]);
}

#[test]
fn commands_and_the_end() {
    let config = clean(
        "bootcmd: [echo a, [touch, /b, 3, '0644', 1.5], null]\nruncmd:\n- 'x: y'\nfinal_message: done\n\
         power_state: {mode: reboot, delay: '+5', timeout: 10, condition: 'test -e /x', message: bye}\n\
         phone_home: {url: 'http://a/$INSTANCE_ID', post: [pub_key_rsa, hostname], tries: 3}\n",
    );
    let later = &config.later;
    assert_eq!(
        later.bootcmd,
        [
            Command::Shell("echo a".into()),
            Command::Exec(vec![
                "touch".into(),
                "/b".into(),
                "3".into(),
                "0644".into(),
                "1.5".into()
            ])
        ]
    );
    assert_eq!(later.runcmd, [Command::Shell("x: y".into())]);
    let power = later.power_state.as_ref().unwrap();
    assert_eq!((power.mode, power.delay_minutes, power.timeout_s), (PowerAction::Reboot, 5, 10));
    assert_eq!(later.phone_home.as_ref().unwrap().post, ["pub_key_rsa", "hostname"]);
    assert!(clean("power_state: {mode: halt, condition: false}").later.power_state.is_none());
}
