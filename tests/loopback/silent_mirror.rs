//! A server of packages that accepts and then is silent: it ends in time, is named, and leaves
//! nothing.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use health_checker::firstboot::stage::Stage;

use crate::bed::Bed;
use crate::mirror::Mirror;
use crate::zypper::system;

/// Of all programs together (`policy.firstboot_deadline`).
const LIMIT: Duration = Duration::from_secs(20);

/// Takes requests and answers none; its address.
fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().map(Result::unwrap).collect::<Vec<_>>());
    at
}

#[test]
fn a_silent_server_ends_in_time_and_leaves_nothing() {
    let mirror = Mirror::new();
    let bed = system(&mirror);
    let before = bed.fingerprint();
    let url = silent();
    // zypper(8) waits here long past its own download.transfer_timeout.
    Bed::hand_on_seed(&format!(
        "#cloud-config\nusers: []\npackages: [hc-tool]\nzypper:\n  \
         repos: [{{id: slow, baseurl: '{url}/x', gpgcheck: false}}]\n"
    ));
    let stage = Stage { limit: LIMIT, ..bed.stage("") };
    let begun = Instant::now();
    let error = stage.apply().map(drop).unwrap_err();
    let (error, took) = (format!("{error:#}"), begun.elapsed());
    // Less than the step alone may take, also on a busy machine.
    assert!(took < LIMIT * 15, "{took:?}: {error}");
    let refresh = format!("refresh the repository slow, {url}/x");
    assert!(error.contains(&refresh) && error.contains("no end within"), "{error}");
    assert_eq!(bed.default_number(), 1);
    assert!(bed.fingerprint() == before, "something is left");
}
