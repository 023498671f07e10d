//! Repositories of packages, made and signed by the programs that everybody makes them with, and
//! a server that has them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::bed::{path, run};

/// Packages, all from one source: one that needs another, one whose script fails, one alone.
const SPEC: &str = "\
Name: hc-tool
Version: VERSION
Release: 1
Summary: A tool
License: MIT
BuildArch: noarch
Requires: hc-data
%description
%package -n hc-data
Summary: What the tool needs
%description -n hc-data
%package -n hc-script
Summary: A script that fails
# The system has it, and rpm does not know.
Provides: /bin/bash
%description -n hc-script
%package -n hc-open
Summary: Nothing else
%description -n hc-open
%install
mkdir -p %{buildroot}/usr/share/hc
for name in tool data script open; do echo $name VERSION >%{buildroot}/usr/share/hc/$name; done
%post -n hc-script -p /bin/bash
echo the script says why
exit 3
%files
/usr/share/hc/tool
%files -n hc-data
/usr/share/hc/data
%files -n hc-script
/usr/share/hc/script
%files -n hc-open
/usr/share/hc/open
";

/// What a repository is made of.
pub(crate) struct Contents<'a> {
    pub(crate) packages: &'a [&'a str],
    /// Whose key signs the packages.
    pub(crate) signed_by: &'a str,
    /// And whose the list of them, if one does.
    pub(crate) list_signed_by: Option<&'a str>,
}

/// A directory, which is served; it ends with the test.
pub(crate) struct Mirror {
    dir: tempfile::TempDir,
    server: Child,
    pub(crate) url: String,
    _printed: BufReader<ChildStdout>,
}

impl Mirror {
    /// With two keys, `ours.asc` and `theirs.asc`, and two versions of each package.
    #[expect(clippy::disallowed_methods, reason = "it runs beside the test, and ends with it")]
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let shared = dir.path().join("served");
        fs::create_dir(&shared).unwrap();
        let mut python = Command::new("python3");
        python.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory"]);
        python.arg(&shared).arg("0").stdin(Stdio::null()).stderr(Stdio::null());
        let mut server = python.stdout(Stdio::piped()).spawn().unwrap();
        let mut printed = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        printed.read_line(&mut line).unwrap();
        // Serving HTTP on 127.0.0.1 port 8000 (http://127.0.0.1:8000/) ...
        let url = line.split(['(', ')']).nth(1).unwrap_or_else(|| panic!("{line}"));
        let url = url.trim_end_matches('/').to_owned();
        let mirror = Self { dir, server, url, _printed: printed };
        for key in ["ours", "theirs"] {
            let home = mirror.at(key);
            fs::create_dir(&home).unwrap();
            fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700))
                .unwrap();
            mirror.gpg(key, &["--quick-generate-key", key, "rsa2048", "sign", "never"]);
            let public = mirror.at(&format!("served/{key}.asc"));
            mirror.gpg(key, &["--armor", "--output", path(&public), "--export"]);
        }
        for version in ["1.0", "2.0"] {
            let spec = mirror.at("hc.spec");
            fs::write(&spec, SPEC.replace("VERSION", version)).unwrap();
            let top = format!("_topdir {}", path(&mirror.at("built")));
            run("rpmbuild", &["-bb", "--quiet", "--define", &top, path(&spec)]);
        }
        mirror
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A package as it was built, by its name and version.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.at(&format!("built/RPMS/noarch/{name}-1.noarch.rpm"))
    }

    fn gpg(&self, key: &str, arguments: &[&str]) {
        let home = self.at(key);
        let always = ["--homedir", path(&home), "--batch", "--quiet", "--passphrase", ""];
        run("gpg", &[&always, arguments].concat());
    }

    /// Makes a repository, and returns where it is.
    pub(crate) fn repository(&self, name: &str, contents: &Contents) -> PathBuf {
        let dir = self.at("served").join(name);
        fs::create_dir(&dir).unwrap();
        for package in contents.packages {
            let built = self.built(package);
            let copy = dir.join(built.file_name().unwrap());
            fs::copy(built, &copy).unwrap();
            let home = format!("_gpg_path {}", path(&self.at(contents.signed_by)));
            let signer = format!("_gpg_name {}", contents.signed_by);
            run("rpmsign", &["--define", &home, "--define", &signer, "--addsign", path(&copy)]);
        }
        run("createrepo_c", &["-q", path(&dir)]);
        if let Some(key) = contents.list_signed_by {
            let list = dir.join("repodata/repomd.xml");
            self.gpg(key, &["--armor", "--detach-sign", path(&list)]);
            let public = self.at(&format!("served/{key}.asc"));
            fs::copy(public, dir.join("repodata/repomd.xml.key")).unwrap();
        }
        dir
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let _gone = self.server.kill().and_then(|()| self.server.wait());
    }
}
