//! How long to wait for drives: by evidence, where the kernel gives it.

use std::time::Duration;

use super::coming::Seen;

/// Between two looks. What they look at has no event.
pub(super) const LOOK: Duration = Duration::from_millis(20);
/// What is quiet this long has nothing more to come: a hub that was just found is quiet
/// for a moment before it looks for devices.
const SURE: Duration = Duration::from_millis(100);
/// For drives of a real machine's USB ports that power up slowly, from then on.
const SLOW: Duration = Duration::from_secs(5);
/// Where the kernel does not show what is coming; on ARM, where controllers are slow.
const BLIND: Duration = Duration::from_secs(10);
const BLIND_ARM: Duration = Duration::from_secs(30);
/// Something that says for so long that it is coming never comes.
const NEVER: Duration = Duration::from_secs(60);

/// What there is to know about the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Circumstances {
    /// `firstboot.wait=` on the kernel command line.
    pub(super) forced: Option<Duration>,
    /// Its drives are somebody's file, and there at once or never.
    pub(super) is_virtual: bool,
    /// It has USB ports.
    pub(super) has_usb: bool,
    /// It is an ARM machine.
    pub(super) is_arm: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing more is coming, or nothing that is worth waiting for.
    Over,
    /// Look again, soon: something is coming.
    Look,
    /// Nothing is known to be coming, and it is waited this long all the same, unless
    /// somebody presses a key.
    Linger(Duration),
}

/// Decides. `waited` is since the beginning, `quiet` since when nothing was coming any
/// more, as far as the looks have shown.
pub(super) fn next(
    here: Circumstances,
    seen: &Seen,
    waited: Duration,
    quiet: Option<Duration>,
) -> Next {
    let until = |limit: Duration, spent: Duration| match limit.saturating_sub(spent) {
        Duration::ZERO => Next::Over,
        left => Next::Linger(left),
    };
    if let Some(forced) = here.forced {
        return until(forced, waited);
    }
    match seen {
        Seen::More(_) if waited >= NEVER => Next::Over,
        Seen::More(_) => Next::Look,
        Seen::Unknown(_) => until(if here.is_arm { BLIND_ARM } else { BLIND }, waited),
        Seen::Nothing => match quiet {
            Some(quiet) if quiet >= SURE && (here.is_virtual || !here.has_usb) => Next::Over,
            Some(quiet) if quiet >= SURE => until(SURE + SLOW, quiet),
            _ => Next::Look,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_table() {
        let more = || Seen::More("a hub".into());
        let unknown = || Seen::Unknown("no runtime_usage".into());
        let machine = Circumstances { has_usb: true, ..Circumstances::default() };
        let guest = Circumstances { is_virtual: true, ..machine };
        let arm = Circumstances { is_arm: true, ..machine };
        let forced =
            |seconds| Circumstances { forced: Some(Duration::from_secs(seconds)), ..guest };
        for (here, seen, waited, quiet, expected) in [
            (guest, more(), 0, None, Next::Look),
            (guest, more(), 59_999, None, Next::Look),
            (guest, more(), 60_000, None, Next::Over),
            (guest, Seen::Nothing, 300, None, Next::Look),
            (guest, Seen::Nothing, 350, Some(50), Next::Look),
            (guest, Seen::Nothing, 400, Some(100), Next::Over),
            (machine, Seen::Nothing, 400, Some(100), Next::Linger(MS(5_000))),
            (machine, Seen::Nothing, 5_300, Some(5_000), Next::Linger(MS(100))),
            (machine, Seen::Nothing, 5_400, Some(5_100), Next::Over),
            (Circumstances::default(), Seen::Nothing, 400, Some(100), Next::Over),
            (machine, unknown(), 0, None, Next::Linger(MS(10_000))),
            (guest, unknown(), 10_000, None, Next::Over),
            (arm, unknown(), 10_000, None, Next::Linger(MS(20_000))),
            (forced(0), more(), 0, None, Next::Over),
            (forced(15), Seen::Nothing, 8_000, Some(8_000), Next::Linger(MS(7_000))),
            (forced(15), more(), 15_000, None, Next::Over),
        ] {
            let quiet = quiet.map(MS);
            assert_eq!(
                next(here, &seen, MS(waited), quiet),
                expected,
                "{here:?} {seen:?} {waited}"
            );
        }
    }
}
