//! The image, and the world around it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use health_checker::firstboot::machine::Machine;
use health_checker::firstboot::outcome::Outcome;
use health_checker::firstboot::stage::{PENDING, Stage};
use health_checker::record::store::{self, Store};
use health_checker::snapshot::disk::Disk;
use health_checker::snapshot::etc::Etc;
use health_checker::sys::cmdline::Cmdline;
use health_checker::sys::command;
use health_checker::sys::files::Root;
use health_checker::sys::{btrfs, mount};
use nix::mount::{MsFlags, mount as mount2};
use nix::sched::{CloneFlags, unshare};

pub(crate) const OVERLAY: &str = "overlay /etc overlay defaults,lowerdir=/sysroot/etc,\
    upperdir=/sysroot/var/lib/overlay/1/etc,workdir=/sysroot/var/lib/overlay/1/work-etc,\
    x-initrd.mount 0 0\n";
pub(crate) const NESTED: &str = "/etc /etc none bind,x-initrd.mount 0 0\n";
pub(crate) const PLAIN: &str = "";
pub(crate) const LAYOUTS: [&str; 3] = [OVERLAY, NESTED, PLAIN];

/// One at a time: between fork and exec, a program that another test starts holds
/// what this one has open, and a file system that shall be unmounted is busy.
static ONE: Mutex<()> = Mutex::new(());

