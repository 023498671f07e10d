//! A plan for people, and for programs. No secrets in either.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use similar::TextDiff;

use super::disks::Step;
use super::{Change, Content, NewFile, Plan, Run, later};
use crate::firstboot::configuration::{Later, Owner};
use crate::sys::fetch::without_secrets;
use crate::sys::tree::Tree;

const REDACTED: &str = "(redacted)";
/// Files with hashes of passwords as their second field.
const HASHES: [&str; 2] = ["/etc/shadow", "/etc/gshadow"];
/// Lines of one file's difference that are shown: nobody reads more on a console.
const MOST_LINES: usize = 60;
/// Of larger files no difference is looked for, in bytes: it could take long.
const MOST_BYTES: usize = 256 << 10;

/// What a plan would do to a tree: a line for each change, and the differences of text files.
pub fn show(plan: &Plan, tree: &Tree) -> String {
    let mut shown = String::new();
    for step in &plan.disks {
        shown.push_str(&show_step(step));
    }
    for change in &plan.base {
        shown.push_str(&show_change(change, tree));
    }
    for run in &plan.runs {
        shown.push_str(&show_run(run));
    }
    if !plan.deferred.is_empty() {
        shown.push_str("when all of that is done:\n");
    }
    for change in &plan.deferred {
        shown.push_str(&show_change(change, tree));
    }
    if shown.is_empty() {
        shown.push_str("nothing to do\n");
    }
    shown
}

/// Outside of the transaction: whoever reads a plan is to see what stays.
fn show_step(step: &Step) -> String {
    format!("disks, for good: {}\n", without_control(&step.what))
}

fn show_run(run: &Run) -> String {
    let input = source_of(run).map(|it| format!(" <{it}")).unwrap_or_default();
    let (command, limit) = (run.command.join(" "), run.limit.as_secs());
    format!("run {command}{input}: {} (at most {limit} s)\n", run.reason)
}

/// What a program reads that is still to be fetched.
fn source_of(run: &Run) -> Option<String> {
    match &run.input {
        Some(Content::Fetched { uri, .. }) => Some(without_secrets(uri)),
        Some(Content::Bytes(_)) | None => None,
    }
}

fn show_change(change: &Change, tree: &Tree) -> String {
    match change {
        Change::Directory { path, mode, owner, .. } => {
            format!("directory {} ({mode:04o} {})\n", path.display(), by_name(owner))
        }
        Change::File { path, file } => {
            // Reading fails where the plan fails too, or where nothing is there.
            let old = tree.read(path).ok().flatten();
            let verb = if old.is_some() { "change" } else { "write" };
            headed(verb, path, file) + &difference(path, old.as_deref(), file)
        }
        Change::Append { path, file } => {
            headed("append to", path, file) + &difference(path, None, file)
        }
        Change::Link { path, target } => {
            format!("link {} -> {}\n", path.display(), target.display())
        }
        Change::Remove { path } => format!("remove {}\n", path.display()),
        Change::RandomPassword { user, .. } => {
            format!("password of {user}: at random, said once on the console\n")
        }
    }
}

fn headed(verb: &str, path: &Path, file: &NewFile) -> String {
    let owner = by_name(&file.owner);
    format!("{verb} {} ({:04o} {owner})\n", path.display(), file.mode)
}

fn by_name(owner: &Owner) -> String {
    format!("{}:{}", owner.user, owner.group.as_deref().unwrap_or("root"))
}

/// What is different in a file, indented.
fn difference(path: &Path, old: Option<&[u8]>, file: &NewFile) -> String {
    let bytes = match &file.content {
        Content::Bytes(bytes) => bytes,
        Content::Fetched { uri, .. } => {
            return format!("  (what is at {})\n", without_secrets(uri));
        }
    };
    if path == Path::new(later::FILE) {
        return names_of_later(bytes);
    }
    let is_table = HASHES.iter().any(|it| path == Path::new(it));
    if (is_secret(file) || old.is_some_and(has_private_key)) && !is_table {
        return format!("  {REDACTED}, {} bytes\n", bytes.len());
    }
    let (Some(old), Some(new)) = (text(old.unwrap_or_default()), text(bytes)) else {
        return format!("  ({} bytes)\n", bytes.len());
    };
    if is_table { unified(&without_hashes(old), &without_hashes(new)) } else { unified(old, new) }
}

fn is_secret(file: &NewFile) -> bool {
    file.secret || file.content.bytes().is_ok_and(has_private_key)
}

