//! Whether this is a virtual machine.

use super::files::{self, Root};

/// Whether a hypervisor says so: by the processor's flag, or in the machine's name (as
/// systemd-detect-virt(1) reads it from DMI).
pub fn is_virtual(root: &Root) -> bool {
    const NAMES: [&str; 11] = [
        "QEMU",
        "KVM",
        "OpenStack",
        "Amazon EC2",
        "Google Compute Engine",
        "VMware",
        "VMW",
        "innotek GmbH",
        "VirtualBox",
        "Xen",
        "Parallels",
    ];
    let text = |path: &str| files::read_text(&root.join(path)).ok().flatten().unwrap_or_default();
    let flags = text("/proc/cpuinfo");
    let flags = flags.lines().find(|line| line.starts_with("flags"));
    let vendor_is = |name: &&str| {
        ["sys_vendor", "product_name", "board_vendor", "bios_vendor"]
            .iter()
            .any(|field| text(&format!("/sys/class/dmi/id/{field}")).starts_with(*name))
    };
    flags.is_some_and(|line| line.split_whitespace().any(|flag| flag == "hypervisor"))
        || NAMES.iter().any(vendor_is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hypervisor_shows_itself() {
        for (path, text, expected) in [
            ("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n", true),
            ("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu lahf_lm\n", false),
            ("/sys/class/dmi/id/sys_vendor", "QEMU\n", true),
            ("/sys/class/dmi/id/product_name", "VMware7,1\n", true),
            ("/sys/class/dmi/id/sys_vendor", "LENOVO\n", false),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let root = Root::new(dir.path());
            files::replace(&root.join(path), text.as_bytes(), 0o644).unwrap();
            assert_eq!(is_virtual(&root), expected, "{text}");
        }
    }
}
