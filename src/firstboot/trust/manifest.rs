//! The manifest: which files there are, and what is in them.

use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::{Files, MINISIGNATURE, SSH_SIGNATURE};

/// Its name, at the source's root.
pub const NAME: &str = "SHA256SUMS";

/// Files and their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest(Files);

impl Manifest {
    /// The manifest of these files; it and its signature are no part of it.
    pub fn of(files: &Files) -> Self {
        Self(
            files
                .iter()
                .filter(|(path, _)| !is_own(path))
                .map(|(p, s)| (p.clone(), s.clone()))
                .collect(),
        )
    }

    /// Reads one, in the format of sha256sum(1), whose `*` for binary files means nothing.
    ///
    /// # Errors
    /// With the number of the line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut files = Files::new();
        for (at, line) in text.lines().enumerate() {
            let (path, sum) = entry(line).with_context(|| format!("{NAME}, line {}", at + 1))?;
            let before = files.insert(path, sum);
            ensure!(before.is_none(), "{NAME}, line {}: this file is named twice", at + 1);
        }
        Ok(Self(files))
    }

    /// Whether these files are those of the manifest, no more and no less.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self, files: &Files) -> Result<()> {
        for (path, sum) in files.iter().filter(|(path, _)| !is_own(path)) {
            match self.0.get(path) {
                None => bail!("{} is not in {NAME}: nobody has signed it", path.display()),
                Some(signed) if signed != sum => {
                    bail!(
                        "{} is not what was signed: its SHA-256 is {sum}, {NAME} says {signed}",
                        path.display()
                    )
                }
                Some(_) => {}
            }
        }
        match self.0.keys().find(|path| !files.contains_key(*path)) {
            Some(missing) => bail!("{} is in {NAME}, and missing", missing.display()),
            None => Ok(()),
        }
    }

    /// As text, in the format of sha256sum(1).
    ///
    /// # Errors
    /// A name that the format has no way to write.
    pub fn to_text(&self) -> Result<String> {
        let mut text = String::new();
        for (path, sum) in &self.0 {
            let name = path.to_str().filter(|name| !name.contains(['\n', '\r', '\\']));
            let name = name.with_context(|| {
                format!("{} has a name that {NAME} cannot hold", path.display())
            })?;
            writeln!(text, "{sum}  {name}")?;
        }
        Ok(text)
    }
}

fn is_own(path: &Path) -> bool {
    [NAME, SSH_SIGNATURE, MINISIGNATURE].iter().any(|name| path == Path::new(name))
}

fn entry(line: &str) -> Result<(PathBuf, String)> {
    let format =
        "64 hexadecimal digits, two spaces and a name belong there, as sha256sum writes them";
    let (sum, name) = line.split_once(' ').context(format)?;
    let is_sum =
        sum.len() == 64 && sum.bytes().all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it));
    ensure!(is_sum, format);
    let name = name.strip_prefix([' ', '*']).context(format)?;
    let name = name.strip_prefix("./").unwrap_or(name);
    let path = PathBuf::from(name);
    let is_inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    ensure!(is_inside && !name.is_empty(), "{name:?} leads out of the source");
    Ok((path, sum.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn files(names: &[&str]) -> Files {
        names.iter().map(|name| (name.into(), SUM.to_owned())).collect()
    }

    #[test]
    fn sha256sums_own_format_is_read_and_written() {
        let text = format!("{SUM}  combustion/script\n{SUM} *./a b\n");
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest, Manifest(files(&["a b", "combustion/script"])));
        let written = manifest.to_text().unwrap();
        assert_eq!(written, format!("{SUM}  a b\n{SUM}  combustion/script\n"));
        assert!(Manifest::of(&files(&["a\nb"])).to_text().is_err());
    }

    #[test]
    fn not_one_file_more_or_less_or_other() {
        let manifest = Manifest(files(&["a", "b"]));
        manifest.check(&files(&["a", "b", NAME, SSH_SIGNATURE, MINISIGNATURE])).unwrap();
        let mut other = files(&["a", "b"]);
        other.insert("b".into(), SUM.replace('0', "1"));
        for (found, says) in [
            (files(&["a", "b", "c"]), "c is not in SHA256SUMS: nobody has signed it"),
            (files(&["a"]), "b is in SHA256SUMS, and missing"),
            (files(&["a", "b", "dir/SHA256SUMS"]), "dir/SHA256SUMS is not in SHA256SUMS"),
            (other, "b is not what was signed"),
        ] {
            let error = manifest.check(&found).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (line, says) in [
            (format!("{SUM} x"), "two spaces"),
            ("abc  x".to_owned(), "64 hexadecimal digits"),
            (format!("{}  x", SUM.to_uppercase()), "64 hexadecimal digits"),
            (format!("{SUM}  ../x"), "leads out"),
            (format!("{SUM}  /x"), "leads out"),
            (format!("{SUM}  "), "leads out"),
            (format!("{SUM}  first"), "named twice"),
        ] {
            let error = Manifest::parse(&format!("{SUM}  first\n{line}\n")).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains("line 2") && error.contains(says), "{line}: {error}");
        }
    }
}
