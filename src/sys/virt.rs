//! Whether this is a virtual machine.

use super::files::{self, Root};

/// What DMI says where a hypervisor is meant (systemd's `detect-virt`), and its name.
const NAMES: [(&str, &str); 11] = [
    ("KVM", "kvm"),
    ("OpenStack", "kvm"),
    ("Amazon EC2", "amazon"),
    ("Google Compute Engine", "google"),
    ("QEMU", "qemu"),
    ("VMware", "vmware"),
    ("VMW", "vmware"),
    ("innotek GmbH", "oracle"),
    ("VirtualBox", "oracle"),
    ("Xen", "xen"),
    ("Parallels", "parallels"),
];
const FIELDS: [&str; 4] = ["product_name", "sys_vendor", "board_vendor", "bios_vendor"];

/// The hypervisor, as systemd-detect-virt(1) names it, from the machine's name in DMI;
/// `vm-other` where only the processor's flag shows that there is one.
pub fn detect(root: &Root) -> Option<&'static str> {
    let text = |path: &str| files::read_text(&root.join(path)).ok().flatten().unwrap_or_default();
    for field in FIELDS {
        let said = text(&format!("/sys/class/dmi/id/{field}"));
        if let Some((_, name)) = NAMES.iter().find(|(prefix, _)| said.starts_with(prefix)) {
            return Some(name);
        }
    }
    let flags = text("/proc/cpuinfo");
    let flags = flags.lines().find(|line| line.starts_with("flags"))?;
    flags.split_whitespace().any(|flag| flag == "hypervisor").then_some("vm-other")
}

/// Whether there is any hypervisor.
pub fn is_virtual(root: &Root) -> bool {
    detect(root).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hypervisor_shows_itself() {
        for (path, text, expected) in [
            (
                "/proc/cpuinfo",
                "processor\t: 0\nflags\t\t: fpu hypervisor lahf_lm\n",
                Some("vm-other"),
            ),
            ("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu lahf_lm\n", None),
            ("/sys/class/dmi/id/sys_vendor", "QEMU\n", Some("qemu")),
            ("/sys/class/dmi/id/product_name", "VMware7,1\n", Some("vmware")),
            ("/sys/class/dmi/id/sys_vendor", "LENOVO\n", None),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let root = Root::new(dir.path());
            files::replace(&root.join(path), text.as_bytes(), 0o644).unwrap();
            assert_eq!(detect(&root), expected, "{text}");
            assert_eq!(is_virtual(&root), expected.is_some());
        }
    }
}
