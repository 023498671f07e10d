//! Settings of zypp.conf(5): an INI file, most of whose lines are comments.

use anyhow::Result;

use super::Planner;
use super::text::joined;
use crate::firstboot::configuration::Placed;

/// The administrator's file, and the distribution's, which it stands for where both are.
const FILES: [&str; 2] = ["/etc/zypp/zypp.conf", "/usr/etc/zypp/zypp.conf"];
/// The only section that libzypp reads.
const SECTION: &str = "[main]";

pub(super) fn plan(planner: &mut Planner, settings: &[(String, Placed<String>)]) -> Result<()> {
    if settings.is_empty() {
        return Ok(());
    }
    let mut text = None;
    for path in FILES {
        text = match text {
            None => planner.view.exact_text(path)?,
            found => found,
        };
    }
    let mut text = text.unwrap_or_default();
    for (key, value) in settings {
        text = with_setting(&text, key, &value.value);
    }
    planner.view.write_text(FILES[0], text, 0o644)
}

/// The text with this setting in the section: in place of the last line that sets it, which is
/// the one that counts, else at the section's end.
fn with_setting(text: &str, key: &str, value: &str) -> String {
    let line = format!("{key} = {value}");
    let mut lines: Vec<&str> = text.lines().collect();
    let Some(begin) = lines.iter().position(|it| it.trim() == SECTION) else {
        lines.extend([SECTION, &line]);
        return joined(&lines);
    };
    let is_section = |it: &&str| it.trim_start().starts_with('[');
    let end = lines[begin + 1..].iter().position(is_section);
    let end = end.map_or(lines.len(), |length| begin + 1 + length);
    let sets = |it: &&str| it.split_once('=').is_some_and(|(name, _)| name.trim() == key);
    match lines[begin..end].iter().rposition(sets) {
        Some(at) => lines[begin + at] = &line,
        None => lines.insert(end, &line),
    }
    joined(&lines)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{World, placed};
    use super::*;
    use crate::firstboot::configuration::{Configuration, Software};

    #[test]
    fn one_setting_changes_and_the_rest_stays() {
        for (before, after) in [
            ("", "[main]\nkey = new\n"),
            ("## x\n[main]\n# key = a", "## x\n[main]\n# key = a\nkey = new\n"),
            ("[main]\nkey=a\nkey = b\nkeys = c\n", "[main]\nkey=a\nkey = new\nkeys = c\n"),
            ("[other]\nkey = a\n", "[other]\nkey = a\n[main]\nkey = new\n"),
            ("[main]\na = b\n[other]\nkey = a\n", "[main]\na = b\nkey = new\n[other]\nkey = a\n"),
        ] {
            assert_eq!(with_setting(before, "key", "new"), after);
            assert_eq!(with_setting(after, "key", "new"), after, "again");
        }
    }

    #[test]
    fn the_distributions_file_is_what_it_begins_with() {
        let zypp_conf = vec![("solver.onlyRequires".to_owned(), placed("true"))];
        let software = Software { zypp_conf, ..Software::default() };
        let configuration = Configuration { software, ..Configuration::default() };
        let world = World::with(&[(FILES[1], "[main]\n# arch = s390\n")]);
        assert_eq!(world.configure(&configuration), [""; 0]);
        let written = world.text(FILES[0]);
        assert_eq!(written, "[main]\n# arch = s390\nsolver.onlyRequires = true\n");
    }
}