/// The only test that works with disks, in a mount namespace of its thread's own.
pub(crate) struct Alone(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Alone {
    pub(crate) fn enter() -> Self {
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(nix::unistd::geteuid().is_root(), "the loopback tests need root (mounts)");
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none: Option<&Path> = None;
        mount2(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        Self(alone)
    }
}

/// A disk whose snapshot 1 is the default one and mounted as root, and the
/// initrd's own directories, all in this thread's namespace.
pub(crate) struct Bed {
    pub(super) dir: tempfile::TempDir,
    pub(crate) sysroot: PathBuf,
    _alone: Alone,
}

/// Runs a program of this system, or else of the tools tree; what it printed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = |dir: &str| Path::new(dir).join(program).exists();
    let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
    let mut command = if path.split(':').any(found) {
        Command::new(program)
    } else {
        let mut tools = Command::new(here.join("tests/tools/run"));
        tools.arg(program);
        tools
    };
    let output = command::run(command.args(arguments), Duration::from_secs(300)).unwrap();
    assert!(output.success(), "{program} {arguments:?}: {} {}", output.end, output.stderr);
    output.stdout
}

impl Bed {
    pub(crate) fn new(etc: &str) -> Self {
        let alone = Alone::enter();
        let none: Option<&Path> = None;
        for dir in ["/run/health-checker", "/run/combustion", "/dev/shm"] {
            fs::create_dir_all(dir).unwrap();
            mount2(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), none).unwrap();
        }
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let bed = Self { sysroot: dir.path().join("sysroot"), dir, _alone: alone };
        bed.make_image(etc);
        fs::create_dir(&bed.sysroot).unwrap();
        bed.mount_root();
        bed
    }

    fn make_image(&self, etc: &str) {
        let tree = self.dir.path().join("tree");
        let root = tree.join("@/.snapshots/1/snapshot");
        for sub in [
            "etc",
            "usr/bin",
            "usr/lib64",
            "var",
            "root",
            "dev",
            "proc",
            "sys",
            "run",
            "tmp",
            ".snapshots",
        ] {
            fs::create_dir_all(root.join(sub)).unwrap();
        }
        std::os::unix::fs::symlink("usr/bin", root.join("bin")).unwrap();
        std::os::unix::fs::symlink("usr/lib64", root.join("lib64")).unwrap();
        copy_with_libraries("/bin/bash", &root);
        let fstab = format!(
            "LABEL=TEST / btrfs ro 0 0\nLABEL=TEST /var btrfs subvol=/@/var,x-initrd.mount 0 0\n\
             LABEL=TEST /root btrfs subvol=/@/root 0 0\n\
             LABEL=TEST /.snapshots btrfs subvol=/@/.snapshots 0 0\nLABEL=NONE /data xfs nofail 0 0\n{etc}"
        );
        fs::write(root.join("etc/fstab"), fstab).unwrap();
        fs::write(root.join("etc/machine-id"), "uninitialized\n").unwrap();
        fs::write(root.join("etc/hostname"), "pristine\n").unwrap();
        for layer in ["etc", "work-etc"] {
            fs::create_dir_all(tree.join("@/var/lib/overlay/1").join(layer)).unwrap();
        }
        fs::write(tree.join("@/var/lib/overlay/1/etc/edited"), "by hand\n").unwrap();
        fs::write(tree.join("@/var/lib/kept"), "as it was\n").unwrap();
        fs::create_dir(tree.join("@/root")).unwrap();

        let image = self.dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        let mut arguments = vec!["-q", "-L", "TEST", "--rootdir", path(&tree)];
        let mut subvolumes = vec!["rw:@", "rw:@/.snapshots", "rw:@/var", "rw:@/root"];
        subvolumes.push("default:@/.snapshots/1/snapshot");
        if etc == NESTED {
            subvolumes.push("rw:@/.snapshots/1/snapshot/etc");
        }
        arguments.extend(subvolumes.iter().flat_map(|subvolume| ["--subvol", subvolume]));
        arguments.push(path(&image));
        run("mkfs.btrfs", &arguments);
        fs::remove_dir_all(tree).unwrap();

        let top = self.dir.path().join("top");
        fs::create_dir(&top).unwrap();
        run("mount", &["-o", "loop,subvolid=5", path(&image), path(&top)]);
        btrfs::set_read_only(&top.join("@/.snapshots/1/snapshot"), true).unwrap();
    }

    fn mount_root(&self) {
        let device = self.device();
        let none: Option<&Path> = None;
        mount2(Some(&device), &self.sysroot, Some("btrfs"), MsFlags::MS_RDONLY, none).unwrap();
    }

    fn device(&self) -> PathBuf {
        let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
        let mounts = health_checker::sys::mountinfo::parse(&table);
        let top = self.dir.path().join("top");
        health_checker::sys::mountinfo::at(&mounts, &top).unwrap().source.clone()
    }

    /// The next start: the default subvolume is the root, /run is empty.
    pub(crate) fn restart(&self) {
        mount::renew(&self.sysroot).unwrap();
        for entry in fs::read_dir("/run/health-checker").unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::remove_file(path).unwrap();
            }
        }
    }

    pub(crate) fn stage(&self, cmdline: &str) -> Stage {
        let cmdline = Cmdline::parse(cmdline);
        let machine = Machine::new(Root::new("/"), self.sysroot.clone(), cmdline);
        Stage { machine, limit: Duration::from_secs(60) }
    }

    /// What the stage `fetch` would leave.
    pub(crate) fn hand_on_script(script: &str) {
        fs::create_dir_all("/dev/shm/combustion/config").unwrap();
        fs::write("/dev/shm/combustion/config/script", script).unwrap();
        let found = r#"{"source": "a test", "sha256": "00", "applications": 1, "signed_by": null, "ignored": []}"#;
        fs::write("/run/health-checker/firstboot-found.json", found).unwrap();
    }

    /// The same, of a seed with this user-data.
    pub(crate) fn hand_on_seed(user_data: &str) {
        let seed = Path::new("/dev/shm/combustion/seed");
        fs::create_dir_all(seed).unwrap();
        fs::write(seed.join("user-data"), user_data).unwrap();
        fs::write(seed.join("meta-data"), "instance-id: i-1\n").unwrap();
        let found = r#"{"source": "a test", "sha256": "00", "applications": 1, "signed_by": null, "ignored": [], "format": {"seed": "NoCloud"}}"#;
        fs::write("/run/health-checker/firstboot-found.json", found).unwrap();
    }

    pub(crate) fn pending() -> bool {
        Path::new("/run/health-checker").join(PENDING).exists()
    }

    /// The disk, to be dropped and not closed: what another test starts holds its open files until it
    /// is another program, and they would be busy.
    pub(crate) fn disk(&self) -> Disk {
        Disk::open(&self.sysroot, true).unwrap().unwrap()
    }

    pub(crate) fn disk_of_default(&self) -> Disk {
        mount::renew(&self.sysroot).unwrap();
        self.disk()
    }

    pub(crate) fn default_number(&self) -> u32 {
        self.disk().snapshots.default().unwrap().unwrap().id.number
    }

    /// The directory that a snapshot's own `/etc` is written to.
    pub(crate) fn etc_of(&self, number: u32) -> PathBuf {
        let disk = self.disk();
        let fstab = health_checker::snapshot::disk::fstab_of(&disk.snapshots.path(number)).unwrap();
        let layers = Etc::of(&fstab).unwrap().layers();
        let top = self.dir.path().join("top");
        match layers[0].strip_prefix("/var") {
            Ok(rest) => top.join("@/var").join(rest),
            Err(_) => top.join(format!("@/.snapshots/{number}/snapshot/etc")),
        }
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(&Root::new(self.dir.path().join("top/@")))
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        Outcome::read(&self.dir.path().join("top/@").join(store::DIR.trim_start_matches('/')))
            .unwrap()
    }

    /// As systemd does in the booted system.
    pub(crate) fn write_machine_id(&self) {
        let number = self.default_number();
        let id = "0123456789abcdef0123456789abcdef\n";
        fs::write(self.etc_of(number).join("machine-id"), id).unwrap();
    }

    /// Every path on the disk with its kind, mode, owner, times and content, but
    /// for our own state.
    pub(crate) fn fingerprint(&self) -> BTreeMap<PathBuf, String> {
        let top = self.dir.path().join("top");
        let mut prints = BTreeMap::new();
        walk(&top, &mut prints);
        let ours = ["@/var/lib/health-checker", "@/.snapshots/.health-checker"];
        prints.retain(|path, _| !ours.iter().any(|own| path.starts_with(top.join(own))));
        prints
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // The namespace lives on until its thread ends; the files must not wait for that.
        for mounted in [&self.sysroot, &self.dir.path().join("top"), &self.dir.path().join("other")]
        {
            let _gone = nix::mount::umount2(mounted, nix::mount::MntFlags::MNT_DETACH);
        }
    }
}

