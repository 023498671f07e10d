//! Where messages go: the journal's own socket where standard error is the
//! journal, otherwise plain lines on standard error.

use std::io::Write;

use log::{LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, _: &Metadata) -> bool {
        true
    }

    fn log(&self, record: &Record) {
        // A closed standard error is no reason to stop: nobody is listening.
        let _closed = writeln!(std::io::stderr(), "health-checker: {}", record.args());
    }

    fn flush(&self) {}
}

/// Sets the logger up, once, at the start of the program.
pub fn init(level: LevelFilter) {
    let to_journal = connected_to_journal()
        && JournalLog::new().is_ok_and(|log| {
            log.with_syslog_identifier("health-checker".to_owned()).install().is_ok()
        });
    if !to_journal && log::set_logger(&Stderr).is_err() {
        return; // a logger is there already: keep it
    }
    log::set_max_level(level);
}
