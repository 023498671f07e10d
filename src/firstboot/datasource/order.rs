//! In which order sources are asked.

use anyhow::{Result, bail};

use super::{
    Datasource, credential, directory, drives, fw_cfg, nocloud, openstack, smbios, url, vmware,
};
use crate::firstboot::machine::Machine;

/// By default: what the kernel command line names; the image's directories; the
/// hypervisor's channels; drives, which may have to be waited for; names without a seed, which
/// a drive's seed would have used; servers, for which the network has to come up.
const DEFAULT: [&str; 10] = [
    "url",
    "nocloud",
    "directory",
    "fw_cfg",
    "vmware",
    "smbios",
    "credential",
    "drive",
    "names",
    "openstack",
];
/// The kernel command line's other order.
const WORD: &str = "firstboot.sources";

/// All sources that are to be asked, in order: as `firstboot.sources=NAME,…` on the
/// kernel command line has it, else by default.
pub fn in_order(machine: &Machine) -> Vec<Box<dyn Datasource>> {
    names(machine.cmdline.value(WORD)).into_iter().map(|name| source(name, machine)).collect()
}

fn names(asked: Option<&str>) -> Vec<&'static str> {
    let Some(asked) = asked else { return DEFAULT.to_vec() };
    match parse(asked) {
        Ok(names) => names,
        Err(e) => {
            log::warn!("{WORD}={asked} on the kernel command line: {e}: asking all, as always");
            DEFAULT.to_vec()
        }
    }
}

/// Half of an order is not what anybody meant: one wrong name, and it is none.
fn parse(asked: &str) -> Result<Vec<&'static str>> {
    let mut names = Vec::new();
    for word in asked.split(',').filter(|word| !word.is_empty()) {
        let Some(name) = DEFAULT.into_iter().find(|name| *name == word) else {
            bail!("there is no source {word:?}; write some of {}", DEFAULT.join(","));
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        bail!("it names no source; write some of {}", DEFAULT.join(","));
    }
    Ok(names)
}

fn source(name: &str, machine: &Machine) -> Box<dyn Datasource> {
    let machine = machine.clone();
    match name {
        "url" => Box::new(url::Url { machine }),
        "nocloud" => Box::new(nocloud::NoCloud { machine }),
        "directory" => Box::new(directory::Directory { machine }),
        "fw_cfg" => Box::new(fw_cfg::FwCfg { machine }),
        "vmware" => Box::new(vmware::Vmware { machine }),
        "smbios" => Box::new(smbios::Smbios { machine }),
        "credential" => Box::new(credential::Credential { machine }),
        "names" => Box::new(nocloud::Names { machine }),
        "openstack" => Box::new(openstack::OpenStack { machine }),
        _ => Box::new(drives::Drives { machine }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::cmdline::Cmdline;
    use crate::sys::files::Root;

    #[test]
    fn every_name_is_a_source_of_that_name() {
        let machine = Machine::new(Root::new("/nonexistent"), "/".into(), Cmdline::default());
        let sources = in_order(&machine);
        assert_eq!(sources.iter().map(|it| it.name()).collect::<Vec<_>>(), DEFAULT);
    }

    #[test]
    fn the_command_line_sets_another_order_and_a_typing_mistake_none() {
        assert_eq!(names(Some("drive,fw_cfg,drive")), ["drive", "fw_cfg"]);
        assert_eq!(names(Some("drive,fwcfg")), DEFAULT);
        assert_eq!(names(Some("")), DEFAULT);
        assert!(
            parse("usb").unwrap_err().to_string().contains("there is no source \"usb\"; write")
        );
    }
}
