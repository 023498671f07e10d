//! Random bytes from the kernel.

use anyhow::{Context, Result, ensure};
use rustix::rand::{GetRandomFlags, getrandom};

/// So many of them, fit for salts and passwords. Waits at most until the kernel has gathered
/// enough once, which since Linux 5.6 it does by itself within a second.
///
/// # Errors
/// As getrandom(2).
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    // Up to 256 bytes the kernel gives all or nothing.
    let got = getrandom(&mut bytes, GetRandomFlags::empty()).context("no random numbers")?;
    ensure!(got == N, "{got} random bytes instead of {N}");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_are_the_same() {
        assert_ne!(super::bytes::<32>().unwrap(), super::bytes::<32>().unwrap());
    }
}
