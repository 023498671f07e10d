//! The options of a bond, by the names that each of its users has for them
//! (Documentation/networking/bonding.rst of the kernel; netplan's documentation, "Properties for
//! device type bonds:"; systemd.netdev(5), "\[Bond\]").

/// What an option's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BondType {
    /// One of these; a number counts in their order, as for the kernel.
    Word(&'static [&'static str]),
    /// A whole number up to this.
    Number(u32),
    /// Milliseconds.
    Milliseconds,
    /// Seconds.
    Seconds,
    /// Yes or no.
    Switch,
    /// IPv4 addresses.
    Addresses,
}

/// An option.
#[derive(Debug, PartialEq, Eq)]
pub struct BondOption {
    /// The kernel's name, which is `NetworkManager`'s too.
    pub kernel: &'static str,
    /// netplan's, in version 2.
    pub netplan: &'static str,
    /// systemd-networkd's.
    pub networkd: &'static str,
    /// What it takes.
    pub takes: BondType,
}

/// An option and its value, checked: as the kernel takes it, addresses with commas between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BondSetting {
    /// Which.
    pub option: &'static BondOption,
    /// Its value.
    pub value: String,
}

const fn option(
    kernel: &'static str,
    netplan: &'static str,
    networkd: &'static str,
    takes: BondType,
) -> BondOption {
    BondOption { kernel, netplan, networkd, takes }
}

const MODES: &[&str] = &[
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
];
const HASHES: &[&str] = &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
const VALIDATE: &[&str] =
    &["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];

/// All of them, but `primary`, whose value is a link.
pub const BOND_OPTIONS: [BondOption; 19] = [
    option("mode", "mode", "Mode", BondType::Word(MODES)),
    option("lacp_rate", "lacp-rate", "LACPTransmitRate", BondType::Word(&["slow", "fast"])),
    option("miimon", "mii-monitor-interval", "MIIMonitorSec", BondType::Milliseconds),
    option("updelay", "up-delay", "UpDelaySec", BondType::Milliseconds),
    option("downdelay", "down-delay", "DownDelaySec", BondType::Milliseconds),
    option("min_links", "min-links", "MinLinks", BondType::Number(u32::MAX >> 1)),
    option(
        "xmit_hash_policy",
        "transmit-hash-policy",
        "TransmitHashPolicy",
        BondType::Word(HASHES),
    ),
    option("ad_select", "ad-select", "AdSelect", BondType::Word(&["stable", "bandwidth", "count"])),
    option("all_slaves_active", "all-members-active", "AllSlavesActive", BondType::Switch),
    option("arp_interval", "arp-interval", "ARPIntervalSec", BondType::Milliseconds),
    option("arp_ip_target", "arp-ip-targets", "ARPIPTargets", BondType::Addresses),
    option("arp_validate", "arp-validate", "ARPValidate", BondType::Word(VALIDATE)),
    option("arp_all_targets", "arp-all-targets", "ARPAllTargets", BondType::Word(&["any", "all"])),
    option(
        "fail_over_mac",
        "fail-over-mac-policy",
        "FailOverMACPolicy",
        BondType::Word(&["none", "active", "follow"]),
    ),
    option("num_grat_arp", "gratuitous-arp", "GratuitousARP", BondType::Number(255)),
    option("packets_per_slave", "packets-per-member", "PacketsPerSlave", BondType::Number(65535)),
    option(
        "primary_reselect",
        "primary-reselect-policy",
        "PrimaryReselectPolicy",
        BondType::Word(&["always", "better", "failure"]),
    ),
    option("resend_igmp", "resend-igmp", "ResendIGMP", BondType::Number(255)),
    option("lp_interval", "learn-packet-interval", "LearnPacketIntervalSec", BondType::Seconds),
];
