//! What useradd(8) does unless told otherwise: login.defs(5) and `/etc/default/useradd`.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::Result;

use super::super::overlay::Overlay;
use crate::firstboot::configuration::Mode;

/// Settings of new accounts.
#[derive(Debug)]
pub(super) struct Defaults {
    pub(super) uid: RangeInclusive<u32>,
    pub(super) system_uid: RangeInclusive<u32>,
    pub(super) gid: RangeInclusive<u32>,
    pub(super) system_gid: RangeInclusive<u32>,
    /// Ranges of subordinate numbers start here, and have this size.
    pub(super) sub_start: u32,
    pub(super) sub_count: u32,
    /// Every user has a group of the same name.
    pub(super) own_groups: bool,
    /// Else they are in this one: a name or a number.
    pub(super) group: String,
    /// Permissions of a new home directory.
    pub(super) home_mode: Mode,
    /// Where home directories are.
    pub(super) home: String,
    pub(super) shell: String,
    /// What a new home directory begins with.
    pub(super) skel: String,
    /// Minimum, maximum and warning of shadow(5), in days; empty if not set.
    pub(super) ageing: [String; 3],
    /// Days of inactivity of shadow(5).
    pub(super) inactive: String,
}

impl Defaults {
    /// The tree's. What is in `/etc` takes the place of the distribution's in `/usr/etc`.
    pub(super) fn read(view: &Overlay) -> Result<Self> {
        let login = settings(view, "login.defs", ' ')?;
        let useradd = settings(view, "default/useradd", '=')?;
        let number = |key: &str, default: u32| -> u32 {
            login.get(key).and_then(|value| parse_number(value)).unwrap_or(default)
        };
        let text = |key: &str, default: &str| -> String {
            useradd.get(key).map_or(default, String::as_str).to_owned()
        };
        let (uid, gid) = (number("UID_MIN", 1000), number("GID_MIN", 1000));
        let days = |key: &str| login.get(key).filter(|it| !it.starts_with('-')).cloned();
        let umask = number("UMASK", 0o22);
        Ok(Self {
            uid: uid..=number("UID_MAX", 60_000),
            system_uid: number("SYS_UID_MIN", 101)..=number("SYS_UID_MAX", uid.saturating_sub(1)),
            gid: gid..=number("GID_MAX", 60_000),
            system_gid: number("SYS_GID_MIN", 101)..=number("SYS_GID_MAX", gid.saturating_sub(1)),
            sub_start: number("SUB_UID_MIN", 100_000),
            sub_count: number("SUB_UID_COUNT", 65_536),
            // shadow-utils' own default is no; every distribution's file says yes.
            own_groups: login.get("USERGROUPS_ENAB").is_none_or(|it| it == "yes"),
            group: text("GROUP", "100"),
            home_mode: number("HOME_MODE", 0o777 & !umask) & 0o7777,
            home: text("HOME", "/home"),
            shell: shell(view, useradd.get("SHELL"))?,
            skel: skel(view, useradd.get("SKEL"))?,
            ageing: ["PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE"]
                .map(|key| days(key).unwrap_or_default()),
            inactive: useradd
                .get("INACTIVE")
                .filter(|it| !it.starts_with('-'))
                .cloned()
                .unwrap_or_default(),
        })
    }
}

/// The shell that is there, where the file names one that is not, or a plain sh.
fn shell(view: &Overlay, set: Option<&String>) -> Result<String> {
    const BASH: &str = "/bin/bash";
    match set.filter(|it| *it != "/bin/sh") {
        Some(shell) => Ok(shell.clone()),
        None if view.exists(BASH)? => Ok(BASH.to_owned()),
        None => Ok("/bin/sh".to_owned()),
    }
}

fn skel(view: &Overlay, set: Option<&String>) -> Result<String> {
    let set = set.map_or("/etc/skel", String::as_str);
    let of_distribution = format!("/usr{set}");
    let of_distribution = Path::new(&of_distribution);
    let used = if !view.exists(set)? && view.exists(of_distribution)? {
        of_distribution.to_string_lossy().into_owned()
    } else {
        set.to_owned()
    };
    Ok(used)
}

/// A file of settings, and its drop-ins, as libeconf reads them: a file in `/etc` hides the
/// one of the same name in `/usr/etc`; drop-ins are read by name.
fn settings(view: &Overlay, name: &str, separator: char) -> Result<HashMap<String, String>> {
    let mut settings = HashMap::new();
    let first = |name: &str| -> Result<Option<String>> {
        match view.text(format!("/etc/{name}"))? {
            Some(text) => Ok(Some(text)),
            None => view.text(format!("/usr/etc/{name}")),
        }
    };
    if let Some(text) = first(name)? {
        parse(&text, separator, &mut settings);
    }
    let mut drop_ins = view.list(format!("/usr/etc/{name}.d"))?;
    drop_ins.extend(view.list(format!("/etc/{name}.d"))?);
    drop_ins.sort();
    drop_ins.dedup();
    for drop_in in drop_ins.iter().filter_map(|it| it.to_str()).filter(|it| has_ending(it, "defs"))
    {
        if let Some(text) = first(&format!("{name}.d/{drop_in}"))? {
            parse(&text, separator, &mut settings);
        }
    }
    Ok(settings)
}

fn parse(text: &str, separator: char, settings: &mut HashMap<String, String>) {
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let split = |c: char| c == separator || (separator == ' ' && c == '\t');
        let Some((key, value)) = line.split_once(split) else { continue };
        let value = value.trim().trim_matches('"');
        settings.insert(key.trim().to_owned(), value.to_owned());
    }
}

/// As strtol(3) with base 0 has it: `022` is octal.
fn parse_number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok(),
        None if text.starts_with('0') && text.len() > 1 => u32::from_str_radix(text, 8).ok(),
        None => text.parse().ok(),
    }
}
fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|it| it == ending)
}
