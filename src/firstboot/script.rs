//! Combustion's `script`: what can be told of it before it runs.
//!
//! A script that the kernel cannot start fails with "No such file or directory",
//! about a file that is plainly there; one with DOS line ends fails half-way. So
//! both are found first, and named with the line and the remedy.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};

/// Where `env` looks for a program here: what the script's environment has, too.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a script says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// What the kernel will start; `None` for a program in machine code.
    pub interpreter: Option<Interpreter>,
    /// It wants to run in the initrd first, with `--prepare`.
    pub prepare: bool,
    /// It needs the network.
    pub network: bool,
}

/// The first line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// The program.
    pub path: PathBuf,
    /// Its one argument.
    pub argument: Option<String>,
}

/// Reads a script.
///
/// # Errors
/// It could not be started, or would not run as its author meant: with the
/// number of the line.
pub fn parse(bytes: &[u8]) -> Result<Script> {
    let (prepare, network) = (wants(bytes, "prepare"), wants(bytes, "network"));
    if bytes.starts_with(b"\x7fELF") {
        return Ok(Script { interpreter: None, prepare, network });
    }
    ensure!(!bytes.is_empty(), "it is empty");
    ensure!(
        !bytes.starts_with(b"\xef\xbb\xbf"),
        "line 1: it begins with a byte order mark, with which the kernel does not see \
         the #!: save it as UTF-8 without BOM"
    );
    if let Some(line) = first_dos_line(bytes) {
        bail!(
            "line {line}: it ends with CR and LF, as on DOS, which is no line end here: \
             convert it with: sed -i 's/\\r$//' script"
        );
    }
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    let Some(words) = first.strip_prefix("#!") else {
        bail!("line 1: no interpreter is named: begin it with #!/bin/bash, for example");
    };
    let (path, argument) = match words.trim().split_once([' ', '\t']) {
        Some((path, argument)) => (path, Some(argument.trim().to_owned())),
        None => (words.trim(), None),
    };
    ensure!(!path.is_empty(), "line 1: #! names no interpreter: #!/bin/bash, for example");
    ensure!(path.starts_with('/'), "line 1: the interpreter {path:?} is no absolute path");
    Ok(Script { interpreter: Some(Interpreter { path: path.into(), argument }), prepare, network })
}

/// The first line with a DOS line end. Looks no further than the text goes: an
/// archive may be appended to a script.
fn first_dos_line(bytes: &[u8]) -> Option<usize> {
    let is_text = |line: &&[u8]| std::str::from_utf8(line).is_ok() && !line.contains(&0);
    let mut lines = bytes.split(|byte| *byte == b'\n').take_while(is_text);
    lines.position(|line| line.ends_with(b"\r")).map(|at| at + 1)
}

/// Whether a line at column 0 beginning `# combustion:` has this word: with any
/// separator, anywhere in the file, as Combustion reads it.
fn wants(bytes: &[u8], word: &str) -> bool {
    let flags = bytes.split(|b| *b == b'\n').filter_map(|line| line.strip_prefix(b"# combustion:"));
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    flags
        .map(String::from_utf8_lossy)
        .any(|flags| flags.split(|c| !is_part(c)).any(|flag| flag == word))
}

impl Interpreter {
    /// Makes sure that it can be started by somebody whose root is `root`.
    ///
    /// # Errors
    /// It is not there, or not executable.
    pub fn check(&self, root: &Path) -> Result<()> {
        executable(root, &self.path).with_context(|| {
            format!("line 1: the interpreter {} cannot be started", self.path.display())
        })?;
        if self.path.file_name().is_some_and(|name| name == "env") {
            self.check_env(root)?;
        }
        Ok(())
    }

