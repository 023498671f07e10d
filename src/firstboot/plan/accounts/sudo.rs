//! Rules of sudoers(5).

use std::collections::HashSet;

use anyhow::Result;

use super::Planner;
use crate::firstboot::configuration::User;
use crate::firstboot::plan::root;

const DIRECTORY: &str = "/etc/sudoers.d";
const FILE: &str = "/etc/sudoers.d/90-cloud-init-users";
/// What a user's section begins with.
const HEADER: &str = "\n# User rules for ";

/// Adds every user's rules to cloud-init's file, which tools look for, unless they are there.
pub(super) fn plan(planner: &mut Planner, users: &[User]) -> Result<()> {
    let mut text = planner.view.read(FILE)?.unwrap_or_default();
    let before = text.len();
    let there = String::from_utf8_lossy(&text).into_owned();
    let mut there = sections(&there);
    for user in users.iter().filter(|user| !user.sudo.is_empty()) {
        let section = section(planner, user);
        if !there.contains(&section) {
            text.extend_from_slice(section.as_bytes());
            there.insert(section);
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

/// A user's rules, as they stand in the file.
fn section(planner: &mut Planner, user: &User) -> String {
    let name = &user.name.value;
    let mut section = format!("{HEADER}{name}\n");
    for rule in &user.sudo {
        if rule.value.contains(['\n', '\r', '\0']) {
            let says = format!(
                "a sudo rule of {name} goes over more than one line: write a list of rules"
            );
            planner.error(&rule.place, says);
            continue;
        }
        section.extend([name, " ", &rule.value, "\n"]);
    }
    section
}

/// The sections of a file: each header, and the lines below it that begin with its name. Looked
/// for in the text itself, thousands of users would take hours.
fn sections(text: &str) -> HashSet<String> {
    let section = |rest: &str| {
        let mut lines = rest.split_inclusive('\n');
        let header = lines.next().unwrap_or_default();
        let begin = format!("{} ", header.trim_end_matches('\n'));
        let rules = lines.take_while(|line| line.starts_with(&begin));
        format!("{HEADER}{header}{}", rules.collect::<String>())
    };
    text.split(HEADER).skip(1).map(section).collect()
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

#[cfg(test)]
mod tests {
    use super::super::super::tests::{ACCOUNTS, World, placed, user};
    use super::*;
    use crate::firstboot::configuration::Configuration;
    use crate::firstboot::plan::{Change, Content};

    fn asked(users: &[(&str, &[&str])]) -> Configuration {
        let with = |(name, rules): &(&str, &[&str])| User {
            sudo: rules.iter().map(|it| placed(it)).collect(),
            ..user(name)
        };
        Configuration { users: users.iter().map(with).collect(), ..Configuration::default() }
    }

    #[test]
    fn each_users_rules_are_there_once() {
        let both = "\n# User rules for a\na X\na Y\n";
        let b = "\n# User rules for b\nb X\n";
        let own = "# mine\na Z\n";
        for (there, rules, wanted) in [
            (String::new(), &[("a", &["X", "Y"][..])][..], both.to_owned()),
            (both.to_owned(), &[("a", &["X", "Y"])], both.to_owned()),
            (
                format!("{both}{own}{b}"),
                &[("a", &["X", "Y"]), ("b", &["X"])],
                format!("{both}{own}{b}"),
            ),
            (both.to_owned(), &[("a", &["X"])], format!("{both}\n# User rules for a\na X\n")),
            (both.to_owned(), &[("b", &["X"]), ("b", &["X"])], format!("{both}{b}")),
        ] {
            let world = World::with(&[ACCOUNTS.as_slice(), &[(FILE, &there)]].concat());
            let (plan, _) = world.plan(&asked(rules));
            let found = plan.base.iter().find_map(|it| match it {
                Change::File { path, file } if path.ends_with("90-cloud-init-users") => {
                    Some(&file.content)
                }
                _ => None,
            });
            let text = match found {
                Some(Content::Bytes(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
                _ => there.clone(),
            };
            assert_eq!(text, wanted, "{there:?} {rules:?}");
        }
    }
}
