//! A limit for what cannot be given one: calls into the kernel that wait for a disk, a
//! library that waits for ever.

use std::fmt;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Why there is no result.
#[derive(Debug)]
pub enum Missed {
    /// It goes on in its thread, which is left behind.
    Late(Duration),
    /// It panicked.
    Crashed,
    /// It was not begun.
    NoThread(io::Error),
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late(limit) => write!(f, "no answer within {} s", limit.as_secs_f32()),
            Self::Crashed => f.write_str("it crashed"),
            Self::NoThread(e) => write!(f, "cannot start a thread: {e}"),
        }
    }
}

impl std::error::Error for Missed {}

/// Does it in a thread of its own, and waits for that no longer than this. What is late may
/// still happen: it must be as good then as now.
///
/// # Errors
/// See [`Missed`].
pub fn within<T: Send + 'static>(
    limit: Duration,
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Missed> {
    let (sender, result) = mpsc::channel();
    let send = move || {
        // Nobody listens any more if it took too long.
        let _too_late = sender.send(work());
    };
    thread::Builder::new().name(name.to_owned()).spawn(send).map_err(Missed::NoThread)?;
    result.recv_timeout(limit).map_err(|e| match e {
        RecvTimeoutError::Timeout => Missed::Late(limit),
        RecvTimeoutError::Disconnected => Missed::Crashed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_in_time_has_a_result() {
        assert_eq!(within(Duration::from_secs(60), "quick", || 7).unwrap(), 7);
    }

    #[test]
    fn what_does_not_is_left_behind() {
        let (_held, never) = mpsc::channel::<()>();
        let late = within(Duration::from_millis(10), "late", move || never.recv().is_ok());
        assert!(matches!(late, Err(Missed::Late(_))));
        let crashed = within(Duration::from_secs(60), "crash", || assert_eq!(1, 2));
        assert!(matches!(crashed, Err(Missed::Crashed)));
    }
}
