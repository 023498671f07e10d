//! Packages by the distribution's real zypper and rpm, in a transaction: what is signed as it was
//! configured is installed; of anything else nothing is left.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use health_checker::firstboot::outcome::State;
use health_checker::sys::command;

use crate::bed::{Bed, PLAIN, path, run};
use crate::mirror::{Contents, Mirror};

/// Whose files make a system that can install packages.
const PROGRAMS: [&str; 8] = [
    "zypper",
    "zypper-common",
    "rpm",
    "rpm-common",
    "gpg",
    "gpgconf",
    "gpg-agent",
    "libsolv-tools",
];
/// In the snapshot, as openSUSE has it, and not in /var.
pub(crate) const DATABASE: &str = "/usr/lib/sysimage/rpm";
pub(crate) const TOOLS: [&str; 6] =
    ["hc-tool-1.0", "hc-tool-2.0", "hc-data-1.0", "hc-data-2.0", "hc-script-1.0", "hc-open-1.0"];

/// All of it: of what is long, `run` keeps the end.
pub(crate) fn printed(program: &str, arguments: &[&str]) -> String {
    let limit = Duration::from_secs(60);
    let whole = command::run_whole(Command::new(program).args(arguments), limit, 1 << 20);
    String::from_utf8(whole.unwrap().1).unwrap()
}

/// The files of Debian's packages, and the libraries that their programs need.
fn programs() -> Vec<PathBuf> {
    let listed = printed("dpkg", &[&["-L"], &PROGRAMS[..]].concat());
    let is_ours =
        |path: &&str| ["/usr/bin/", "/usr/lib/", "/etc/"].iter().any(|it| path.starts_with(it));
    let mut files: Vec<&str> = listed.lines().filter(is_ours).collect();
    // libzypp copies by it what is not on a server.
    files.push("/usr/bin/cp");
    files.retain(|it| fs::metadata(it).is_ok_and(|it| it.is_file()));
    // What rpm loads at each transaction is in no program's list.
    let is_program = |path: &&&str| {
        path.contains("/rpm-plugins/")
            || path.starts_with("/usr/bin/")
                && fs::metadata(path).is_ok_and(|it| it.mode() & 0o111 != 0)
    };
    let programs: Vec<&str> = files.iter().filter(is_program).copied().collect();
    // Of scripts it says that they are none, and goes on.
    let libraries = printed("ldd", &programs);
    let libraries = libraries.split_whitespace().filter(|it| it.starts_with('/'));
    let libraries = libraries.map(|it| it.trim_end_matches(':')).filter(|it| it.contains(".so"));
    files.extend(libraries);
    files.sort_unstable();
    files.dedup();
    files.into_iter().map(PathBuf::from).collect()
}

