//! Names and numbers of a tree's own users and groups.

use std::collections::HashMap;

use anyhow::Result;

use super::super::overlay::Overlay;
use super::table::{Format, GROUP, PASSWD, Table};
use crate::sys::tree::Tree;

/// Who is known in a tree.
#[derive(Debug, Default)]
pub struct Names {
    users: HashMap<String, u32>,
    groups: HashMap<String, u32>,
}

impl Names {
    /// Those that will be there.
    pub(in super::super) fn read(view: &Overlay) -> Result<Self> {
        let table = |format: &Format| -> Result<HashMap<String, u32>> {
            Ok(Table::read(view, format)?.map(|table| numbers(&table)).unwrap_or_default())
        };
        Ok(Self { users: table(&PASSWD)?, groups: table(&GROUP)? })
    }

    /// Those that are there.
    pub(in crate::firstboot) fn of(tree: &Tree) -> Result<Self> {
        Self::read(&Overlay::over(tree))
    }

    /// The number of a user, by name or by number.
    pub(in crate::firstboot) fn uid(&self, user: &str) -> Option<u32> {
        number(&self.users, user)
    }

    /// The number of a group, by name or by number.
    pub(in crate::firstboot) fn gid(&self, group: &str) -> Option<u32> {
        number(&self.groups, group)
    }
}

fn numbers(table: &Table) -> HashMap<String, u32> {
    let pairs = table.pairs(0, 2);
    pairs.filter_map(|(name, id)| Some((name.to_owned(), id.parse().ok()?))).collect()
}

/// A name first, as chown(1) has it. root is root where there is no file of names.
fn number(names: &HashMap<String, u32>, name: &str) -> Option<u32> {
    let root = || (name == "root").then_some(0);
    // u32::MAX tells chown(2) to change nothing.
    let id = || name.parse().ok().filter(|id| *id != u32::MAX);
    names.get(name).copied().or_else(root).or_else(id)
}