fn walk(dir: &Path, prints: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let metadata = path.symlink_metadata().unwrap();
        let content = if metadata.is_file() { fs::read(&path).unwrap() } else { Vec::new() };
        // Directories that new names come and go in have other times; their content is compared.
        let times = if metadata.is_dir() { 0 } else { metadata.mtime() };
        let print = format!(
            "{:o} {}:{} {times} {}",
            metadata.mode(),
            metadata.uid(),
            metadata.gid(),
            content.iter().fold(0u64, |hash, b| hash.wrapping_mul(31).wrapping_add((*b).into()))
        );
        if metadata.is_dir() {
            walk(&path, prints);
        }
        prints.insert(path, print);
    }
}

pub(super) fn copy_with_libraries(program: &str, root: &Path) {
    let name = Path::new(program).file_name().unwrap();
    fs::copy(program, root.join("usr/bin").join(name)).unwrap();
    let output = command::run(Command::new("ldd").arg(program), Duration::from_secs(10)).unwrap();
    for word in output.stdout.split_whitespace().filter(|word| word.starts_with('/')) {
        for dir in [Path::new(word).parent().unwrap(), Path::new("/usr/lib64")] {
            let dir = root.join(dir.strip_prefix("/").unwrap());
            fs::create_dir_all(&dir).unwrap();
            fs::copy(word, dir.join(Path::new(word).file_name().unwrap())).unwrap();
        }
    }
}

pub(super) fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