/// Of any kind, of PEM as well as of `OpenPGP` (`PRIVATE KEY BLOCK`).
fn has_private_key(bytes: &[u8]) -> bool {
    const MARK: &[u8] = b"PRIVATE KEY";
    bytes.windows(MARK.len()).any(|it| it == MARK)
}

fn text(bytes: &[u8]) -> Option<&str> {
    let is_short = bytes.len() <= MOST_BYTES && !bytes.contains(&0);
    std::str::from_utf8(bytes).ok().filter(|_| is_short)
}

fn unified(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = String::new();
    for (count, line) in diff.unified_diff().context_radius(1).to_string().lines().enumerate() {
        if count == MOST_LINES {
            lines.push_str("  …\n");
            break;
        }
        let _infallible = writeln!(lines, "  {}", without_control(line));
    }
    lines
}

/// Control characters could rewrite what a terminal shows before them, a tab aside.
fn without_control(line: &str) -> String {
    let is_shown = |c: char| !c.is_control() || c == '\t';
    line.chars().map(|c| if is_shown(c) { c } else { '\u{fffd}' }).collect()
}

/// The second field of each line, unless it is no hash.
fn without_hashes(text: &str) -> String {
    let redact = |line: &str| -> String {
        let mut fields: Vec<&str> = line.trim_end_matches('\n').split(':').collect();
        if let Some(hash) = fields.get_mut(1).filter(|it| !it.trim_matches(['!', '*']).is_empty()) {
            *hash = REDACTED;
        }
        fields.join(":") + "\n"
    };
    text.split_inclusive('\n').map(redact).collect()
}

/// What runs later, by name: arguments often are tokens.
fn names_of_later(bytes: &[u8]) -> String {
    let Ok(later) = serde_json::from_slice::<Later>(bytes) else {
        return format!("  {REDACTED}\n");
    };
    let mut lines = String::new();
    let mut say = |what: String| {
        lines.push_str("  ");
        lines.push_str(&what);
        lines.push('\n');
    };
    for (kind, count) in [("bootcmd", later.bootcmd.len()), ("runcmd", later.runcmd.len())] {
        if count > 0 {
            say(format!("{kind}: {count} commands"));
        }
    }
    for script in later.boothooks.iter().chain(&later.scripts) {
        say(format!("script {}: {} bytes", script.name, script.text.len()));
    }
    for (kind, is_there) in [
        ("phone_home", later.phone_home.is_some()),
        ("final_message", later.final_message.is_some()),
        ("power_state", later.power_state.is_some()),
    ] {
        if is_there {
            say(kind.to_owned());
        }
    }
    lines
}

impl Plan {
    /// The plan as JSON: `disks`, `base`, `runs` and `deferred`.
    pub fn json(&self) -> Value {
        let changes = |changes: &[Change]| changes.iter().map(json_of).collect::<Vec<_>>();
        let run = |run: &Run| {
            let limit = u64::try_from(run.limit.as_millis()).unwrap_or(u64::MAX);
            json!({
                "command": run.command, "input": source_of(run), "limit_ms": limit,
                "reason": run.reason,
            })
        };
        json!({
            "disks": self.disks.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "base": changes(&self.base),
            "runs": self.runs.iter().map(run).collect::<Vec<_>>(),
            "deferred": changes(&self.deferred),
        })
    }
}

fn json_of(change: &Change) -> Value {
    match change {
        Change::Directory { path, mode, owner, .. } => json!({
            "change": "directory", "path": path, "mode": format!("{mode:04o}"),
            "owner": by_name(owner),
        }),
        Change::File { path, file } => json_of_file("file", path, file),
        Change::Append { path, file } => json_of_file("append", path, file),
        Change::Link { path, target } => json!({"change": "link", "path": path, "target": target}),
        Change::Remove { path } => json!({"change": "remove", "path": path}),
        Change::RandomPassword { user, expire } => {
            json!({"change": "random-password", "user": user, "expire": expire})
        }
    }
}

/// `content` is text, or `base64` where it is none; `source` where it is still to be fetched.
fn json_of_file(change: &str, path: &Path, file: &NewFile) -> Value {
    let mut value = json!({
        "change": change, "path": path, "mode": format!("{:04o}", file.mode),
        "owner": by_name(&file.owner),
    });
    let (key, content) = match &file.content {
        Content::Fetched { uri, .. } => ("source", without_secrets(uri)),
        Content::Bytes(_) if is_secret(file) => ("content", REDACTED.to_owned()),
        Content::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => ("content", text.to_owned()),
            Err(_) => ("base64", STANDARD.encode(bytes)),
        },
    };
    value[key] = Value::String(content);
    value
}
