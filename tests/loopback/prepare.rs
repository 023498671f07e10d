//! What somebody makes of the bed's system before, between and after first boots.

use std::fs;
use std::path::PathBuf;

use health_checker::sys::{btrfs, files};

use crate::bed::{Bed, copy_with_libraries, path, run};

impl Bed {
    /// While a read-only snapshot is not: somebody prepares it.
    pub(crate) fn writable(&self, number: u32, work: impl FnOnce()) {
        let snapshot = self.dir.path().join(format!("top/@/.snapshots/{number}/snapshot"));
        btrfs::set_read_only(&snapshot, false).unwrap();
        work();
        btrfs::set_read_only(&snapshot, true).unwrap();
    }

    /// The same system on ext4, read-only, as the kernel mounts a root.
    pub(crate) fn mount_ext4(&self) -> PathBuf {
        let (image, at) = (self.dir.path().join("ext4"), self.dir.path().join("other"));
        let tree = self.dir.path().join("copy");
        run("cp", &["-a", "--no-preserve=ownership", path(&self.sysroot), path(&tree)]);
        fs::write(tree.join("etc/fstab"), "").unwrap();
        run("mke2fs", &["-q", "-t", "ext4", "-d", path(&tree), path(&image), "64M"]);
        fs::create_dir(&at).unwrap();
        // Not at once: the loop device itself would be read-only.
        run("mount", &["-o", "loop", path(&image), path(&at)]);
        run("mount", &["-o", "remount,ro", path(&at)]);
        at
    }

    /// Puts a program into snapshot 1, for its scripts.
    pub(crate) fn add_program(&self, program: &str) {
        let root = self.dir.path().join("top/@/.snapshots/1/snapshot");
        self.writable(1, || copy_with_libraries(program, &root));
    }

    /// Somebody makes room.
    pub(crate) fn remove_from_var(&self, unwanted: impl Fn(&str) -> bool) {
        let var = self.dir.path().join("top/@/var");
        for entry in fs::read_dir(&var).unwrap().map(Result::unwrap) {
            if unwanted(entry.file_name().to_str().unwrap()) {
                fs::remove_file(entry.path()).unwrap();
            }
        }
        btrfs::sync(&var).unwrap();
    }

    /// Gives the system a `/usr` in a subvolume of its own, outside of the snapshots; `fstab`
    /// is its line there.
    pub(crate) fn split_usr(&self, fstab: &str) {
        let top = self.dir.path().join("top");
        let (root, usr) = (top.join("@/.snapshots/1/snapshot"), top.join("@/usr"));
        btrfs::snapshot(&top.join("@/root"), &usr).unwrap();
        self.writable(1, || {
            run("cp", &["-a", path(&root.join("usr/.")), path(&usr)]);
            fs::remove_dir_all(root.join("usr")).unwrap();
            fs::create_dir(root.join("usr")).unwrap();
            let old = fs::read_to_string(root.join("etc/fstab")).unwrap();
            fs::write(root.join("etc/fstab"), old + fstab).unwrap();
        });
    }

    /// A subvolume inside of `/var`, as systemd makes them for machines.
    pub(crate) fn nest_in_var(&self, path: &str) {
        let top = self.dir.path().join("top");
        btrfs::snapshot(&top.join("@/root"), &top.join("@/var").join(path)).unwrap();
    }

    /// Puts a file into snapshot 1, by its path in it.
    pub(crate) fn add_file(&self, path: &str, bytes: &[u8], mode: u32) {
        self.writable(1, || self.add_to("@/.snapshots/1/snapshot", path, bytes, mode));
    }

    /// Puts a file into a subvolume.
    pub(crate) fn add_to(&self, subvolume: &str, path: &str, bytes: &[u8], mode: u32) {
        let path = self.dir.path().join("top").join(subvolume).join(path);
        files::replace(&path, bytes, mode).unwrap();
    }

    /// Remounts the whole file system, as somebody does who has looked after it.
    pub(crate) fn remount_writable(&self) {
        run("mount", &["-o", "remount,rw", path(&self.dir.path().join("top"))]);
    }
}
