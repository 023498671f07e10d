//! What sources look at: the machine, or a file that stands in for it.
//!
//! `--facts FILE` answers "what would this machine do?" without the machine: the file
//! says what its kernel command line, its DMI fields and its drives are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::datasource::drives::{self, Drive};
use crate::snapshot::disk::{self, Disk};
use crate::snapshot::usr;
use crate::sys::cmdline::Cmdline;
use crate::sys::files::{self, Root};
use crate::sys::mountinfo::FstabEntry;
use crate::sys::virt;

/// The fields of DMI (Documentation/ABI/testing/sysfs-class-dmi).
const DMI: &str = "/sys/class/dmi/id";

/// The machine that is to be configured.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Where its /sys and /run are: the initrd.
    pub root: Root,
    /// Where the system's root is mounted.
    pub sysroot: PathBuf,
    /// Its kernel command line.
    pub cmdline: Cmdline,
    /// What stands in for the rest of it.
    facts: Option<Facts>,
}

/// A machine, described in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Facts {
    /// The kernel command line.
    cmdline: String,
    /// DMI fields, by their names in /sys/class/dmi/id.
    dmi: BTreeMap<String, String>,
    /// Labelled file systems.
    drives: Vec<DriveFact>,
    /// As systemd-detect-virt(1) names it; `none` for a real machine.
    virtualization: Option<String>,
    /// Strings of SMBIOS type 11.
    oem_strings: Vec<String>,
    /// The files in the machine's `fw_cfg`: their content, by name.
    fw_cfg: BTreeMap<String, String>,
    /// systemd's credentials, by name.
    credentials: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct DriveFact {
    node: PathBuf,
    label: Option<String>,
    #[serde(rename = "type")]
    fstype: String,
    /// A directory with what is on it.
    content: Option<PathBuf>,
}

impl Facts {
    /// Reads a file of facts; paths in it are relative to its own directory.
    ///
    /// # Errors
    /// It cannot be read, or is not what it should be: with line and column.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            files::read_text(path)?.with_context(|| format!("{} is not there", path.display()))?;
        let dir = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, dir).with_context(|| path.display().to_string())
    }

    /// The same of its text; `dir` is what paths are relative to.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn parse(text: &str, dir: &Path) -> Result<Self> {
        let mut facts: Self = serde_json::from_str(text)?;
        for drive in &mut facts.drives {
            drive.content = drive.content.take().map(|content| dir.join(content));
        }
        Ok(facts)
    }

    /// Its kernel command line.
    pub fn cmdline(&self) -> Cmdline {
        Cmdline::parse(&self.cmdline)
    }
}

impl Machine {
    /// This one.
    pub fn new(root: Root, sysroot: PathBuf, cmdline: Cmdline) -> Self {
        Self { root, sysroot, cmdline, facts: None }
    }

    /// The one that these facts describe; its system is at `sysroot`.
    pub fn described(facts: Facts, sysroot: PathBuf) -> Self {
        let cmdline = facts.cmdline();
        // Nothing of the real machine may answer in its place.
        let root = Root::new("/nonexistent");
        Self { root, sysroot, cmdline, facts: Some(facts) }
    }

    /// A described one, whose files and system are in this directory.
    #[cfg(test)]
    pub(in crate::firstboot) fn in_dir(dir: &Path, cmdline: &str) -> Self {
        let facts = Facts { cmdline: cmdline.to_owned(), ..Facts::default() };
        Self { root: Root::new(dir), ..Self::described(facts, dir.to_owned()) }
    }

    /// The file system of its root; `None` where that has no snapshots. What it mounts is
    /// what fstab says, and the kernel command line of `/usr`.
    ///
    /// # Errors
    /// As [`Disk::open`].
    pub fn disk(&self, writable: bool) -> Result<Option<Disk>> {
        let mut disk = Disk::open(&self.sysroot, writable)?;
        if let Some(disk) = &mut disk {
            usr::add(&self.cmdline, &mut disk.fstab);
        }
        Ok(disk)
    }

    /// What it mounts, where it has no snapshots.
    ///
    /// # Errors
    /// Its fstab cannot be read.
    pub fn fstab(&self) -> Result<Vec<FstabEntry>> {
        let mut fstab = disk::fstab_of(&self.sysroot)?;
        usr::add(&self.cmdline, &mut fstab);
        Ok(fstab)
    }

