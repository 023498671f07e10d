//! What is made on disks, on real ones: loop devices with partitions. The tools' own tree is the
//! system whose programs do it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use health_checker::firstboot::chroot::Inside;
use health_checker::firstboot::cloud_config::{self, Defaults};
use health_checker::firstboot::configuration::Configuration;
use health_checker::firstboot::disks::{gather, make};
use health_checker::firstboot::plan::{Plan, plan};
use health_checker::firstboot::problem::Problem;
use health_checker::firstboot::seed::Seed;
use health_checker::firstboot::yaml;
use health_checker::sys::command;
use health_checker::sys::tree::Tree;

use crate::bed::{Alone, path, run};

pub(crate) const MIB: u64 = 1 << 20;
static COUNT: AtomicU32 = AtomicU32::new(0);

/// An image as a disk, with nodes for its partitions.
pub(crate) struct LoopDisk {
    pub(crate) image: PathBuf,
    pub(crate) node: String,
    _alone: Alone,
    _dir: tempfile::TempDir,
}

pub(crate) fn said(program: &str, arguments: &[&str]) -> String {
    let output = command::run(Command::new(program).args(arguments), Duration::from_secs(60));
    let output = output.unwrap();
    assert!(output.success(), "{program} {arguments:?}: {} {}", output.end, output.stderr);
    output.stdout.trim().to_owned()
}

impl LoopDisk {
    pub(crate) fn new(mib: u64) -> Self {
        let alone = Alone::enter();
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let image = dir.path().join("image");
        fs::File::create(&image).unwrap().set_len(mib * MIB).unwrap();
        let node = said("losetup", &["--find", "--show", "--partscan", path(&image)]);
        Self { image, node, _alone: alone, _dir: dir }
    }

    pub(crate) fn part(&self, number: u32) -> String {
        format!("{}p{number}", self.node)
    }

    /// The image is larger now, as a virtual disk that somebody resized.
    pub(crate) fn enlarge(&self, mib: u64) {
        fs::OpenOptions::new().write(true).open(&self.image).unwrap().set_len(mib * MIB).unwrap();
        run("losetup", &["--set-capacity", &self.node]);
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        run("sync", &[]);
        fs::read(&self.node).unwrap()
    }
}

impl Drop for LoopDisk {
    fn drop(&mut self) {
        run("losetup", &["--detach", &self.node]);
    }
}

fn read(text: &str) -> Configuration {
    let document = yaml::load(text, &Arc::from("u")).unwrap();
    let (configuration, problems) =
        cloud_config::read(&document.root, &Seed::default(), &Defaults::of("ID=opensuse\n"));
    assert!(!problems.iter().any(Problem::is_error), "{problems:?}");
    Configuration { disks: configuration.disks, ..Configuration::default() }
}

/// What is planned for the disks of this machine, and the errors.
fn planned(text: &str, root: &Path) -> (Plan, Vec<String>) {
    let configuration = read(text);
    let (inside, tree) = (Inside { root, lends: false }, Tree::open("/").unwrap());
    let facts = gather(&configuration.disks, &inside, &tree).unwrap();
    let (plan, problems) = plan(&configuration, &tree, Some(&facts));
    let errors = problems.iter().filter(|it| it.is_error()).map(ToString::to_string).collect();
    (plan, errors)
}

/// Does it, and says what.
pub(crate) fn done(text: &str, root: &Path) -> Vec<String> {
    let (plan, errors) = planned(text, root);
    assert_eq!(errors, Vec::<String>::new());
    make(&plan.disks, &Inside { root, lends: false }, &Tree::open("/").unwrap()).unwrap()
}

/// Nothing of the defaults: the sandbox's own root is left alone.
pub(crate) const STILL: &str = "growpart: {mode: 'off'}\nresize_rootfs: false\n";

#[test]
fn a_disk_gets_its_partitions_and_file_systems_once() {
    let disk = LoopDisk::new(256);
    let node = &disk.node;
    let text = format!(
        "{STILL}disk_setup: {{{node}: {{table_type: gpt, layout: [50, [25, 82], 25]}}}}\nfs_setup:\n\
         - {{label: data, filesystem: ext4, device: {node}.1}}\n\
         - {{label: space, filesystem: swap, device: {node}, partition: 2}}\n\
         - {{label: more data, filesystem: vfat, device: {node}, partition: auto}}\n"
    )
    .replace("more data", "MORE");
    let made = done(&text, Path::new("/"));
    assert_eq!(made.len(), 4, "{made:#?}");
    let label = |number| said("blkid", &["-p", "-s", "LABEL", "-o", "value", &disk.part(number)]);
    assert_eq!([label(1), label(2), label(3)], ["data", "space", "MORE"]);
    let table = said("sfdisk", &["--dump", node]);
    assert!(table.contains("label: gpt") && table.contains("0657FD6D"), "{table}");
    let size = |number| said("blockdev", &["--getsize64", &disk.part(number)]);
    assert_eq!(size(1), (127 * MIB).to_string());
    // A second try finds all of it, and changes not a byte.
    let before = disk.content();
    assert_eq!(done(&text, Path::new("/")), Vec::<String>::new());
    assert!(before == disk.content(), "the second try wrote");
}

