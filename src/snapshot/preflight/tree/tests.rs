use super::*;
use std::os::unix::fs::symlink;

fn tree() -> (tempfile::TempDir, Tree) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for sub in ["usr/lib", "etc", "upper"] {
        fs::create_dir_all(root.join(sub)).unwrap();
    }
    fs::write(root.join("usr/lib/a"), "a").unwrap();
    fs::write(root.join("etc/both"), "lower").unwrap();
    fs::write(root.join("upper/both"), "upper").unwrap();
    fs::write(root.join("etc/below"), "below").unwrap();
    for (link, to) in [
        ("lib", "usr/lib"),
        ("absolute", "/usr/lib/a"),
        ("outside", "../../../../../../usr/lib/a"),
        ("loop", "loop"),
        ("masked", "/dev/null"),
        ("dangling", "/nowhere"),
        ("gone", "/var/lib/x"),
    ] {
        symlink(to, root.join(link)).unwrap();
    }
    let layers = vec![root.join("upper"), root.join("etc")];
    fs::create_dir(dir.path().join("beside")).unwrap();
    fs::write(dir.path().join("beside/b"), "b").unwrap();
    let place = |target: &str, seen| Place { target: target.into(), seen };
    let beside = place("/usr/local", Some(dir.path().join("beside")));
    let tree = Tree::new(root, layers, vec![place("/var", None), beside]);
    (dir, tree)
}

#[test]
fn links_stay_inside() {
    let (_dir, tree) = tree();
    for (path, end) in [
        ("/lib/a", "/usr/lib/a"),
        ("/absolute", "/usr/lib/a"),
        ("/outside", "/usr/lib/a"),
        ("/", "/"),
        ("/lib/../lib/./a", "/usr/lib/a"),
        ("/usr/local/b", "/usr/local/b"),
        ("/usr/local/../lib/a", "/usr/lib/a"),
    ] {
        // The second time its directory is known.
        for _ in 0..2 {
            let At::There(at, ..) = tree.at(Path::new(path)).unwrap() else { panic!("{path}") };
            assert_eq!(at, Path::new(end), "{path}");
        }
    }
    assert!(tree.at(Path::new("/loop")).unwrap_err().to_string().contains("loop"));
    assert!(matches!(tree.at(Path::new("/masked")).unwrap(), At::Null));
    assert!(matches!(tree.at(Path::new("/dangling")).unwrap(), At::Missing));
    assert!(matches!(tree.at(Path::new("/lib/a/b")).unwrap(), At::Missing));
    assert!(matches!(tree.at(Path::new("/gone")).unwrap(), At::Unknown));
    assert!(matches!(tree.at(Path::new("/usr/local/a")).unwrap(), At::Missing));
}

#[test]
fn etc_is_what_its_layers_make_of_it() {
    let (_dir, tree) = tree();
    let text = |path: &str| tree.text(Path::new(path)).unwrap();
    assert_eq!(text("/etc/both").as_deref(), Some("upper"));
    assert_eq!(text("/etc/below").as_deref(), Some("below"));
    assert_eq!(text("/etc/none"), None);
    assert_eq!(tree.names(Path::new("/etc")).unwrap(), ["below", "both"]);
    assert!(tree.text(Path::new("/usr")).unwrap_err().to_string().contains("regular"));
}

#[test]
fn links_of_a_known_directory_count_as_well() {
    let (dir, tree) = tree();
    let root = dir.path().join("root");
    // As many as there may be, the last of them after the directory.
    for at in 1..MOST_LINKS {
        symlink(format!("/d{}", at - 1), root.join(format!("d{at}"))).unwrap();
    }
    symlink("usr", root.join("d0")).unwrap();
    symlink("lib/a", root.join("usr/one")).unwrap();
    let last = format!("/d{}", MOST_LINKS - 1);
    for _ in 0..2 {
        assert!(matches!(tree.at(&Path::new(&last).join("lib")).unwrap(), At::There(..)));
        let said = tree.at(&Path::new(&last).join("one")).unwrap_err().to_string();
        assert!(said.contains("/usr/one is a loop"), "{said}");
        assert!(matches!(tree.at(Path::new("/nowhere/x")).unwrap(), At::Missing));
    }
}

#[test]
fn what_lies_below_is_told_by_whole_names() {
    for (path, dir, rest) in [
        ("/usr/local/lib", "/usr/local", Some("lib")),
        ("/usr/local", "/usr/local", Some("")),
        ("/usr/locale", "/usr/local", None),
        ("/usr", "/", Some("usr")),
        ("/", "/", Some("")),
        ("/usr", "/usr/local", None),
    ] {
        assert_eq!(below(Path::new(path), Path::new(dir)), rest.map(Path::new), "{path} {dir}");
    }
}
