//! `detect`: would the next start be a first boot?

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use super::Asked;
use crate::firstboot::detect::{self, Answer};
use crate::record::store::{self, Store};
use crate::snapshot::disk;
use crate::snapshot::etc::Etc;
use crate::sys::btrfs;
use crate::sys::files::Root;

/// The answer as JSON; the order of its fields is the order of the keys.
#[derive(Serialize)]
struct Shown {
    schema: u32,
    first_boot: bool,
    reason: String,
}

pub(super) fn run(root: &Root, asked: &Asked) -> Result<u8> {
    // In the running system the layers of /etc are mounted over each other.
    let etc = if root.is_live() { Etc::Plain } else { Etc::of(&disk::fstab_of(root.dir())?)? };
    let layers: Vec<PathBuf> = etc.layers().iter().map(|layer| root.join(layer)).collect();
    let machine = asked.machine(root)?;
    let on_btrfs = btrfs::is_btrfs(root.dir())?;
    let snapshot = on_btrfs.then(|| btrfs::info(root.dir())).transpose()?.map(|info| info.uuid);
    let state = Store::new(root).read();
    let facts = detect::gather(&layers, &state, &root.join(store::DIR), snapshot, &machine)?;
    let (first_boot, reason) = match detect::decide(&facts) {
        Answer::FirstBoot(reason) => (true, reason),
        Answer::AlreadyApplied => (false, "its configuration is applied already".to_owned()),
        Answer::CutOff => (false, "what was cut off is put back, as the record says".to_owned()),
        Answer::Finished => (false, "the system has been started before".to_owned()),
    };
    let mut out = io::stdout().lock();
    if asked.json {
        serde_json::to_writer_pretty(&mut out, &Shown { schema: 1, first_boot, reason })?;
        writeln!(out)?;
    } else {
        let answer = if first_boot { "a first boot" } else { "not a first boot" };
        writeln!(out, "{answer}: {reason}")?;
    }
    Ok(u8::from(!first_boot))
}