    /// With `env`, the program that matters is its argument's first word.
    fn check_env(&self, root: &Path) -> Result<()> {
        let mut words = self.argument.as_deref().unwrap_or_default().split_ascii_whitespace();
        let Some(program) = words.find(|word| !word.starts_with('-') && !word.contains('=')) else {
            return Ok(());
        };
        if program.starts_with('/') {
            return executable(root, Path::new(program))
                .with_context(|| format!("line 1: env cannot start {program}"));
        }
        let in_dir = |dir: &str| executable(root, &Path::new(dir).join(program)).is_ok();
        ensure!(
            PATH.split(':').any(in_dir),
            "line 1: env would find no program {program} in {PATH}"
        );
        Ok(())
    }
}

/// Opens a path as somebody with this root would, symbolic links included.
fn executable(root: &Path, path: &Path) -> Result<()> {
    let how = OpenHow::new().flags(OFlag::O_PATH).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let dir = File::open(root).with_context(|| format!("cannot open {}", root.display()))?;
    let file = match openat2(&dir, path, how) {
        Ok(fd) => File::from(fd),
        Err(Errno::ENOENT | Errno::ENOTDIR) => bail!("{} is not there", path.display()),
        Err(e) => return Err(e).with_context(|| format!("cannot open {}", path.display())),
    };
    let metadata = file.metadata()?;
    ensure!(metadata.is_file(), "{} is no file", path.display());
    ensure!(metadata.permissions().mode() & 0o111 != 0, "{} is not executable", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_first_line_and_the_flags() {
        let script = parse(
            b"#!/usr/bin/env  python3 -u\n  # combustion: network\n# combustion: prepare,x\n\
              # Combustion: network\n# combustion: networking\n",
        )
        .unwrap();
        let env = Interpreter { path: "/usr/bin/env".into(), argument: Some("python3 -u".into()) };
        assert_eq!(script.interpreter, Some(env));
        assert!(script.prepare && !script.network);
        assert!(parse(b"#! /bin/sh\n# combustion:network").unwrap().network);
        assert_eq!(parse(b"\x7fELF\x02\r\n").unwrap().interpreter, None);
    }

    #[test]
    fn what_cannot_run_is_named_with_its_line() {
        for (bytes, says) in [
            (&b""[..], "it is empty"),
            (b"echo hello\n", "line 1: no interpreter is named"),
            (b"#!\n", "line 1: #! names no interpreter"),
            (b"#!bash\n", "line 1: the interpreter \"bash\" is no absolute path"),
            (b"#!/bin/bash\r\necho hello\r\n", "line 1: it ends with CR and LF"),
            (b"#!/bin/bash\n\ntrue\r\n", "line 3: it ends with CR and LF"),
            (b"\xef\xbb\xbf#!/bin/bash\n", "line 1: it begins with a byte order mark"),
        ] {
            let error = parse(bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn an_appended_archive_is_no_text() {
        assert!(parse(b"#!/bin/sh\ntail -n +3 $0 | tar xz\n\x1f\x8b\x08\xff\r\nmore\r\n").is_ok());
    }

    #[test]
    fn the_interpreter_is_looked_for_in_its_own_root() {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("usr/bin");
        fs::create_dir_all(&bin).unwrap();
        for (name, mode) in [("real", 0o755), ("env", 0o755), ("plain", 0o644)] {
            fs::write(bin.join(name), "").unwrap();
            fs::set_permissions(bin.join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("/usr/bin", dir.path().join("bin")).unwrap();
        symlink("/usr/bin/real", bin.join("sh")).unwrap();
        symlink("../../../../../etc/passwd", bin.join("out")).unwrap();
        let check = |line: &str| {
            let script = parse(format!("#!{line}\n").as_bytes()).unwrap();
            script.interpreter.unwrap().check(dir.path()).map_err(|e| format!("{e:#}"))
        };
        check("/bin/sh").unwrap();
        check("/usr/bin/env -S A=1 real -x").unwrap();
        for (line, says) in [
            ("/bin/bash", "interpreter /bin/bash cannot be started: /bin/bash is not there"),
            ("/bin/plain", "/bin/plain is not executable"),
            ("/bin", "/bin is no file"),
            ("/bin/out", "/bin/out is not there"),
            ("/usr/bin/env python3", "env would find no program python3 in"),
        ] {
            let error = check(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
