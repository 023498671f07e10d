//! `~/.ssh/authorized_keys` (sshd(8)).

use std::collections::HashMap;

use anyhow::Result;

use super::{Accounts, Planner, home};
use crate::firstboot::configuration::User;
use crate::firstboot::plan::{Content, NewFile};

/// Adds a user's keys to those that are there.
pub(super) fn plan(planner: &mut Planner, accounts: &Accounts, user: &User) -> Result<()> {
    let name = user.name.value.as_str();
    if user.ssh_keys.is_empty() {
        return Ok(());
    }
    let (Some(home), Some(owner)) = (accounts.passwd.get(name, 5), home::owner(accounts, name))
    else {
        // It could not be made, which was said.
        return Ok(());
    };
    let redirect = user.redirect_to.as_ref().map(|it| &*it.value);
    let mut lines = Vec::new();
    for key in &user.ssh_keys {
        for line in key.value.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match redirect {
                Some(to) => lines.push(redirected(line, name, to)),
                None => lines.push(line.to_owned()),
            }
        }
    }
    let directory = format!("{}/.ssh", home.trim_end_matches('/'));
    let file = format!("{directory}/authorized_keys");
    let before = planner.view.read(&file)?.unwrap_or_default();
    let content = Content::Bytes(merge(&before, &lines));
    // sshd refuses keys that others could have written.
    planner.view.directory(&directory, 0o700, &owner)?;
    planner.view.write(&file, NewFile { content, mode: 0o600, owner, secret: false })
}

/// A key with which nobody logs in, but learns whom to log in as: what cloud-init writes.
fn redirected(line: &str, user: &str, to: &str) -> String {
    let key = key_of(line).map_or(line, |key| key.from_type);
    format!(
        "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login \
         as the user \\\"{to}\\\" rather than the user \\\"{user}\\\".';echo;sleep 10;exit 142\" \
         {key}"
    )
}

/// The lines that were there, and the new ones: a key that is there already is replaced where
/// it stands, so that its new options count.
fn merge(before: &[u8], lines: &[String]) -> Vec<u8> {
    let mut merged: Vec<&[u8]> = before.split(|byte| *byte == b'\n').collect();
    if merged.last().is_some_and(|it| it.is_empty()) {
        merged.pop();
    }
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (at, line) in merged.iter().enumerate() {
        if let Some(key) = std::str::from_utf8(line).ok().and_then(key_of) {
            known.entry(key.blob).or_insert(at);
        }
    }
    for line in lines {
        let blob = key_of(line).map_or(line.as_str(), |key| key.blob);
        if let Some(&at) = known.get(blob) {
            merged[at] = line.as_bytes();
        } else {
            known.insert(blob, merged.len());
            merged.push(line.as_bytes());
        }
    }
    merged.iter().flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// A key in a line.
struct Key<'a> {
    /// The line without options.
    from_type: &'a str,
    /// What makes it this key: base64.
    blob: &'a str,
}

fn key_of(line: &str) -> Option<Key<'_>> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let begin = |text: &'_ str| {
        ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"].iter().any(|it| text.starts_with(it))
    };
    let from_type = if begin(line) { line } else { line[options_end(line)..].trim_start() };
    if !begin(from_type) {
        return None;
    }
    let blob = from_type.split_ascii_whitespace().nth(1)?;
    Some(Key { from_type, blob })
}

/// Options end at the first white space outside of quotes.
fn options_end(line: &str) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in line.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' if !quoted => return at,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    line.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_there_once_with_its_last_options() {
        let before = b"# mine\nssh-rsa AAA old\ncommand=\"echo \\\"a b\\\"\" ssh-ed25519 BBB\nrest";
        for (new, after) in [
            (
                vec![],
                "# mine\nssh-rsa AAA old\ncommand=\"echo \\\"a b\\\"\" ssh-ed25519 BBB\nrest\n",
            ),
            (
                vec!["ssh-rsa AAA new", "ssh-ed25519 BBB", "ssh-rsa CCC", "ssh-rsa CCC again"],
                "# mine\nssh-rsa AAA new\nssh-ed25519 BBB\nrest\nssh-rsa CCC again\n",
            ),
        ] {
            let new: Vec<_> = new.into_iter().map(str::to_owned).collect();
            assert_eq!(String::from_utf8(merge(before, &new)).unwrap(), after);
        }
    }

    #[test]
    fn a_redirected_key_says_whom_to_log_in_as() {
        assert_eq!(
            redirected("no-pty ssh-ed25519 AAA me", "root", "opensuse"),
            "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please \
             login as the user \\\"opensuse\\\" rather than the user \\\"root\\\".';echo;sleep \
             10;exit 142\" ssh-ed25519 AAA me"
        );
    }
}
