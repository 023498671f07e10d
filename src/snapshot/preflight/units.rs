//! What the units that a boot is judged by would start (systemd.unit(5),
//! systemd.service(5)).

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::generated;
use super::tree::{At, Tree};

/// Where a snapshot's unit files are; /run is not of the snapshot.
const DIRS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Where a command without a directory is looked for.
const PATH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
/// Types that come from files; others systemd makes of something else.
const FILED: [&str; 5] = [".service", ".socket", ".target", ".timer", ".path"];

/// What became of a unit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// These programs are started, and must work.
    Starts(Vec<PathBuf>),
    /// It cannot be told.
    Unknown,
    /// Why it will not start.
    Broken(String),
}

/// What a unit of this name would start.
///
/// # Errors
/// One of its files cannot be read.
pub(super) fn read(tree: &Tree, unit: &str) -> Result<Unit> {
    if !FILED.iter().any(|kind| unit.ends_with(kind)) || unit.contains('/') {
        return Ok(Unit::Unknown);
    }
    let mut names = vec![unit.to_owned()];
    if let Some((template, rest)) = unit.split_once('@') {
        let kind = rest.rsplit_once('.').map_or("", |(_, kind)| kind);
        names.push(format!("{template}@.{kind}"));
    }
    let (mut text, mut hidden) = (None, false);
    for dir in DIRS {
        for name in names.clone() {
            if text.is_some() {
                continue;
            }
            match tree.at(&Path::new(dir).join(&name))? {
                At::There(at, _, metadata) if metadata.len() > 0 => {
                    text = tree.text(&at)?;
                    // An alias: drop-ins are under its real name, too.
                    names.extend(at.file_name().map(|it| it.to_string_lossy().into_owned()));
                }
                At::There(..) | At::Null => {
                    return Ok(Unit::Broken(format!("{unit}, which is checked, is masked")));
                }
                At::Unknown => hidden = true,
                At::Missing => {}
            }
        }
    }
    match text {
        Some(text) => Ok(Unit::Starts(commands(&with_drop_ins(tree, &names, text)?))),
        None if hidden || generated::may_be(tree, unit)? => Ok(Unit::Unknown),
        None => Ok(Unit::Broken(format!("{unit}, which is checked, is not there"))),
    }
}

fn with_drop_ins(tree: &Tree, names: &[String], mut text: String) -> Result<String> {
    let mut files: Vec<(std::ffi::OsString, PathBuf)> = Vec::new();
    for dir in DIRS {
        for name in names {
            let dir = Path::new(dir).join(format!("{name}.d"));
            for file in tree.names(&dir)? {
                let is_conf = Path::new(&file).extension().is_some_and(|it| it == "conf");
                // Of equally named ones the first directory's counts.
                if is_conf && !files.iter().any(|(known, _)| *known == file) {
                    files.push((file.clone(), dir.join(&file)));
                }
            }
        }
    }
    files.sort();
    for (_, path) in files {
        text.push_str("\n[Service]\n");
        text.push_str(&tree.text(&path)?.unwrap_or_default());
    }
    Ok(text)
}

/// The programs of `ExecStart=` lines that may not fail.
fn commands(text: &str) -> Vec<PathBuf> {
    let mut commands = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        if key.trim() != "ExecStart" {
            continue;
        }
        let value = value.trim();
        if value.is_empty() {
            commands.clear();
            continue;
        }
        let word = value.trim_start_matches(['@', '-', ':', '+', '!', '|']);
        let may_fail = value[..value.len() - word.len()].contains('-');
        let word = match word.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => word.split_ascii_whitespace().next(),
        };
        if let Some(word) = word.filter(|it| !may_fail && !it.contains(['%', '$', '\\'])) {
            commands.push(word.into());
        }
    }
    commands
}

/// Where a command is that is named without a directory.
///
/// # Errors
/// A directory cannot be looked into.
pub(super) fn found_in_path(tree: &Tree, command: &Path) -> Result<PathBuf> {
    if command.is_absolute() {
        return Ok(command.to_owned());
    }
    for dir in PATH {
        let path = Path::new(dir).join(command);
        match tree.at(&path)? {
            At::There(..) | At::Unknown => return Ok(path),
            At::Missing | At::Null => {}
        }
    }
    Ok(Path::new("/usr/bin").join(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_that_may_not_fail() {
        for (text, expected) in [
            ("[Service]\nExecStart=/usr/bin/a --b\n", vec!["/usr/bin/a"]),
            ("ExecStart=-/usr/bin/a\nExecStart=!!/usr/bin/b\n", vec!["/usr/bin/b"]),
            ("ExecStart=/usr/bin/a\n[Service]\nExecStart=\nExecStart=b c\n", vec!["b"]),
            ("ExecStart=/usr/bin/%i\nExecStart=$X\n", vec![]),
            ("ExecStart=\"/opt/with space/a\" b\n", vec!["/opt/with space/a"]),
            ("ExecStart=@/usr/bin/a \\\n  name\nExecStop=/usr/bin/z\n", vec!["/usr/bin/a"]),
            ("# ExecStart=/usr/bin/a\n", vec![]),
        ] {
            let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
            assert_eq!(commands(text), expected, "{text}");
        }
    }
}
