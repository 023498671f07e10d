//! `NetworkManager` in the initrd, as dracut's module `network-manager` puts it there: a
//! unit that starts only where its mark is, and a generator that makes connections from
//! the kernel command line (nm-initrd-generator(8)).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::{LIMIT, SHORT, first_of, run, run_as};
use crate::firstboot::machine::Machine;
use crate::sys::files::{self, Root};

/// Of `NetworkManager` itself since 1.54, of dracut before.
const UNITS: [&str; 2] = [
    "/usr/lib/systemd/system/NetworkManager-initrd.service",
    "/usr/lib/systemd/system/nm-initrd.service",
];
const GENERATORS: [&str; 2] = ["/usr/libexec/nm-initrd-generator", "/usr/lib/nm-initrd-generator"];
/// The condition of the unit.
const MARK: &str = "/run/NetworkManager/initrd/neednet";

pub(super) fn is_here(root: &Root) -> bool {
    first_of(root, &UNITS).is_some() && first_of(root, &GENERATORS).is_some()
}

pub(super) fn up(machine: &Machine) -> Result<()> {
    let generator = first_of(&machine.root, &GENERATORS).context("it has no generator")?;
    let unit = first_of(&machine.root, &UNITS).context("it has no unit")?;
    // What a script with "prepare" has written for NetworkManager, it respects.
    let cmdline = fs::read_to_string(machine.root.join("/proc/cmdline")).unwrap_or_default();
    let words = cmdline.split_whitespace().chain(["rd.neednet=1"]);
    // Without its arguments: passwords may be on the command line.
    run_as(generator, generator, &["--"].into_iter().chain(words).collect::<Vec<_>>(), SHORT)?;
    files::replace(&machine.root.join(MARK), b"", 0o644)?;
    let unit = Path::new(unit).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    run("systemctl", &["start", unit], LIMIT)?;
    // It ends when all that starts by itself has been started, or could not be.
    run("nm-online", &["--wait-for-startup", "--quiet", "--timeout=60"], LIMIT)
}
