//! `phone_home` to a real TLS server: whom the started system trusts is told, and nobody else; the
//! report says why.

use std::time::{Duration, Instant};

use health_checker::firstboot::configuration::{Later, PhoneHome};
use health_checker::firstboot::later::{FILE, Failure, final_stage};
use health_checker::firstboot::outcome::Outcome;
use health_checker::record::store;
use health_checker::sys::files::{Root, replace};

use crate::https::{Office, Server};

const TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const LIMIT: Duration = Duration::from_secs(60);

/// The end of the start of this instance in a system: what failed, by first boot's result, with
/// what stands for the server in it.
fn phone(root: &Root, server: &Server, instance: &str, tries: u32) -> Vec<Failure> {
    let url = format!("{}/$INSTANCE_ID?token=s3cret", server.url);
    let post = ["instance_id", "hostname"].map(str::to_owned).to_vec();
    let phone_home = Some(PhoneHome { url, post, tries });
    let later = Later { instance_id: instance.to_owned(), phone_home, ..Later::default() };
    replace(&root.join(FILE), &serde_json::to_vec(&later).unwrap(), 0o600).unwrap();
    replace(&root.join("/proc/sys/kernel/hostname"), b"box\n", 0o644).unwrap();
    let went_well = final_stage(root, LIMIT).unwrap();
    let mut failed = Outcome::read(&root.join(store::DIR)).unwrap().unwrap().later.unwrap().failed;
    assert_eq!(went_well, failed.is_empty(), "{failed:?}");
    for failure in &mut failed {
        failure.reason = failure.reason.replace(&server.url, "SERVER");
    }
    failed
}

#[test]
fn who_is_trusted_is_told_and_nobody_else() {
    let office = Office::new();
    let [ours, theirs, nobody] = [Some("ours"), Some("theirs"), None].map(|ca| office.system(ca));
    let two_days = ["-days", "2"];
    let certificate = office.certify("IP:127.0.0.1", &two_days);
    let start = |certificate: &str| Server::start(&office, certificate, &[], TAKEN);

    let mut server = start(&certificate);
    assert_eq!(phone(&ours, &server, "i-1", 3), []);
    assert_eq!(server.heard("POST").trim(), "POST /i-1?token=s3cret HTTP/1.1");
    assert!(server.heard("instance_id=").starts_with("instance_id=i-1&hostname=box"));

    let past = ["-not_before", "20200101000000Z", "-not_after", "20210101000000Z"];
    let here = "IP:127.0.0.1";
    for (instance, root, name, valid, tries, says) in [
        ("i-2", &theirs, here, &two_days[..], 10, "certificate: UnknownIssuer: nothing is told"),
        ("i-3", &nobody, here, &two_days, 10, "no trusted certificates: none of /etc/ssl"),
        ("i-4", &ours, "DNS:another", &two_days, 10, "certificate not valid for name"),
        // The clock may be set in a moment: it is tried again.
        ("i-5", &ours, here, &past, 2, "certificate expired"),
    ] {
        let server = start(&office.certify(name, valid));
        let begun = Instant::now();
        let failed = phone(root, &server, instance, tries);
        assert!(begun.elapsed() < LIMIT / 3, "{says}: asked again and again");
        let [failure] = &failed[..] else { panic!("{says}: {failed:?}") };
        let Failure { name, reason } = failure;
        assert_eq!(name, "phone_home");
        assert!(reason.starts_with(&format!("SERVER/{instance}?…: ")), "{reason}");
        assert!(reason.contains(says) && !reason.contains("s3cret"), "{reason}");
        let again = reason.ends_with("given up after 2 tries");
        assert_eq!(again, reason.contains("is the machine's clock right?"), "{reason}");
        assert_eq!(again, says.contains("expired"), "{reason}");
    }
}
