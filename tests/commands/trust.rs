//! `plan --facts`: what a machine would refuse is not planned.

use serde_json::json;

use crate::bed::Bed;

const KEY: (&str, &str) = (
    "locked/usr/lib/health-checker/firstboot.keys/a.pub",
    "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n",
);

#[test]
fn a_configuration_that_the_machine_would_refuse_is_refused() {
    for (root, cmdline, status, says) in [
        ("open", "", 0, "configuration found: /dev/sda"),
        ("open", "network-config=disabled", 0, "configuration found: /dev/sda"),
        ("locked", "", 1, "/dev/sda (label cidata, vfat): there is no SHA256SUMS with it"),
        ("locked", "network-config=disabled", 1, "cannot be signed: remove it"),
        ("open", "firstboot.verify=required", 1, "has a public key to verify with"),
        ("open", "firstboot.verify=no", 1, "only firstboot.verify=required is known"),
    ] {
        let bed = Bed::new(&[
            KEY,
            ("locked/etc/os-release", ""),
            ("open/etc/os-release", ""),
            ("seed/user-data", "#cloud-config\n"),
            ("seed/meta-data", ""),
            ("facts", &facts(cmdline, "seed")),
        ]);
        let told = bed.run(&format!("--root {root} firstboot plan --facts facts"));
        assert!(told.status == Some(status) && told.err.contains(says), "{cmdline}: {told:?}");
        assert_eq!(told.out.contains("instance.json"), status == 0, "{told:?}");
    }
}

/// A machine with one stick.
fn facts(cmdline: &str, content: &str) -> String {
    let stick = json!({"node": "/dev/sda", "label": "cidata", "type": "vfat", "content": content});
    json!({"cmdline": cmdline, "drives": [stick]}).to_string()
}
