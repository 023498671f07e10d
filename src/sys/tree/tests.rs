use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

/// A tree, and a file beside it that must never change.
fn world() -> (tempfile::TempDir, Tree, (u32, u32)) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("etc")).unwrap();
    fs::create_dir(dir.path().join("outside")).unwrap();
    fs::write(dir.path().join("outside/secret"), "old").unwrap();
    symlink(dir.path().join("outside"), root.join("absolute")).unwrap();
    symlink("../../../../../outside", root.join("etc/relative")).unwrap();
    symlink("../outside/secret", root.join("file")).unwrap();
    let owner = fs::metadata(&root).map(|it| (it.uid(), it.gid())).unwrap();
    (dir, Tree::open(root).unwrap(), owner)
}

#[test]
fn nothing_leads_out() {
    let (dir, tree, owner) = world();
    for path in ["/absolute/secret", "/etc/relative/secret", "/file", "/../outside/secret"] {
        assert_eq!(tree.read(path).unwrap(), None, "{path}");
        if path != "/file" {
            tree.write(path, b"new", 0o644, owner).unwrap_err();
        }
    }
    tree.write("/file", b"new", 0o644, owner).unwrap();
    assert_eq!(fs::read(dir.path().join("root/file")).unwrap(), b"new");
    assert_eq!(fs::read(dir.path().join("outside/secret")).unwrap(), b"old");
    tree.make_dirs("/../../made/here", 0o700).unwrap();
    assert!(dir.path().join("root/made/here").is_dir());
    tree.remove("/absolute/secret").unwrap();
    tree.chmod("/etc/relative", 0o700).unwrap_err();
    assert!(dir.path().join("outside/secret").exists());
}

#[test]
fn a_file_is_whole_and_nothing_else_is_left() {
    let (dir, tree, owner) = world();
    tree.write("/etc/hosts", b"one", 0o600, owner).unwrap();
    tree.write("/etc/hosts", b"two", 0o4711, owner).unwrap();
    let stat = tree.lstat("/etc/hosts").unwrap().unwrap();
    assert_eq!((stat.kind, stat.mode), (Kind::File, 0o4711));
    assert_eq!(tree.list("/etc").unwrap(), ["hosts", "relative"]);
    tree.link("/etc/hosts", "../usr/hosts").unwrap();
    assert_eq!(tree.read_link("/etc/hosts").unwrap(), Some("../usr/hosts".into()));
    assert_eq!(tree.stat("/etc/hosts").unwrap(), None);
    tree.remove("/etc/hosts").unwrap();
    tree.remove("/etc/hosts").unwrap();
    assert!(!dir.path().join("root/etc/hosts").exists());
}

#[test]
fn what_is_no_regular_file_is_not_read() {
    let (_dir, tree, owner) = world();
    assert!(tree.read("/etc").unwrap_err().to_string().contains("no regular file"));
    assert_eq!(tree.read("/etc/none/none").unwrap(), None);
    assert!(tree.list("/none").unwrap().is_empty());
    tree.write("/etc/..", b"", 0o644, owner).unwrap_err();
    tree.write("/", b"", 0o644, owner).unwrap_err();
    assert!(!tree.make_dir("/etc", 0o700).unwrap());
}

#[test]
fn a_directory_has_its_mode_whatever_the_umask() {
    let (_dir, tree, _) = world();
    assert!(tree.make_dirs("/var/lib/shared", 0o1777).unwrap());
    assert_eq!(tree.stat("/var/lib/shared").unwrap().unwrap().mode, 0o1777);
    assert_eq!(tree.stat("/var/lib").unwrap().unwrap().mode, 0o755);
}
