//! `package_upgrade` by the real zypper: a rolling system becomes what its repositories have, any
//! other one only newer.

use std::fs;

use crate::bed::{path, run};
use crate::mirror::{Contents, Mirror};
use crate::zypper::{DATABASE, apply, printed, system};

#[test]
fn a_rolling_system_follows_its_repositories_and_another_only_forward() {
    let mirror = Mirror::new();
    let packages = ["hc-data-2.0", "hc-open-1.0"];
    let contents =
        Contents { packages: &packages, signed_by: "ours", list_signed_by: Some("ours") };
    mirror.repository("good", &contents);
    for (os_release, open) in [("ID=opensuse-microos\n", "1.0"), ("ID=opensuse-leap\n", "2.0")] {
        let bed = system(&mirror);
        bed.writable(1, || {
            let root = bed.dir.path().join("top/@/.snapshots/1/snapshot");
            fs::write(root.join("etc/os-release"), os_release).unwrap();
            // Newer than what the repository has: it was taken back there.
            let package = mirror.built("hc-open-2.0");
            let install = ["--nosignature", "--dbpath", DATABASE, "-i", path(&package)];
            run("rpm", &[&["--root", path(&root)], &install[..]].concat());
        });
        let number = apply(
            &bed,
            &mirror,
            "zypper:\n  repos:\n  \
             - {id: good, baseurl: 'MIRROR/good', gpgkey: 'MIRROR/ours.asc'}\n\
             package_upgrade: true\n",
        );
        let number = number.unwrap();
        let root = bed.dir.path().join(format!("top/@/.snapshots/{number}/snapshot"));
        let installed = printed("chroot", &[path(&root), "/usr/bin/rpm", "-qa"]);
        for package in ["hc-data-2.0-1", &format!("hc-open-{open}-1")] {
            assert!(installed.contains(package), "{os_release}{package}: {installed}");
        }
        let text = fs::read_to_string(root.join("usr/share/hc/open")).unwrap();
        assert_eq!(text, format!("open {open}\n"), "{os_release}");
    }
}
