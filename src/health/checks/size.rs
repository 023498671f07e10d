//! Amounts of bytes: `200MiB`, `1.5G`, `10%`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// At least so much, of something that has a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// Bytes.
    Bytes(u64),
    /// A hundredth of the whole each.
    Percent(u8),
}

impl Size {
    /// In bytes, of this whole.
    pub(super) fn of(self, whole: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => whole / 100 * u64::from(percent),
        }
    }
}

/// Binary units with and without `iB`, as systemd has them; decimal ones with `B`.
fn parse(text: &str) -> Option<Size> {
    let text = text.trim();
    if let Some(percent) = text.strip_suffix('%') {
        return percent.trim().parse().ok().filter(|it| *it <= 100).map(Size::Percent);
    }
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = factor(unit.trim())?;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).map(Size::Bytes);
    }
    // One digit after the point is all that anybody writes; no floating point needed.
    let (whole, tenth) = number.split_once('.')?;
    let (whole, tenth): (u64, u64) = (whole.parse().ok()?, tenth.parse().ok()?);
    let tenths = whole.checked_mul(10)?.checked_add(tenth).filter(|_| tenth < 10)?;
    tenths.checked_mul(factor).map(|bytes| Size::Bytes(bytes / 10))
}

fn factor(unit: &str) -> Option<u64> {
    let power = |letter: &str| "KMGTP".find(&letter.to_uppercase()).map(|at| at + 1);
    let (base, power) = match unit {
        "" | "B" => (1024, 0),
        _ if unit.len() == 1 => (1024, power(unit)?),
        _ if unit.len() == 3 && unit.ends_with("iB") => (1024, power(&unit[..1])?),
        _ if unit.len() == 2 && unit.ends_with('B') => (1000, power(&unit[..1])?),
        _ => return None,
    };
    u64::checked_pow(base, u32::try_from(power).ok()?)
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u64),
            Text(String),
        }
        match Written::deserialize(from)? {
            Written::Number(bytes) => Ok(Self::Bytes(bytes)),
            Written::Text(text) => parse(&text).ok_or_else(|| {
                D::Error::custom(format!("{text:?} is no size such as 200MiB or 10%"))
            }),
        }
    }
}

impl Serialize for Size {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => f.write_str(&shown(*bytes)),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Bytes for people, with one decimal.
pub(super) fn shown(bytes: u64) -> String {
    let mut unit = 1;
    for name in ["B", "KiB", "MiB", "GiB", "TiB"] {
        if bytes / unit < 1024 || name == "TiB" {
            let tenths = (bytes % unit) * 10 / unit;
            let tenths = if tenths == 0 { String::new() } else { format!(".{tenths}") };
            return format!("{}{tenths}{name}", bytes / unit);
        }
        unit *= 1024;
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_people_write_them() {
        for (text, size) in [
            ("200MiB", Some(Size::Bytes(200 << 20))),
            ("200 M", Some(Size::Bytes(200 << 20))),
            ("1.5G", Some(Size::Bytes(3 << 29))),
            ("2kB", Some(Size::Bytes(2000))),
            ("17", Some(Size::Bytes(17))),
            ("10%", Some(Size::Percent(10))),
            ("101%", None),
            ("much", None),
            ("5XiB", None),
            ("1.25G", None),
            ("99999999999T", None),
            ("ÄB", None),
            ("", None),
        ] {
            assert_eq!(parse(text), size, "{text}");
        }
        assert_eq!(Size::Percent(10).of(5000), 500);
        assert_eq!([shown(0), shown(3 << 29), shown(200 << 20)], ["0B", "1.5GiB", "200MiB"]);
    }
}
