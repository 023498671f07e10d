//! One entry file: its name with the loader's counter, and what is in it
//! (UAPI.1, "Type #1 Boot Loader Specification Entries").

use anyhow::{Context, Result};

use crate::sys::cmdline::Cmdline;

/// The loader's counter in a file name, `+LEFT` or `+LEFT-DONE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Starts that are left.
    pub left: u32,
    /// Starts that were made.
    pub done: u32,
}

/// An entry, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The file's name.
    pub file: String,
    /// The same without counter: what the loader's variables call it.
    pub id: String,
    /// The counter; none in the name of an entry that is good.
    pub counter: Option<Counter>,
    /// The kernel, from the partition's root.
    pub linux: String,
    /// What is loaded beside it.
    pub initrd: Vec<String>,
    /// `root=` among the options.
    pub root: Option<String>,
    /// The snapshot that `rootflags=` among the options names.
    pub snapshot: Option<u32>,
}

impl Entry {
    /// Whether the loader starts it only where nothing else is left.
    pub fn is_bad(&self) -> bool {
        self.counter.is_some_and(|it| it.left == 0)
    }

    /// Whether a variable of the loader's means this one, with or without counter. The
    /// loader compares without case.
    pub fn is_named(&self, id: &str) -> bool {
        split(id).0.eq_ignore_ascii_case(self.id.trim_end_matches(SUFFIX))
    }

    /// The name under which it is bad: no start is left. One more is said to be made than
    /// could be: under the names that it knows, with or without starts left,
    /// `systemd-bless-boot good` would find it, and take that back, at the end of a boot
    /// that this entry began and another snapshot brought to a healthy end.
    pub fn bad_name(&self) -> String {
        let done = self.counter.map_or(1, |it| it.left.saturating_add(it.done).saturating_add(1));
        format!("{}+0-{done}{SUFFIX}", self.id.trim_end_matches(SUFFIX))
    }
}

const SUFFIX: &str = ".conf";

/// Reads an entry.
///
/// # Errors
/// It names no kernel.
pub fn parse(file: &str, text: &str) -> Result<Entry> {
    let (base, counter) = split(file);
    let values =
        |key: &str| -> Vec<&str> { text.lines().filter_map(|it| value(it, key)).collect() };
    let options = Cmdline::parse(&values("options").join(" "));
    Ok(Entry {
        file: file.to_owned(),
        id: format!("{base}{SUFFIX}"),
        counter,
        linux: (*values("linux").last().context("it names no kernel (linux)")?).to_owned(),
        initrd: values("initrd").into_iter().map(str::to_owned).collect(),
        root: options.value("root").map(str::to_owned),
        snapshot: options.value("rootflags").and_then(snapshot_in),
    })
}

/// The value of a line `key value`; a comment is none.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.trim().strip_prefix(key)?;
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

/// A file name without suffix, and the counter in it.
fn split(file: &str) -> (&str, Option<Counter>) {
    let base = file.strip_suffix(SUFFIX).unwrap_or(file);
    let counted = || -> Option<(&str, Counter)> {
        let (name, tries) = base.rsplit_once('+')?;
        let (left, done) = tries.split_once('-').unwrap_or((tries, "0"));
        let digits = |text: &str| text.bytes().all(|it| it.is_ascii_digit());
        let (true, true) = (digits(left), digits(done)) else { return None };
        Some((name, Counter { left: left.parse().ok()?, done: done.parse().ok()? }))
    };
    counted().map_or((base, None), |(name, counter)| (name, Some(counter)))
}

/// The number of the snapshot in `subvol=…/.snapshots/N/snapshot` among the options of
/// a mount.
pub fn snapshot_in(flags: &str) -> Option<u32> {
    let subvolume = flags.split(',').rev().find_map(|it| it.strip_prefix("subvol="))?;
    let (before, rest) = subvolume.trim_end_matches('/').rsplit_once(".snapshots/")?;
    let is_directory = before.is_empty() || before.ends_with('/');
    rest.strip_suffix("/snapshot").filter(|_| is_directory)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_in_names() {
        let counter = |left, done| Some(Counter { left, done });
        for (file, id, expected, bad) in [
            ("a-6.12-2.conf", "a-6.12-2.conf", None, "a-6.12-2+0-1.conf"),
            ("a-6.12-2+3.conf", "a-6.12-2.conf", counter(3, 0), "a-6.12-2+0-4.conf"),
            ("a-6.12-2+1-2.conf", "a-6.12-2.conf", counter(1, 2), "a-6.12-2+0-4.conf"),
            ("a+0-3.conf", "a.conf", counter(0, 3), "a+0-4.conf"),
            // No counter: a version may have a plus sign.
            ("a-6.12+deb13-2.conf", "a-6.12+deb13-2.conf", None, "a-6.12+deb13-2+0-1.conf"),
            ("a+x.conf", "a+x.conf", None, "a+x+0-1.conf"),
            ("a+.conf", "a+.conf", None, "a++0-1.conf"),
            ("a+3-.conf", "a+3-.conf", None, "a+3-+0-1.conf"),
            ("a+99999999999.conf", "a+99999999999.conf", None, "a+99999999999+0-1.conf"),
        ] {
            let entry = parse(file, "linux /k\n").unwrap();
            assert_eq!((&*entry.id, entry.counter), (id, expected), "{file}");
            assert_eq!(entry.bad_name(), bad, "{file}");
        }
        let entry = parse("A-2+3.conf", "linux /k").unwrap();
        assert!(entry.is_named("a-2.conf") && entry.is_named("a-2+2-1.conf"));
        assert!(!entry.is_named("a-22.conf"));
        assert!(parse("a+0.conf", "linux /k").unwrap().is_bad() && !entry.is_bad());
    }

    #[test]
    fn what_is_in_an_entry() {
        let text = "# linux /old\ntitle\tMicroOS\nversion 2@6.12\nsort-key microos\n\
                    linux   /a/6.12/linux-x\ninitrd /a/6.12/initrd-x\ninitrd /microcode\n\
                    options root=UUID=1 rootflags=subvol=@/.snapshots/2/snapshot\noptions quiet\n";
        let entry = parse("a.conf", text).unwrap();
        assert_eq!(entry.linux, "/a/6.12/linux-x");
        assert_eq!(entry.initrd, ["/a/6.12/initrd-x", "/microcode"]);
        assert_eq!((entry.root.as_deref(), entry.snapshot), (Some("UUID=1"), Some(2)));
        let of_another_kind = parse("a.conf", "linux /k\noptions root=/dev/sda1\n").unwrap();
        assert_eq!(of_another_kind.snapshot, None);
        for damaged in ["", "linuxes /k\n", "linux\n", "\u{0}\u{0}\u{0}"] {
            assert!(parse("a.conf", damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn snapshots_by_their_subvolume() {
        for (flags, snapshot) in [
            ("subvol=@/.snapshots/12/snapshot", Some(12)),
            ("compress=zstd,subvol=/@/.snapshots/1/snapshot", Some(1)),
            ("subvol=.snapshots/3/snapshot,ro", Some(3)),
            ("subvol=@/x.snapshots/3/snapshot", None),
            ("subvol=@/.snapshots/3", None),
            ("subvol=@/.snapshots/x/snapshot", None),
            ("subvolid=300", None),
        ] {
            assert_eq!(snapshot_in(flags), snapshot, "{flags}");
        }
    }
}
