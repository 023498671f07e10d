//! What a plan depends on besides the configuration and the tree.

use anyhow::Result;
use jiff::Timestamp;

use crate::sys::random;

/// A clock that stands before it was not set yet: 2020-01-01, in days since 1970.
const PLAUSIBLE: i64 = 18262;

/// The day, and random numbers.
pub struct Moment {
    /// Days since 1970-01-01, as shadow(5) counts them; `None` if the clock is not set.
    pub today: Option<i64>,
    /// Gives a new salt for a password.
    pub salt: Box<dyn Fn() -> Result<[u8; 12]>>,
}

impl Moment {
    /// Now, and the kernel's random numbers.
    pub fn now() -> Self {
        let today = Timestamp::now().as_second().div_euclid(24 * 60 * 60);
        // A password that was changed in 1970 has expired long ago.
        let today = Some(today).filter(|it| *it >= PLAUSIBLE);
        Self { today, salt: Box::new(random::bytes) }
    }
}
