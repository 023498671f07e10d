//! The journal: one entry an event, with a `MESSAGE_ID` by which programs find
//! it and `journalctl -x` explains it (systemd/health-checker.catalog).

use anyhow::{Context, Result};
use log::{Level, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

use super::Message;
use crate::health::plan::Event;
use crate::sys::files::Root;

/// Fixed for ever: what people search for and the catalog explains.
const fn id(event: Event) -> &'static str {
    match event {
        Event::Healthy => "36d5640f16d34b1cbc0b55c14533b133",
        Event::Rollback => "51ace7328f704b2dbfedf6b3290cd07c",
        Event::Fallback => "de4a387db91841cabe966077c0862cea",
        Event::Reboot => "b4983ad6a96241e8b0d2650e95956b35",
        Event::SafeMode => "8fb2027e3fc94785bb3ac50a0f2a492d",
        Event::NotActed => "ab1eb799bbf0466db812a1e1b2ab1bdd",
    }
}

/// Enters `message`; who called us on a terminal is told there as well.
pub(super) fn tell(root: &Root, message: &Message) -> Result<()> {
    let event = message.alert.event;
    let level = if event == Event::Healthy { Level::Info } else { Level::Error };
    let text = message.text.trim_end();
    if !root.is_live() {
        log::log!(level, "{text}");
        return Ok(());
    }
    if !connected_to_journal() {
        log::log!(level, "{text}");
    }
    let failed = message.alert.failed.join("\n");
    let fields = [
        ("MESSAGE_ID", id(event)),
        ("HEALTH_CHECKER_FAILED", failed.as_str()),
        ("HEALTH_CHECKER_DONE", message.alert.done.as_str()),
        ("HEALTH_CHECKER_ADVICE", message.alert.advice.as_str()),
    ];
    JournalLog::new()
        .context("no journal")?
        .with_syslog_identifier("health-checker".to_owned())
        .journal_send(
            &Record::builder()
                .level(level)
                .target(module_path!())
                .args(format_args!("{text}"))
                .key_values(&fields)
                .build(),
        )
        .context("the journal does not take it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_explains_every_event() {
        let catalog = include_str!("../../../systemd/health-checker.catalog");
        let events = [
            Event::Healthy,
            Event::Rollback,
            Event::Fallback,
            Event::Reboot,
            Event::SafeMode,
            Event::NotActed,
        ];
        for event in events {
            let id = id(event);
            assert!(id.len() == 32 && id.bytes().all(|it| it.is_ascii_hexdigit()), "{id}");
            assert_eq!(catalog.matches(&format!("-- {id}\n")).count(), 1, "{event:?} {id}");
        }
        assert_eq!(catalog.matches("\nSubject: ").count(), events.len());
    }
}