    /// A field of DMI, by its name in sysfs; `None` where there is none.
    pub fn dmi(&self, field: &str) -> Option<String> {
        let text = match &self.facts {
            Some(facts) => facts.dmi.get(field).cloned(),
            None => self.text(&Path::new(DMI).join(field)),
        };
        text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    /// What it runs on, as systemd-detect-virt(1) names it; `None` for a real machine.
    pub fn virtualization(&self) -> Option<String> {
        match &self.facts {
            Some(facts) => facts.virtualization.clone().filter(|name| name != "none"),
            None => virt::detect(&self.root).map(str::to_owned),
        }
    }

    /// The file systems that are there now and may hold a configuration, by their labels.
    ///
    /// # Errors
    /// udev cannot be asked.
    pub fn drives(&self) -> Result<Vec<Drive>> {
        let Some(facts) = &self.facts else { return drives::present() };
        let drive = |it: &DriveFact| {
            Drive::new(it.node.clone(), it.label.as_deref(), it.fstype.clone(), it.content.clone())
        };
        Ok(facts.drives.iter().filter_map(drive).collect())
    }

    /// An item of QEMU's `fw_cfg`; `None` if there is no such.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn fw_cfg(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let dir = Path::new("/sys/firmware/qemu_fw_cfg/by_name");
        match &self.facts {
            Some(facts) => Ok(facts.fw_cfg.get(name).map(|text| text.clone().into_bytes())),
            None => files::read(&self.root.join(dir).join(name).join("raw")),
        }
    }

    /// A credential that the system manager was given; `None` if there is no such.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn credential(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match &self.facts {
            Some(facts) => Ok(facts.credentials.get(name).map(|text| text.clone().into_bytes())),
            None => files::read(&self.root.join("/run/credentials/@system").join(name)),
        }
    }

    /// The strings of SMBIOS type 11.
    pub fn oem_strings(&self) -> Vec<String> {
        if let Some(facts) = &self.facts {
            return facts.oem_strings.clone();
        }
        let entries = files::list(&self.root.join("/sys/firmware/dmi/entries")).unwrap_or_default();
        let is_oem = |path: &&PathBuf| {
            path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"11-"))
        };
        let raw = |path: &PathBuf| files::read(&path.join("raw")).ok().flatten();
        let tables = entries.iter().filter(is_oem).filter_map(raw);
        tables.flat_map(|table| oem_strings_of(&table)).collect()
    }

    /// Whether it is one that facts describe.
    pub fn is_described(&self) -> bool {
        self.facts.is_some()
    }

    fn text(&self, path: &Path) -> Option<String> {
        files::read_text(&self.root.join(path)).ok().flatten()
    }
}

/// The strings of one structure (DMTF DSP0134, 6.1.3): after the formatted part, whose
/// length is its second byte, each ended by a zero, the last by two.
pub(super) fn oem_strings_of(table: &[u8]) -> Vec<String> {
    let Some(length) = table.get(1) else { return Vec::new() };
    let strings = table.get(usize::from(*length)..).unwrap_or_default();
    strings
        .split(|byte| *byte == 0)
        .take_while(|text| !text.is_empty())
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oem_strings_come_after_the_formatted_part() {
        assert_eq!(
            oem_strings_of(b"\x0b\x05\x01\x00\x02first\0second=x\0\0"),
            ["first", "second=x"]
        );
        for damaged in [&b""[..], b"\x0b", b"\x0b\xff\x01", b"\x0b\x05\x01\x00\x00\0\0"] {
            assert_eq!(oem_strings_of(damaged), Vec::<String>::new());
        }
        assert_eq!(oem_strings_of(b"\x0b\x05\x01\x00\x01no end"), ["no end"]);
    }

    #[test]
    fn a_wrong_file_of_facts_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("facts.json");
        std::fs::write(&path, "{\"cmdline\": \"a b=c\",\n \"drivs\": []}").unwrap();
        let error = format!("{:#}", Facts::read(&path).unwrap_err());
        assert!(
            error.contains("facts.json: unknown field `drivs`") && error.contains("line 2"),
            "{error}"
        );
        std::fs::write(
            &path,
            r#"{"cmdline": "a b=c", "dmi": {"sys_vendor": " Acme "},
                "drives": [{"node": "/dev/sda1", "label": "COMBUSTION", "type": "vfat", "content": "stick"}]}"#,
        )
        .unwrap();
        let machine = Machine::described(Facts::read(&path).unwrap(), "/sysroot".into());
        assert_eq!(machine.cmdline.value("b"), Some("c"));
        assert_eq!(machine.dmi("sys_vendor").as_deref(), Some("Acme"));
        assert_eq!(machine.dmi("product_name"), None);
        assert_eq!(machine.drives().unwrap()[0].to_string(), "/dev/sda1 (label COMBUSTION, vfat)");
    }
}
