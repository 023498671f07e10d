//! Addresses of the network: of interfaces, of hosts, and of networks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = String;

    /// Six bytes in hexadecimal, with `:` or `-` between.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no MAC address: write it as \"52:54:00:12:34:56\"");
        let mut bytes = [0; 6];
        let mut parts = text.split([':', '-']);
        for byte in &mut bytes {
            let part = parts.next().ok_or_else(wrong)?;
            let is_byte = (1..=2).contains(&part.len()) && !part.starts_with('+');
            *byte = u8::from_str_radix(part, 16).ok().filter(|_| is_byte).ok_or_else(wrong)?;
        }
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// An address with the length of its network's prefix, in bits: of an interface, or, where the
/// rest of the address does not count, of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The address, all of it.
    pub address: IpAddr,
    /// At most 32 or 128.
    pub length: u8,
}

impl Prefix {
    /// With a length that fits the address; `None` for one that does not.
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        (length <= bits_of(address)).then_some(Self { address, length })
    }

    /// The address alone.
    pub fn host(address: IpAddr) -> Self {
        Self { address, length: bits_of(address) }
    }

    /// Everywhere: what a default route leads to.
    pub fn default_of(family: IpAddr) -> Self {
        let address = match family {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        Self { address, length: 0 }
    }

    /// Whether it is everywhere.
    pub fn is_default(self) -> bool {
        self.length == 0
    }

    /// The network, with nothing behind its prefix.
    #[must_use]
    pub fn network(self) -> Self {
        let address = match self.address {
            IpAddr::V4(it) => IpAddr::V4(Ipv4Addr::from_bits(it.to_bits() & self.mask_of_4())),
            IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & self.mask_of_6())),
        };
        Self { address, ..self }
    }

    /// Whether an address is in the network.
    pub fn contains(self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Self { address, ..self }.network() == self.network()
    }

    fn mask_of_4(self) -> u32 {
        u32::MAX.checked_shl(32 - u32::from(self.length.min(32))).unwrap_or(0)
    }

    fn mask_of_6(self) -> u128 {
        u128::MAX.checked_shl(128 - u32::from(self.length.min(128))).unwrap_or(0)
    }
}

impl FromStr for Prefix {
    type Err = String;

    /// `ADDRESS/LENGTH`.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((address, length)) = text.split_once('/') else {
            return Err(format!(
                "{text:?} does not say how large the network is: write it as \"10.0.0.2/24\""
            ));
        };
        let address = address_of(address)?;
        let is_number = length.bytes().all(|it| it.is_ascii_digit());
        let length = length.parse().ok().filter(|_| is_number);
        length.and_then(|it| Self::new(address, it)).ok_or_else(|| {
            let most = bits_of(address);
            format!("{text:?}: behind the slash stands the prefix' length, at most {most}")
        })
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// An address of either family.
///
/// # Errors
/// It is none: with what to write.
pub fn address_of(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no IP address: write it as \"10.0.0.2\" or \"2001:db8::2\"")
    })
}

/// The length of the prefix that a mask such as 255.255.255.0 stands for; `None` if it has gaps.
pub fn length_of_mask(mask: IpAddr) -> Option<u8> {
    let (ones, is_whole) = match mask {
        IpAddr::V4(it) => {
            let bits = it.to_bits();
            (bits.leading_ones(), bits.leading_ones() == bits.count_ones())
        }
        IpAddr::V6(it) => {
            let bits = it.to_bits();
            (bits.leading_ones(), bits.leading_ones() == bits.count_ones())
        }
    };
    u8::try_from(ones).ok().filter(|_| is_whole)
}

fn bits_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_interfaces() {
        for (text, expected) in [
            ("52:54:00:AB:cd:0e", Some("52:54:00:ab:cd:0e")),
            ("52-54-0-ab-cd-e", Some("52:54:00:ab:cd:0e")),
            ("52:54:00:ab:cd", None),
            ("52:54:00:ab:cd:0e:11", None),
            ("52:54:00:ab:cd:+e", None),
            ("52:54:00:ab:cd:0g", None),
            ("52:54:00:ab:cd:", None),
            ("52:54:00:ab:cd:00e", None),
            ("", None),
        ] {
            let mac = text.parse::<Mac>().ok().map(|it| it.to_string());
            assert_eq!(mac.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn networks() {
        for (text, expected) in [
            ("10.1.2.3/24", Ok("10.1.2.0/24")),
            ("10.1.2.3/0", Ok("0.0.0.0/0")),
            ("10.1.2.3/32", Ok("10.1.2.3/32")),
            ("2001:DB8::1/64", Ok("2001:db8::/64")),
            ("::1/128", Ok("::1/128")),
            ("10.1.2.3/33", Err("at most 32")),
            ("::/129", Err("at most 128")),
            ("10.1.2.3/+2", Err("at most 32")),
            ("10.1.2.3/", Err("at most 32")),
            ("10.1.2.3", Err("how large the network is")),
            ("10.1.2/24", Err("no IP address")),
            ("010.1.2.3/24", Err("no IP address")),
            ("fe80::1%eth0/64", Err("no IP address")),
        ] {
            match (text.parse::<Prefix>(), expected) {
                (Ok(it), Ok(network)) => assert_eq!(it.network().to_string(), network),
                (Err(e), Err(says)) => assert!(e.contains(says), "{e}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
        let network: Prefix = "10.1.2.3/24".parse().unwrap();
        for (address, expected) in [("10.1.2.255", true), ("10.1.3.0", false), ("::1", false)] {
            assert_eq!(network.contains(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn masks() {
        for (mask, length) in [
            ("255.255.255.0", Some(24)),
            ("0.0.0.0", Some(0)),
            ("255.255.255.255", Some(32)),
            ("255.0.255.0", None),
            ("0.0.0.255", None),
            ("ffff:ffff:ffff:ffff::", Some(64)),
            ("ffff::ffff", None),
        ] {
            assert_eq!(length_of_mask(mask.parse().unwrap()), length, "{mask}");
        }
    }
}
