//! The sum that an address may carry: `https://server/file#sha256=HEX`. Whoever wrote the
//! address says by it what is there; a server, or somebody on the way, cannot exchange it.

use anyhow::{Result, ensure};
use sha2::{Digest, Sha256};

/// What a sum begins with, behind the address.
pub const SUM_MARK: &str = "#sha256=";
/// How many hexadecimal digits it has.
const DIGITS: usize = 64;

/// An address taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summed<'a> {
    /// What is asked for.
    pub url: &'a str,
    /// What has to be there: its SHA-256, in small letters.
    sum: Option<String>,
}

impl<'a> Summed<'a> {
    /// Takes an address apart.
    ///
    /// # Errors
    /// Something that is meant to be a sum, and is none: passed over, nothing would be checked.
    pub fn of(address: &'a str) -> Result<Self> {
        let (url, fragment) = address.split_once('#').unwrap_or((address, ""));
        if !fragment.get(..3).is_some_and(|it| it.eq_ignore_ascii_case("sha")) {
            return Ok(Self { url: address, sum: None });
        }
        let hex = address.get(url.len()..).and_then(|it| it.strip_prefix(SUM_MARK));
        let is_sum = |it: &&str| it.len() == DIGITS && it.bytes().all(|b| b.is_ascii_hexdigit());
        let hex = hex.filter(is_sum);
        ensure!(
            hex.is_some(),
            "#{fragment} is no sum: write {SUM_MARK} and the {DIGITS} hexadecimal digits that \
             sha256sum prints"
        );
        Ok(Self { url, sum: hex.map(str::to_ascii_lowercase) })
    }

    /// Whether it says what has to be there.
    pub fn has_sum(&self) -> bool {
        self.sum.is_some()
    }

    /// Makes sure that this is what was at the address.
    ///
    /// # Errors
    /// It is something else, with both sums.
    pub fn check(&self, bytes: &[u8]) -> Result<()> {
        let Some(sum) = &self.sum else { return Ok(()) };
        let found = base16ct::lower::encode_string(&Sha256::digest(bytes));
        ensure!(
            found == *sum,
            "what is there is not what its address says: its SHA-256 is {found}, not {sum}"
        );
        Ok(())
    }
}

/// Makes sure that an address in a signed configuration says what is there.
///
/// # Errors
/// It does not, and what to write.
pub fn must_have_sum(address: &str) -> Result<()> {
    ensure!(
        Summed::of(address)?.has_sum(),
        "the configuration is signed, and nobody has signed what is at this address: write \
         {SUM_MARK} and the {DIGITS} digits of its SHA-256 behind it, as sha256sum prints them"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// printf x | sha256sum
    const X: &str = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";

    #[test]
    fn an_address_is_taken_apart() {
        let (small, large) = (format!("http://a/b?c#sha256={X}"), X.to_uppercase());
        let large = format!("http://a/b?c#sha256={large}");
        for address in [&small, &large] {
            let summed = Summed::of(address).unwrap();
            assert_eq!(summed.url, "http://a/b?c");
            summed.check(b"x").unwrap();
            let error = summed.check(b"y").unwrap_err().to_string();
            assert!(error.contains(&format!(", not {X}")) && error.contains("a1fce436"), "{error}");
            must_have_sum(address).unwrap();
        }
        for address in ["http://a/b", "http://a/b#part", "file:///a#1", "http://a/#"] {
            let summed = Summed::of(address).unwrap();
            assert_eq!((summed.url, summed.has_sum()), (address, false));
            summed.check(b"y").unwrap();
            assert!(must_have_sum(address).unwrap_err().to_string().contains("#sha256= and"));
        }
    }

    #[test]
    fn what_is_meant_to_be_a_sum_is_one() {
        let (short, long) = (&X[1..], format!("{X}0"));
        for fragment in [
            "sha256=".to_owned(),
            format!("sha256={short}"),
            format!("sha256={long}"),
            format!("sha256={short}g"),
            format!("sha256:{X}"),
            format!("SHA256={X}"),
            format!("sha512={X}"),
            format!("sha256={X}#sha256={X}"),
        ] {
            let error = Summed::of(&format!("http://a/b#{fragment}")).unwrap_err().to_string();
            assert!(error.contains(&format!("#{fragment} is no sum")), "{error}");
        }
    }
}
