//! Users, groups, passwords, keys and sudo rules, as useradd(8), groupadd(8) and chpasswd(8)
//! would write them: in the initrd those programs are not there, and within the new system
//! they would cost more time than all the rest.

mod defaults;
mod group;
mod home;
mod keys;
pub mod names;
mod passwd;
mod password;
pub mod shadow;
mod sudo;
mod table;
mod users;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use anyhow::Result;

use super::Planner;
use super::overlay::Overlay;
use crate::firstboot::configuration::Configuration;
use defaults::Defaults;
use table::{GROUP, GSHADOW, PASSWD, SHADOW, SUBGID, SUBUID, Table};

/// All files of accounts, as they will be.
struct Accounts {
    defaults: Defaults,
    passwd: Table,
    shadow: Table,
    group: Table,
    gshadow: Option<Table>,
    subuid: Option<Table>,
    subgid: Option<Table>,
    uids: BTreeSet<u32>,
    gids: BTreeSet<u32>,
}

impl Accounts {
    fn read(view: &Overlay) -> Result<Self> {
        let there = |format| -> Result<Table> {
            Ok(Table::read(view, format)?.unwrap_or_else(|| Table::empty(format)))
        };
        let (passwd, group) = (there(&PASSWD)?, there(&GROUP)?);
        let numbers =
            |table: &Table| table.pairs(0, 2).filter_map(|(_, id)| id.parse().ok()).collect();
        // A user's group need not have a name to be taken.
        let mut gids: BTreeSet<u32> = numbers(&group);
        gids.extend(passwd.pairs(0, 3).filter_map(|(_, gid)| gid.parse::<u32>().ok()));
        Ok(Self {
            defaults: Defaults::read(view)?,
            uids: numbers(&passwd),
            gids,
            shadow: there(&SHADOW)?,
            gshadow: Table::read(view, &GSHADOW)?,
            subuid: Table::read(view, &SUBUID)?,
            subgid: Table::read(view, &SUBGID)?,
            passwd,
            group,
        })
    }

    fn save(&self, view: &mut Overlay) -> Result<()> {
        let some = [&self.gshadow, &self.subuid, &self.subgid].into_iter().flatten();
        [&self.passwd, &self.shadow, &self.group]
            .into_iter()
            .chain(some)
            .try_for_each(|it| it.save(view))
    }
}

pub(super) fn plan(planner: &mut Planner, configuration: &Configuration) -> Result<()> {
    let Configuration { groups, users, passwords, .. } = configuration;
    if groups.is_empty() && users.is_empty() && passwords.is_empty() {
        return Ok(());
    }
    let mut accounts = Accounts::read(&planner.view)?;
    for group in groups {
        group::plan(planner, &mut accounts, &group.name);
    }
    let mut homes = Vec::new();
    for user in users {
        homes.extend(users::plan(planner, &mut accounts, user)?);
    }
    for group in groups {
        group::members(planner, &mut accounts, group);
    }
    for new in passwords {
        password::change(planner, &mut accounts, new)?;
    }
    accounts.save(&mut planner.view)?;
    for home in &homes {
        home::plan(planner, &accounts, home)?;
    }
    sudo::plan(planner, users)?;
    for user in users {
        keys::plan(planner, &accounts, user)?;
    }
    Ok(())
}

/// Whether a user or a group may be called so, as shadow-utils has it: what a shell or `ls`
/// would take for something else is refused.
fn is_name(name: &str) -> bool {
    let may_begin = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let stem = name.strip_suffix('$').unwrap_or(name);
    stem.starts_with(may_begin)
        && stem.chars().all(|c| may_begin(c) || c == '-')
        && name.len() <= 32
        && !stem.chars().all(|c| c.is_ascii_digit())
        && !matches!(stem, "." | "..")
}

/// What to say of a name that is none.
fn no_name(what: &str, name: &str) -> String {
    format!(
        "{name:?} cannot be the name of a {what}: write up to 32 letters, digits, _, - and ., \
         not beginning with - and not digits alone"
    )
}

/// A number that nobody has: the one after the highest in the range, else the lowest that is
/// free. System accounts are counted from the top down.
fn next_number(taken: &BTreeSet<u32>, range: &RangeInclusive<u32>, system: bool) -> Option<u32> {
    let free = |id: &u32| range.contains(id) && !taken.contains(id);
    let within = || taken.range(range.clone());
    if range.is_empty() {
        return None;
    }
    let next = if system {
        within().next().map_or(Some(*range.end()), |lowest| lowest.checked_sub(1))
    } else {
        within().next_back().map_or(Some(*range.start()), |highest| highest.checked_add(1))
    };
    next.filter(free)
        .or_else(|| if system { range.clone().rev().find(free) } else { range.clone().find(free) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["bob", "_apt", "web-1", "machine$", "a.b", "Bob"] {
            assert!(is_name(good), "{good}");
        }
        let long = "x".repeat(33);
        for bad in ["", "-x", "123", ".", "..", "a:b", "a b", "a/b", "ünal", "a\n", "$", &long] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn numbers() {
        for (taken, range, system, next) in [
            (&[0, 5][..], 1000..=1003, false, Some(1000)),
            (&[1000, 65534], 1000..=1003, false, Some(1001)),
            (&[1001, 1003], 1000..=1003, false, Some(1000)),
            (&[1000, 1001, 1002, 1003], 1000..=1003, false, None),
            (&[0, 1000], 100..=499, true, Some(499)),
            (&[499, 480], 100..=499, true, Some(479)),
            (&[100, 499], 100..=499, true, Some(498)),
        ] {
            let taken = taken.iter().copied().collect();
            assert_eq!(next_number(&taken, &range, system), next, "{taken:?} {range:?}");
        }
    }
}
