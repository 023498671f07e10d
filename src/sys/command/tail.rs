//! The end of what a program prints.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// What is kept of each of a program's outputs. A plugin that prints without
/// end must not take the machine's memory with it; the end of its output says
/// more than the beginning, so the end is kept.
pub(super) const KEEP: usize = 64 << 10;

/// How long to wait for the outputs to be closed once the program has ended:
/// a daemon that it left behind may hold them open for ever.
const DRAIN: Duration = Duration::from_millis(500);

/// The end of what a pipe brought, and a sign that it is closed.
pub(super) struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
    closed: Receiver<()>,
}

impl Tail {
    /// Reads the pipe in a thread of its own: a program that fills one pipe
    /// while nobody reads it would wait for ever.
    pub(super) fn of(mut pipe: impl Read + Send + 'static, echo: Option<fn(&[u8])>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        let (open, closed) = mpsc::channel();
        thread::spawn(move || {
            let _until_the_end: mpsc::Sender<()> = open;
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut chunk) {
                if let Some(echo) = echo {
                    echo(&chunk[..n]);
                }
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&chunk[..n]);
                let surplus = kept.len().saturating_sub(KEEP);
                kept.drain(..surplus);
            }
        });
        Self { kept, closed }
    }

    pub(super) fn text(self) -> String {
        // Both answers are fine: closed, or held open by something left behind.
        let _closed_or_not = self.closed.recv_timeout(DRAIN);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

/// Hands a program's output on to our own standard error, whatever becomes of it.
pub fn to_stderr(bytes: &[u8]) {
    if let Err(e) = io::stderr().write_all(bytes) {
        log::debug!("cannot echo a program's output: {e}");
    }
}