/// A system with zypper in it, where `hc-data-1.0` is installed.
pub(crate) fn system(mirror: &Mirror) -> Bed {
    let bed = Bed::new(PLAIN);
    let root = bed.dir.path().join("top/@/.snapshots/1/snapshot");
    bed.writable(1, || {
        for file in programs() {
            let copy = root.join(file.strip_prefix("/").unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(&file, copy).unwrap();
        }
        // rpm hides it from scripts.
        fs::create_dir(root.join("home")).unwrap();
        fs::create_dir_all(root.join("etc/rpm")).unwrap();
        fs::write(root.join("etc/rpm/macros"), format!("%_dbpath {DATABASE}\n")).unwrap();
        fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n").unwrap();
        fs::write(root.join("etc/group"), "root:x:0:\n").unwrap();
        let package = mirror.built("hc-data-1.0");
        let install = ["--nosignature", "--dbpath", DATABASE, "-i", path(&package)];
        run("rpm", &[&["--root", path(&root)], &install[..]].concat());
    });
    bed
}

/// Applies a cloud-config as the initrd does; `MIRROR` stands for its address.
pub(crate) fn apply(bed: &Bed, mirror: &Mirror, config: &str) -> Result<u32, String> {
    let config = config.replace("MIRROR", &mirror.url);
    Bed::hand_on_seed(&format!("#cloud-config\nusers: []\n{config}"));
    let applied = bed.stage("").apply();
    applied.map(|id| id.unwrap().number).map_err(|e| format!("{e:#}"))
}

#[test]
fn what_is_signed_is_installed_with_what_it_needs() {
    let mirror = Mirror::new();
    let signed_by = "ours";
    let all = Contents { packages: &TOOLS, signed_by, list_signed_by: Some("ours") };
    mirror.repository("good", &all);
    let open = Contents { packages: &["hc-open-1.0"], signed_by: "theirs", list_signed_by: None };
    let open = mirror.repository("open", &open);
    let bed = system(&mirror);
    bed.writable(1, || {
        let root = bed.dir.path().join("top/@/.snapshots/1/snapshot");
        fs::create_dir(root.join("srv")).unwrap();
        run("cp", &["-r", path(&open), path(&root.join("srv"))]);
    });
    let number = apply(
        &bed,
        &mirror,
        "zypper:\n  repos:\n  \
         - {id: good, baseurl: 'MIRROR/good', gpgkey: 'MIRROR/ours.asc'}\n  \
         - {id: open, baseurl: 'file:///srv/open', gpgcheck: false}\n  \
         config: {solver.onlyRequires: true}\n\
         package_update: true\npackage_upgrade: true\n\
         packages: [[hc-tool, '1.0'], hc-open]\n",
    );
    let number = number.unwrap();
    assert_eq!(bed.outcome().unwrap().state, State::Applied);
    let root = bed.dir.path().join(format!("top/@/.snapshots/{number}/snapshot"));
    let installed = printed("chroot", &[path(&root), "/usr/bin/rpm", "-qa"]);
    for package in ["hc-tool-1.0-1", "hc-data-2.0-1", "hc-open-1.0-1"] {
        assert!(installed.contains(package), "{package}: {installed}");
    }
    assert_eq!(fs::read_to_string(root.join("usr/share/hc/tool")).unwrap(), "tool 1.0\n");
    assert_eq!(fs::read_to_string(root.join("usr/share/hc/data")).unwrap(), "data 2.0\n");
    let conf = fs::read_to_string(root.join("etc/zypp/zypp.conf")).unwrap();
    assert!(conf.contains("\nsolver.onlyRequires = true\n"), "{conf}");
    // The snapshot that it came from has none of it.
    let before = bed.dir.path().join("top/@/.snapshots/1/snapshot");
    assert!(!before.join("usr/share/hc/tool").exists());
}

/// One byte of a package, after the list with its checksum was made.
fn damage(package: &Path) {
    let mut bytes = fs::read(package).unwrap();
    let last = bytes.len() - 9;
    bytes[last] ^= 0xff;
    fs::write(package, bytes).unwrap();
}

#[test]
fn of_anything_else_nothing_is_left() {
    let mirror = Mirror::new();
    let by_ours = |list_signed_by| Contents { packages: &TOOLS, signed_by: "ours", list_signed_by };
    mirror.repository("good", &by_ours(Some("ours")));
    mirror.repository("forged", &by_ours(Some("theirs")));
    mirror.repository("unsigned", &by_ours(None));
    damage(&mirror.repository("damaged", &by_ours(Some("ours"))).join("hc-tool-2.0-1.noarch.rpm"));
    mirror.repository("mixed", &Contents { signed_by: "theirs", ..by_ours(Some("ours")) });

    let bed = system(&mirror);
    let before = bed.fingerprint();
    let repos = |repository: &str| format!("zypper: {{repos: [{{id: r, {repository}}}]}}\n");
    let good = repos("baseurl: 'MIRROR/good', gpgkey: 'MIRROR/ours.asc'");
    let refresh = "refresh the repository r, ";
    let bad_signature = "Signature verification failed for repomd.xml";
    for (what, config, says) in [
        (
            "the key is not named",
            repos("baseurl: 'MIRROR/good'") + "packages: [hc-tool]",
            vec![refresh, "/good (no gpgkey is written for it)", "exit status 4", bad_signature],
        ),
        (
            "another key is named",
            repos("baseurl: 'MIRROR/good', gpgkey: 'MIRROR/theirs.asc'") + "packages: [hc-tool]",
            vec![refresh, bad_signature],
        ),
        (
            "another key signed the list",
            repos("baseurl: 'MIRROR/forged', gpgkey: 'MIRROR/ours.asc'") + "packages: [hc-tool]",
            vec![refresh, bad_signature],
        ),
        (
            "nobody signed it",
            repos("baseurl: 'MIRROR/unsigned', gpgkey: 'MIRROR/ours.asc'") + "packages: [hc-open]",
            vec![refresh, bad_signature],
        ),
        (
            "a package was damaged",
            repos("baseurl: 'MIRROR/damaged', gpgkey: 'MIRROR/ours.asc'") + "packages: [hc-tool]",
            vec!["install packages", "exit status 8", "hc-tool-2.0-1.noarch (r) seems to be"],
        ),
        (
            "another key signed the packages",
            repos("baseurl: 'MIRROR/mixed', gpgkey: 'MIRROR/ours.asc', pkg_gpgcheck: yes")
                + "packages: [hc-open]",
            vec!["install packages", "exit status 8", "hc-open-1.0-1.noarch (r): Signature"],
        ),
        (
            "there is no such package",
            format!("{good}packages: [hc-open, hc-none]"),
            vec!["exit status 104, there is no such package", "No provider of 'hc-none' found"],
        ),
        (
            "there is no such version",
            format!("{good}packages: [[hc-tool, '3.0']]"),
            vec!["exit status 104", "Package 'hc-tool-3.0' not found"],
        ),
        (
            "a package's script fails",
            format!("{good}packages: [hc-script]"),
            vec![
                "exit status 107, a script of a package failed",
                "%post(hc-script-1.0-1.noarch) scriptlet failed, exit status 3",
            ],
        ),
        (
            "there is no server",
            repos("baseurl: 'http://me:s3cret@127.0.0.1:1/x', gpgcheck: no")
                + "packages: [hc-tool]",
            vec![refresh, "http://127.0.0.1:1/x", "Failed to connect to 127.0.0.1 port 1"],
        ),
        (
            "the key is not there",
            repos("baseurl: 'MIRROR/good', gpgkey: 'MIRROR/none.asc'"),
            vec!["trust the key of the repository r, ", "/none.asc: it is not there"],
        ),
        (
            "the key is none",
            repos("baseurl: 'MIRROR/good', gpgkey: 'MIRROR/good/repodata/repomd.xml'"),
            vec!["trust the key of the repository r, ", "/usr/bin/rpm --import - failed"],
        ),
    ] {
        let error = apply(&bed, &mirror, &config)
            .map_or_else(|e| e, |number| panic!("{what}: it became {number}"));
        for part in says {
            assert!(error.contains(part), "{what}: {part}: {error}");
        }
        assert!(!error.contains("s3cret") && error.len() < 5000, "{what}: {error}");
        assert_eq!(bed.default_number(), 1, "{what}");
        assert!(bed.fingerprint() == before, "{what}: something is left");
        bed.restart();
    }
}
