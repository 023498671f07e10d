//! Alerts: the journal, the message of the day, the login prompt, the consoles,
//! hooks and a webhook. All say the same, none of them can keep the others from
//! being told, and together they take no longer than [`BOUND`].

mod console;
mod hooks;
mod journal;
mod webhook;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::gather;
use super::plan::{Alert, Event};
use crate::settings::Alerts;
use crate::sys::files::{self, Root};

/// An alert delays what follows it, a reboot, by no more than this. What has not
/// been told by then is not told.
pub const BOUND: Duration = Duration::from_secs(10);
/// For what is asked to end by itself, so that it can still say why it did not.
const ALMOST: Duration = Duration::from_millis(9500);

/// Shown after a login (`pam_motd(8)`).
const MOTD: &str = "/run/motd.d/health-checker";
/// Shown before a login (agetty(8)).
const ISSUE: &str = "/run/issue.d/health-checker.issue";

/// What is told, with where and when. The machine's id is not in it: it is not
/// for networks (machine-id(5)).
#[derive(Clone, Debug, Serialize)]
struct Message {
    /// Always 1; keys are only ever added.
    schema: u32,
    /// Everything in the words that people read; the key that chat services take.
    text: String,
    host: String,
    boot: Uuid,
    at: Timestamp,
    #[serde(flatten)]
    alert: Alert,
}

impl Message {
    fn new(alert: &Alert) -> Self {
        let host = nix::unistd::gethostname().unwrap_or_default();
        Self {
            schema: 1,
            text: text(alert),
            host: host.to_string_lossy().into_owned(),
            boot: gather::boot_id(),
            at: Timestamp::now(),
            alert: alert.clone(),
        }
    }
}

fn text(alert: &Alert) -> String {
    let first = match alert.event {
        Event::Fallback => "The last update did not come up.",
        _ => "This system is not healthy.",
    };
    let mut lines = vec![first.to_owned()];
    lines.extend(alert.failed.iter().map(|failed| format!("  failed: {failed}")));
    lines.push(format!("  done:   {}", alert.done));
    lines.push(format!("  to do:  {}", alert.advice));
    lines.join("\n") + "\n"
}

type Channel = (&'static str, Box<dyn FnOnce(&Message) -> Result<()> + Send>);

/// Tells everybody.
///
/// # Errors
/// Some channels did not take it; the others did.
pub fn alert(root: &Root, settings: &Alerts, alert: &Alert) -> Result<()> {
    all(channels(root, settings), &Arc::new(Message::new(alert)), BOUND)
}

/// Enters in the journal that a boot was found healthy.
pub fn healthy(root: &Root, reason: &str) {
    let alert = Alert { event: Event::Healthy, done: reason.to_owned(), ..Alert::default() };
    let message = Message { text: format!("mark good: {reason}"), ..Message::new(&alert) };
    if let Err(e) = journal::tell(root, &message) {
        log::warn!("{e:#}");
    }
}

/// Takes back what an earlier alert of this boot said.
///
/// # Errors
/// It is still shown somewhere.
pub fn withdraw(root: &Root) -> Result<()> {
    files::remove(&root.join(MOTD))?;
    files::remove(&root.join(ISSUE))
}

/// Writes a line on every console, for what is no alert.
///
/// # Errors
/// One of them did not take it.
pub fn on_consoles(root: &Root, text: &str) -> Result<()> {
    console::say(root, &format!("health-checker: {text}\n"))
}

fn channels(root: &Root, settings: &Alerts) -> Vec<Channel> {
    let shown = |file: &'static str| {
        let path = root.join(file);
        move |message: &Message| files::replace(&path, message.text.as_bytes(), 0o644)
    };
    let (journal, console) = (root.clone(), root.clone());
    let hooks = root.join(&settings.hooks);
    let mut channels: Vec<Channel> = vec![
        ("journal", Box::new(move |message| journal::tell(&journal, message))),
        ("message of the day", Box::new(shown(MOTD))),
        ("login prompt", Box::new(shown(ISSUE))),
        ("consoles", Box::new(move |message| console::tell(&console, message))),
        ("hooks", Box::new(move |message| hooks::tell(&hooks, message, ALMOST))),
    ];
    if let Some(to) = settings.webhook.clone() {
        channels.push(("webhook", Box::new(move |message| webhook::tell(&to, message, ALMOST))));
    }
    channels
}

/// A thread each: one that hangs, or panics, is left behind.
fn all(channels: Vec<Channel>, message: &Arc<Message>, bound: Duration) -> Result<()> {
    let deadline = Instant::now() + bound;
    let (sender, results) = mpsc::channel();
    let mut waiting = BTreeSet::new();
    let mut failed = Vec::new();
    for (name, tell) in channels {
        let (sender, message) = (sender.clone(), Arc::clone(message));
        let told = move || sender.send((name, tell(&message)));
        match thread::Builder::new().spawn(told) {
            Ok(_) => drop(waiting.insert(name)),
            Err(e) => failed.push(format!("{name}: {e}")),
        }
    }
    drop(sender);
    while !waiting.is_empty() {
        match results.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok((name, result)) => {
                waiting.remove(name);
                failed.extend(result.err().map(|e| format!("{name}: {e:#}")));
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    failed.extend(waiting.iter().map(|name| format!("{name}: did not end")));
    if failed.is_empty() { Ok(()) } else { Err(anyhow!(failed.join("; "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Arc<Message> {
        Arc::new(Message::new(&Alert {
            event: Event::SafeMode,
            failed: vec!["db: corrupt".to_owned()],
            done: "safe mode: because".to_owned(),
            advice: "repair it".to_owned(),
        }))
    }

    #[test]
    fn one_that_hangs_and_one_that_panics_keep_nobody_from_being_told() {
        let (sender, told) = mpsc::channel();
        let channels: Vec<Channel> = vec![
            (
                "hangs",
                Box::new(|_| {
                    loop {
                        thread::park();
                    }
                }),
            ),
            ("panics", Box::new(|_| panic!("on purpose"))),
            ("fails", Box::new(|_| Err(anyhow!("no paper")))),
            ("works", Box::new(move |it| Ok(sender.send(it.alert.done.clone())?))),
        ];
        let started = Instant::now();
        let error = all(channels, &message(), Duration::from_secs(3)).unwrap_err().to_string();
        assert!(started.elapsed() < Duration::from_secs(30));
        assert_eq!(told.recv().unwrap(), "safe mode: because");
        assert_eq!(error, "fails: no paper; hangs: did not end; panics: did not end");
    }

    #[test]
    fn files_and_json_say_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let settings = Alerts::default();
        alert(&root, &settings, &message().alert).unwrap();
        let motd = std::fs::read_to_string(root.join(MOTD)).unwrap();
        assert_eq!(motd, std::fs::read_to_string(root.join(ISSUE)).unwrap());
        let json = serde_json::to_value(&*message()).unwrap();
        assert_eq!(json["text"], motd);
        assert_eq!(json["event"], "safe-mode");
        for key in ["schema", "host", "boot", "at", "failed", "done", "advice"] {
            assert!(!json[key].is_null(), "{key}: {json}");
        }
        withdraw(&root).unwrap();
        assert!(!root.join(MOTD).exists() && !root.join(ISSUE).exists());
    }
}
