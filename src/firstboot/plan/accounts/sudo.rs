//! Rules of sudoers(5).

use anyhow::Result;

use super::Planner;
use crate::firstboot::configuration::User;
use crate::firstboot::plan::root;

const DIRECTORY: &str = "/etc/sudoers.d";
const FILE: &str = "/etc/sudoers.d/90-cloud-init-users";

/// Adds every user's rules to cloud-init's file, which tools look for, unless they are there.
pub(super) fn plan(planner: &mut Planner, users: &[User]) -> Result<()> {
    let mut text = planner.view.read(FILE)?.unwrap_or_default();
    let before = text.len();
    for user in users.iter().filter(|user| !user.sudo.is_empty()) {
        let name = &user.name.value;
        let mut section = format!("\n# User rules for {name}\n");
        for rule in &user.sudo {
            if rule.value.contains(['\n', '\r', '\0']) {
                let says = format!(
                    "a sudo rule of {name} goes over more than one line: write a list of rules"
                );
                planner.error(&rule.place, says);
                continue;
            }
            section.push_str(name);
            section.push(' ');
            section.push_str(&rule.value);
            section.push('\n');
        }
        let there = text.windows(section.len()).any(|it| it == section.as_bytes());
        if !there {
            text.extend_from_slice(section.as_bytes());
        }
    }
    if text.len() == before {
        return Ok(());
    }
    included(planner, users)?;
    if planner.view.kind(DIRECTORY)?.is_none() {
        planner.view.directory(DIRECTORY, 0o750, &root())?;
    }
    planner.view.write_text(FILE, text, 0o440)
}

/// Makes sure that sudo reads the directory: it does where its own file says so.
fn included(planner: &mut Planner, users: &[User]) -> Result<()> {
    let main = "/etc/sudoers";
    let Some(text) = planner.view.text(main)? else {
        let of_distribution = planner.view.text("/usr/etc/sudoers")?;
        if !of_distribution.is_some_and(|text| includes(&text)) {
            let with_rules = users.iter().find(|user| !user.sudo.is_empty());
            if let Some(rule) = with_rules.and_then(|user| user.sudo.first()) {
                let says = "there is no sudo that would read the rule: add it to packages";
                planner.warning(&rule.place, says);
            }
        }
        return Ok(());
    };
    if includes(&text) {
        return Ok(());
    }
    let mut bytes = planner.view.read(main)?.unwrap_or_default();
    bytes.extend_from_slice(format!("\n@includedir {DIRECTORY}\n").as_bytes());
    planner.view.write_text(main, bytes, 0o440)
}

/// `#includedir` is no comment to sudo.
fn includes(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        let rest = line.strip_prefix("@includedir").or_else(|| line.strip_prefix("#includedir"));
        rest.is_some_and(|dir| dir.trim().trim_end_matches('/') == DIRECTORY)
    })
}