#[test]
fn what_was_cut_in_the_middle_is_gone_on_with() {
    let disk = LoopDisk::new(64);
    let node = &disk.node;
    let table = format!("{STILL}disk_setup: {{{node}: {{layout: [50, 50]}}}}\n");
    assert_eq!(done(&table, Path::new("/")).len(), 1);
    let all = format!(
        "{table}fs_setup:\n- {{label: a, filesystem: ext4, device: {node}, partition: auto}}\n\
         - {{label: b, filesystem: ext4, device: {node}, partition: auto}}\n"
    );
    let first = all.rsplit_once("\n- ").unwrap().0;
    assert_eq!(done(first, Path::new("/")).len(), 1);
    let made = done(&all, Path::new("/"));
    assert_eq!(made, [format!("make ext4 with the label \"b\" on {}", disk.part(2))]);
    assert!(said("sfdisk", &["--dump", node]).contains("label: dos"));
}

#[test]
fn data_is_left_alone_until_it_may_be_lost() {
    let disk = LoopDisk::new(64);
    let node = &disk.node;
    run("mkfs.ext4", &["-q", "-L", "photos", node]);
    let before = disk.content();
    let table = |overwrite: &str| {
        format!("{STILL}disk_setup: {{{node}: {{table_type: gpt, layout: true{overwrite}}}}}\n")
    };
    let (_, errors) = planned(&table(""), Path::new("/"));
    let says = format!("{node} has ext4 with the label \"photos\" on it");
    assert!(errors.len() == 1 && errors[0].contains(&says), "{errors:?}");
    let system = format!("{STILL}fs_setup: [{{device: {node}, filesystem: vfat}}]\n");
    assert!(planned(&system, Path::new("/")).1[0].contains("there is nothing free"));
    assert!(before == disk.content(), "it was changed");

    // Not even so while it is mounted.
    let dir = tempfile::tempdir_in("/tmp").unwrap();
    run("mount", &[node, path(dir.path())]);
    let (_, errors) = planned(&table(", overwrite: true"), Path::new("/"));
    run("umount", &[path(dir.path())]);
    let says = format!("{node} is mounted at {}", dir.path().display());
    assert!(errors.len() == 1 && errors[0].contains(&says), "{errors:?}");

    assert_eq!(done(&table(", overwrite: true"), Path::new("/")).len(), 1);
    assert!(Path::new(&disk.part(1)).exists());
    // Nothing is left of what was there, that a tool could take for a file system.
    let probed = said("blkid", &["-p", "-o", "export", node]);
    assert!(probed.contains("PTTYPE=gpt") && !probed.contains("\nTYPE="), "{probed}");
    // And back: the table's copy at the end of the disk does not live on.
    let whole = format!(
        "{STILL}fs_setup: [{{device: {node}, filesystem: ext4, partition: none, overwrite: true}}]\n"
    );
    assert_eq!(done(&whole, Path::new("/")).len(), 1);
    let probed = said("blkid", &["-p", "-o", "export", node]);
    assert!(probed.contains("\nTYPE=ext4") && !probed.contains("PTTYPE"), "{probed}");
}

