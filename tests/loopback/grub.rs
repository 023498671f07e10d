//! GRUB's environment block where it is on btrfs: in sectors of the device, beside the
//! file system that is mounted from it.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use health_checker::boot::grub::env;
use health_checker::snapshot::disk::Disk;
use health_checker::snapshot::mounted::mount_at;
use health_checker::sys::files::Root;

use super::bed::{Bed, PLAIN};

const AT: usize = 256 << 10;

fn block(text: &str, size: usize) -> Vec<u8> {
    let mut bytes = format!("# GRUB Environment Block\n{text}").into_bytes();
    bytes.resize(size, b'#');
    bytes
}

/// All that btrfs leaves free at the beginning, and its superblock.
fn beginning(device: &Path) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    fs::File::open(device).unwrap().read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn grubs_flag_is_cleared_on_the_device_and_nothing_else_there() {
    let bed = Bed::new(PLAIN);
    let disk = Disk::open(&bed.sysroot, true).unwrap().unwrap();
    let device = mount_at(disk.top()).unwrap().unwrap().source;
    let root = Root::new(disk.top().join("@/var"));
    let file = root.join("/boot/grub2/grubenv");
    fs::create_dir_all(file.parent().unwrap()).unwrap();

    fs::write(&file, block("env_block=512+1\n", 1024)).unwrap();
    assert!(env::flag(&root).is_err(), "there is no block yet");
    assert!(env::clear(&root).is_err());

    let set = block("next_entry=\nhealth_checker_flag=1\n", 512);
    let raw = OpenOptions::new().write(true).open(&device).unwrap();
    raw.write_all_at(&set, AT as u64).unwrap();
    raw.sync_all().unwrap();
    let before = beginning(&device);
    assert_eq!(env::flag(&root).unwrap(), Some(true));
    env::clear(&root).unwrap();
    assert_eq!(env::flag(&root).unwrap(), Some(false));
    let after = beginning(&device);
    let changed: Vec<_> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
    let value = set.windows(6).position(|it| it == b"_flag=").unwrap() + 6;
    assert_eq!(changed, [AT + value]);

    // The superblock is not given away, whatever the file says.
    fs::write(&file, block("env_block=128+8\n", 1024)).unwrap();
    let error = format!("{:#}", env::clear(&root).unwrap_err());
    assert!(error.contains("env_block=128+8 is not understood"), "{error}");
    drop(disk);
}
