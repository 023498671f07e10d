//! Every top-level key that cloud-init has, and what becomes of it here. The table in
//! docs/cloud-config.md and the JSON Schema are checked against this one.

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// What cloud-init does.
    Full,
    /// With differences: which.
    Part(&'static str),
    /// It would leave the machine another one than was asked for: why it is not done.
    Refused(&'static str),
    /// It changes nothing here: why.
    Ignored(&'static str),
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub support: Support,
}

const fn full(name: &'static str) -> Key {
    Key { name, support: Support::Full }
}

const fn part(name: &'static str, how: &'static str) -> Key {
    Key { name, support: Support::Part(how) }
}

const fn refused(name: &'static str, why: &'static str) -> Key {
    Key { name, support: Support::Refused(why) }
}

const fn ignored(name: &'static str, why: &'static str) -> Key {
    Key { name, support: Support::Ignored(why) }
}

const NO_APT: &str = "this system has no apt; use \"zypper\" and \"packages\"";
const NO_SNAP: &str = "this system has no snaps; use \"packages\" or a container";
const AGENT: &str = "install it with \"packages\", and write its settings with \"write_files\"";
const NO_UBUNTU: &str = "it is a service of Ubuntu's";
const OTHER_PACKAGES: &str = "it is another system's package manager; use \"zypper\"";
const LOGGING: &str = "what is printed goes to the journal and the console";
const MERGED: &str = "it says how parts are merged";
const DATASOURCES: &str = "firstboot.sources= on the kernel command line sets the order";
const MODULES: &str = "what is done, and when, is fixed; docs/cloud-config.md has it";

/// All of them.
pub const KEYS: &[Key] = &[
    full("bootcmd"),
    part("ca_certs", "below a read-only root, in /etc"),
    part("ca-certs", "the old name of ca_certs"),
    full("chpasswd"),
    full("create_hostname_file"),
    full("device_aliases"),
    full("disable_root"),
    part("disable_root_opts", "only as it is by default"),
    part("disk_setup", "what is in the way is an error; no layout: remove"),
    full("final_message"),
    full("fqdn"),
    part("fs_setup", "what is in the way is an error; no cmd"),
    full("groups"),
    part("growpart", "by sfdisk, once, before the first start"),
    full("hostname"),
    full("keyboard"),
    full("locale"),
    full("manage_etc_hosts"),
    part("mount_default_fields", "all six, or none"),
    full("mounts"),
    part("ntp", "chrony and systemd-timesyncd, by their own files"),
    full("password"),
    full("packages"),
    part("package_reboot_if_required", "packages are there before the first start"),
    full("package_update"),
    part("package_upgrade", "before the first start; a rolling system by dup, another by update"),
    full("phone_home"),
    full("power_state"),
    full("prefer_fqdn_over_hostname"),
    full("preserve_hostname"),
    full("random_seed"),
    part("resize_rootfs", "once, before the first start: btrfs, ext4, xfs"),
    full("runcmd"),
    full("ssh_authorized_keys"),
    full("ssh_deletekeys"),
    part("ssh_keys", "sshd makes those of other types itself"),
    full("ssh_pwauth"),
    part("swap", "in /var where the root is read-only or in snapshots"),
    full("timezone"),
    full("user"),
    full("users"),
    full("vendor_data"),
    full("vendor_data2"),
    full("write_files"),
    part("zypper", "keys named by gpgkey are trusted"),
    // Not applied.
    refused("apt", NO_APT),
    refused("apt_pipelining", NO_APT),
    refused("snap", NO_SNAP),
    refused("lxd", "this system has no LXD; use podman"),
    refused("ubuntu_advantage", NO_UBUNTU),
    refused("ubuntu_pro", NO_UBUNTU),
    refused("ubuntu_autoinstall", NO_UBUNTU),
    refused("drivers", NO_UBUNTU),
    refused("landscape", NO_UBUNTU),
    refused("byobu_by_default", NO_UBUNTU),
    refused("apk_repos", OTHER_PACKAGES),
    refused("yum_repos", OTHER_PACKAGES),
    refused("yum_repo_dir", OTHER_PACKAGES),
    refused("rh_subscription", OTHER_PACKAGES),
    refused("chef", AGENT),
    refused("puppet", AGENT),
    refused("salt_minion", AGENT),
    refused("mcollective", AGENT),
    refused("ansible", AGENT),
    refused("rsyslog", AGENT),
    refused("fan", NO_UBUNTU),
    refused("wireguard", "write its files with \"write_files\""),
    refused("spacewalk", OTHER_PACKAGES),
    refused("autoinstall", NO_UBUNTU),
    refused("ssh_import_id", "it would ask a server of others; write the keys themselves"),
    // Without effect.
    ignored("cloud_config_modules", MODULES),
    ignored("cloud_final_modules", MODULES),
    ignored("cloud_init_modules", MODULES),
    ignored("unverified_modules", MODULES),
    ignored("system_info", "it describes the image, and counts in the image alone"),
    ignored("datasource", DATASOURCES),
    ignored("datasource_list", DATASOURCES),
    ignored("manual_cache_clean", "a finished machine is never configured again by itself"),
    ignored("merge_how", MERGED),
    ignored("merge_type", MERGED),
    ignored("launch-index", "it chooses parts"),
    ignored("output", LOGGING),
    ignored("logcfg", LOGGING),
    ignored("reporting", LOGGING),
    ignored("syslog_fix_perms", LOGGING),
    ignored("def_log_file", LOGGING),
    ignored("no_ssh_fingerprints", "fingerprints are not printed"),
    ignored("authkey_hash", "fingerprints are not printed"),
    ignored("ssh_publish_hostkeys", "no platform is told of them"),
    ignored("ssh_genkeytypes", "sshd makes its own keys, of all types that it knows"),
    ignored("ssh_quiet_keygen", "sshd makes its keys itself"),
    ignored("ssh", "what of it cloud-init has is emit_keys_to_console"),
    ignored("ssh_fp_console_blacklist", "fingerprints are not printed"),
    ignored("ssh_key_console_blacklist", "keys are not printed"),
    ignored("allow_public_ssh_keys", "the platform's keys are taken"),
    ignored("disable_ec2_metadata", "no server is asked but the one that was named"),
    ignored("manage_resolv_conf", "name servers come with the network"),
    ignored("resolv_conf", "name servers come with the network"),
    ignored("grub_dpkg", "this system has no dpkg"),
    ignored("grub-dpkg", "this system has no dpkg"),
    ignored("updates", "the network is configured once"),
    ignored("locale_configfile", "it is /etc/locale.conf"),
    ignored("network", "the network's configuration is a file of its own, network-config"),
    ignored("id", "it is the part's own name"),
    ignored("version", "there is one version"),
];