#[test]
fn a_mounted_root_grows_with_its_disk() {
    for label in ["gpt", "dos"] {
        let disk = LoopDisk::new(256);
        let script = disk.image.with_file_name("script");
        fs::write(&script, format!("label: {label}\nsize=16MiB\ntype=L\n")).unwrap();
        run("sh", &["-c", &format!("sfdisk -q {} <{}", disk.node, path(&script))]);
        // Not every kernel reads such tables by itself.
        run("partx", &["--update", &disk.node]);
        let root = disk.part(2);
        run("mkfs.btrfs", &["-q", &root]);
        // Another one than the sandbox's: what stands for the system is mounted at it.
        let at = PathBuf::from(format!("/mnt/root{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::create_dir_all(&at).unwrap();
        run("mount", &[&root, path(&at)]);
        populate(&at);
        fs::write(at.join("kept"), "as it was").unwrap();
        // No room: nothing.
        assert_eq!(grown(&at), Vec::<String>::new(), "{label}");
        disk.enlarge(512);
        let made = grown(&at);
        assert_eq!(made.len(), 2, "{label}: {made:?}");
        let size: u64 = said("blockdev", &["--getsize64", &root]).parse().unwrap();
        assert!(size > 490 * MIB, "{label}: {size}");
        let total: u64 = said("stat", &["-f", "-c", "%b", path(&at)]).parse().unwrap();
        assert!(total * 4096 > 490 * MIB, "{label}: {total} blocks");
        run("sfdisk", &["--verify", &disk.node]);
        // Again: there is nothing more to get.
        assert_eq!(grown(&at), Vec::<String>::new(), "{label}");
        unpopulate(&at);
        assert_eq!(fs::read_to_string(at.join("kept")).unwrap(), "as it was");
        run("umount", &[path(&at)]);
        run("btrfs", &["check", &root]);
    }
}

/// As the stage does it in the initrd: in a system of its own that is mounted from a disk.
pub(crate) fn grown(root: &Path) -> Vec<String> {
    let configuration = read("{}");
    let (inside, tree) = (Inside { root, lends: false }, Tree::open(root).unwrap());
    let facts = gather(&configuration.disks, &inside, &tree).unwrap();
    let (plan, problems) = plan(&configuration, &tree, Some(&facts));
    assert!(problems.is_empty(), "{problems:?}");
    make(&plan.disks, &inside, &tree).unwrap()
}

const BORROWED: [&str; 6] = ["usr", "dev", "proc", "sys", "run", "tmp"];

/// The tools' programs in it.
pub(crate) fn populate(root: &Path) {
    for name in BORROWED {
        fs::create_dir_all(root.join(name)).unwrap();
        run("mount", &["--rbind", &format!("/{name}"), path(&root.join(name))]);
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        std::os::unix::fs::symlink(format!("usr/{name}"), root.join(name)).unwrap();
    }
}

pub(crate) fn unpopulate(root: &Path) {
    for name in BORROWED {
        run("umount", &["-lR", path(&root.join(name))]);
    }
}

#[test]
fn a_swap_file_is_one_that_the_kernel_takes() {
    for kind in ["btrfs", "ext4"] {
        let disk = LoopDisk::new(256);
        run(&format!("mkfs.{kind}"), &["-q", &disk.node]);
        let at = tempfile::tempdir_in("/mnt").unwrap();
        run("mount", &[&disk.node, path(at.path())]);
        let file = at.path().join("swap.img");
        let text = format!("{STILL}swap: {{size: 64M, filename: {}}}\n", path(&file));
        // It is no disk, and put back with its directory.
        assert_eq!(done(&text, Path::new("/")), Vec::<String>::new());
        let metadata = fs::metadata(&file).unwrap();
        assert_eq!((metadata.len(), metadata.mode() & 0o7777), (64 * MIB, 0o600));
        assert!(metadata.blocks() * 512 >= 64 * MIB, "{kind}: it has holes");
        if kind == "btrfs" {
            assert!(said("lsattr", &[path(&file)]).split(' ').next().unwrap().contains('C'));
            // What swapon(2) asks of the file system.
            said("btrfs", &["inspect-internal", "map-swapfile", path(&file)]);
        }
        assert!(said("blkid", &["-p", path(&file)]).contains("TYPE=\"swap\""));
        let swapon = command::run(Command::new("swapon").arg(&file), Duration::from_secs(60));
        if swapon.unwrap().success() {
            run("swapoff", &[path(&file)]);
        } else {
            eprintln!("swapon is not to be had here: {kind}");
        }
        // Again: it is there.
        let (plan, _) = planned(&text, Path::new("/"));
        assert_eq!(plan.disks, []);
        // No room, and a file that is something else: an error before anything is changed.
        let other = at.path().join("other");
        fs::write(&other, "a file").unwrap();
        for (name, size, says) in
            [("large", "10G", "there is no room"), ("other", "16M", "is there already")]
        {
            let name = at.path().join(name);
            let text = format!("{STILL}swap: {{size: {size}, filename: {}}}\n", path(&name));
            let (_, errors) = planned(&text, Path::new("/"));
            assert!(errors.len() == 1 && errors[0].contains(says), "{errors:?}");
        }
        assert_eq!(fs::read_to_string(&other).unwrap(), "a file");
        run("umount", &[path(at.path())]);
    }
}
