//! Nobody reads what is said, or there is no room for it.

use std::fs::File;
use std::io::pipe;
use std::process::Stdio;

use crate::bed::{Bed, files_below};

const NETWORK: &str = "version: 2\nethernets:\n  a: {dhcp4: true}\n  b: {dhcp4: true}\n  \
                       c: {dhcp4: true}\n";

/// One end of a pipe whose other end nobody has.
fn closed() -> Stdio {
    pipe().unwrap().1.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

#[test]
fn all_files_of_a_network_are_written_whoever_reads_their_names() {
    for (stdout, status) in [(closed(), 0), (full(), 3)] {
        let bed = Bed::new(&[("net", NETWORK)]);
        let mut command =
            bed.command("firstboot network --from net --renderer networkd --output o");
        let done = command.stdout(stdout).output().unwrap();
        assert_eq!(done.status.code(), Some(status), "{done:?}");
        assert_eq!(files_below(&bed.path("o")), 3);
    }
}

#[test]
fn what_is_said_beside_the_answer_stops_nothing() {
    let bed = Bed::new(&[
        ("bad", "#cloud-config\nruncmd: 7\n"),
        ("net", "version: 7\n"),
        ("seed/user-data", "#cloud-config\nhostname: box\n"),
        ("seed/meta-data", ""),
        ("root/etc/os-release", ""),
        (
            "facts",
            r#"{"drives": [{"node": "/dev/sda", "label": "cidata", "type": "vfat", "content": "seed"},
                {"node": "/dev/sdb", "label": "install", "type": "vfat"}]}"#,
        ),
    ]);
    for (arguments, status) in [
        ("--root root firstboot plan --facts facts", 0),
        ("--root root firstboot plan --source bad", 1),
        ("--root root firstboot apply --source bad", 1),
        ("firstboot merge bad", 0),
        ("firstboot network --from net --renderer networkd --output o", 1),
        ("firstboot validate none", 3),
    ] {
        for stderr in [closed(), full()] {
            let done = bed.command(arguments).stderr(stderr).output().unwrap();
            assert_eq!(done.status.code(), Some(status), "{arguments}: {done:?}");
        }
    }
}

#[test]
fn a_closed_pipe_ends_json_without_an_error() {
    let bed = Bed::new(&[("root/etc/os-release", ""), ("user", "#cloud-config\n")]);
    for arguments in [
        "firstboot detect",
        "firstboot sources",
        "firstboot plan --source user",
        "firstboot validate user",
        "firstboot status",
        "config show",
        "status",
        "check",
    ] {
        let arguments = format!("--root root {arguments} --json");
        let done = bed.command(&arguments).stdout(closed()).output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{arguments}: {done:?}");
        assert!(!String::from_utf8_lossy(&done.stderr).contains("pipe"), "{done:?}");
    }
}
