//! snapper's plugins are called as snapper itself would.

use std::fs;

use crate::bed::{Bed, OVERLAY};

#[test]
fn those_are_called_that_snapper_calls_grub_in_its_own_way() {
    let bed = Bed::new(OVERLAY);
    let plugin = "#!/bin/bash\necho \"${0##*/} $*\" >>/var/told\n";
    for name in ["20-second", "10-first", "grub", "rollback", "helper.sh"] {
        bed.add_file(&format!("usr/lib/snapper/plugins/{name}"), plugin.as_bytes(), 0o755);
    }
    bed.add_file("usr/lib/snapper/plugins/30-not-executable", plugin.as_bytes(), 0o644);
    Bed::hand_on_script("#!/bin/bash\necho script >>/var/told\n");
    bed.stage("").apply().unwrap();
    let told = fs::read_to_string(bed.disk().var.join("told")).unwrap();
    let expected = [
        "script",
        "grub --refresh",
        "10-first create-snapshot-post / btrfs 2",
        "20-second create-snapshot-post / btrfs 2",
        "10-first set-default-snapshot-post / btrfs 2",
        "20-second set-default-snapshot-post / btrfs 2",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}
