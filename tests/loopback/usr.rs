//! A `/usr` in a subvolume of its own, by fstab or by the kernel command line: the script
//! sees it and may change it, and a failure puts it back.

use std::fs;

use health_checker::firstboot::trust;

use crate::bed::{Bed, LAYOUTS};

const BY_FSTAB: &str = "LABEL=TEST /usr btrfs subvol=/@/usr 0 0\n";
const BY_CMDLINE: &str = "root=LABEL=TEST mount.usr=LABEL=TEST mount.usrflags=subvol=/@/usr";

/// Nothing of it runs without the `/usr` that has bash in it.
const SCRIPT: &str = "#!/bin/bash\nset -e\n[ -x /usr/bin/bash ]\necho x >/usr/added\n\
    echo configured >/etc/hostname\n";

fn each(test: impl Fn(&Bed, &str, &str)) {
    for layout in LAYOUTS {
        for (fstab, cmdline) in [(BY_FSTAB, ""), ("", BY_CMDLINE)] {
            let bed = Bed::new(layout);
            bed.split_usr(fstab);
            test(&bed, cmdline, &format!("{layout} {cmdline}"));
        }
    }
}

#[test]
fn the_script_runs_in_it_and_changes_it() {
    each(|bed, cmdline, case| {
        let stage = bed.stage(cmdline);
        stage.detect().unwrap();
        Bed::hand_on_script(SCRIPT);
        let id = stage.apply().unwrap().unwrap();
        stage.enter(&id).unwrap();
        assert_eq!(bed.default_number(), 2, "{case}");
        let disk = bed.disk();
        assert_eq!(fs::read_to_string(disk.top().join("@/usr/added")).unwrap(), "x\n", "{case}");
        let shadowed = fs::read_dir(disk.snapshots.path(2).join("usr")).unwrap().count();
        assert_eq!(shadowed, 0, "{case}: written to where /usr is mounted");
        drop(disk);
        assert_eq!(fs::read_to_string(bed.etc_of(2).join("hostname")).unwrap(), "configured\n");
    });
}

#[test]
fn a_failure_puts_it_back() {
    each(|bed, cmdline, case| {
        let before = bed.fingerprint();
        let stage = bed.stage(cmdline);
        stage.detect().unwrap();
        Bed::hand_on_script(&format!("{SCRIPT}exit 3\n"));
        stage.apply().unwrap_err();
        assert_eq!(bed.fingerprint(), before, "{case}");
    });
}

#[test]
fn its_keys_and_its_plugins_of_snapper_count() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl\n";
    each(|bed, cmdline, case| {
        let asked = || trust::is_asked_for(&bed.stage(cmdline).machine).unwrap();
        assert!(!asked(), "{case}");
        bed.add_to("@/usr", "lib/health-checker/firstboot.keys/admin.pub", KEY.as_bytes(), 0o644);
        assert!(asked(), "{case}");
        let plugin = "#!/bin/bash\necho $1 >>/var/told\n";
        bed.add_to("@/usr", "lib/snapper/plugins/10-test", plugin.as_bytes(), 0o755);
        Bed::hand_on_script(SCRIPT);
        bed.stage(cmdline).apply().unwrap();
        let told = fs::read_to_string(bed.disk().var.join("told")).unwrap();
        assert_eq!(told, "create-snapshot-post\nset-default-snapshot-post\n", "{case}");
    });
}
