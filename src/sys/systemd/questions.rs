//! The questions for passwords that wait for an answer, as systemd's "Password
//! Agents" specification has them: files `ask.*` in one directory, each with an
//! `[Ask]` section. Read from the files: no service needs to be alive for that.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::sys::files::{self, Root};
use crate::sys::watch::Process;

/// Where they are.
pub const DIR: &str = "/run/systemd/ask-password";

/// Somebody waits for a password.
#[derive(Debug)]
pub struct Question {
    /// What people are asked.
    pub message: String,
    /// How long it has been there, by the clock, which may have been set meanwhile.
    pub age: Duration,
    /// Who asks; `None` where the question does not say.
    pub asker: Option<Process>,
}

/// What a question's file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ask {
    message: String,
    pid: Option<i32>,
    /// By the monotonic clock; none for ever.
    not_after: Option<Duration>,
}

/// The questions that wait for an answer at `now`, by the monotonic clock. What
/// nobody waits for any more, since the time is over or the asker gone, is none.
///
/// # Errors
/// The directory or a file in it cannot be read.
pub fn waiting(root: &Root, now: Duration) -> Result<Vec<Question>> {
    let mut questions = Vec::new();
    for path in files::list(&root.join(DIR))?.iter().filter(|path| is_question(path)) {
        // Answered between the list and now: none any more.
        let Some(text) = files::read_text(path)? else { continue };
        let ask = parse(&text);
        let over = ask.not_after.is_some_and(|end| end <= now);
        let asker = ask.pid.map(Process::find);
        let gone = match &asker {
            Some(Ok(asker)) => asker.as_ref().is_none_or(Process::has_ended),
            // Where that cannot be found out, somebody may be typing.
            Some(Err(_)) | None => false,
        };
        if !over && !gone {
            let asker = asker.and_then(Result::ok).flatten();
            questions.push(Question { message: ask.message, age: age(path), asker });
        }
    }
    Ok(questions)
}

fn is_question(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"ask."))
}

fn age(path: &Path) -> Duration {
    let written = path.metadata().and_then(|it| it.modified()).ok();
    written.and_then(|it| SystemTime::now().duration_since(it).ok()).unwrap_or_default()
}

fn parse(text: &str) -> Ask {
    let mut ask = Ask::default();
    for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
        let value = value.trim();
        match key.trim() {
            "Message" => value.clone_into(&mut ask.message),
            "PID" => ask.pid = value.parse().ok(),
            // Microseconds; 0 is no limit.
            "NotAfter" => {
                let end = value.parse().ok().filter(|end| *end > 0);
                ask.not_after = end.map(Duration::from_micros);
            }
            _ => {}
        }
    }
    ask
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_what_somebody_still_waits_for_is_a_question() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let now = Duration::from_secs(100);
        assert_eq!(waiting(&root, now).unwrap().len(), 0);
        let questions = root.join(DIR);
        fs::create_dir_all(&questions).unwrap();
        let ask = |name: &str, pid: String, end: u64| {
            let text = format!(
                "[Ask]\nPID={pid}\nSocket=/run/s\nAcceptCached=1\nEcho=0\nNotAfter={end}\n\
                 Message=Please enter passphrase for disk {name}:\nIcon=drive\nId=cryptsetup:/dev/x\n"
            );
            fs::write(questions.join(name), text).unwrap();
        };
        let here = std::process::id().to_string();
        ask("ask.for-ever", here.clone(), 0);
        ask("ask.in-time", here.clone(), 100_000_001);
        ask("ask.too-late", here.clone(), 99_000_000);
        ask("ask.gone", "2147483646".to_owned(), 0);
        ask("sck.socket", here.clone(), 0);
        ask(".#ask.unfinished", here, 0);
        let mut found: Vec<_> =
            waiting(&root, now).unwrap().into_iter().map(|it| it.message).collect();
        found.sort();
        let message = |name: &str| format!("Please enter passphrase for disk {name}:");
        assert_eq!(found, [message("ask.for-ever"), message("ask.in-time")]);
    }

    #[test]
    fn a_question_that_says_nothing_is_one() {
        assert_eq!(parse(""), Ask::default());
        assert_eq!(parse("[Ask]\nPID=x\nNotAfter=\nnonsense\n"), Ask::default());
    }
}
