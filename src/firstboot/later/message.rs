//! `final_message`, and the variables in texts.

use jiff::Zoned;

use crate::firstboot::outcome::Outcome;
use crate::record::store;
use crate::sys::files::{self, Root};

/// What cloud-init says if nothing else is asked for has these (`cc_final_message`).
#[derive(Clone, Debug)]
struct Facts {
    uptime: String,
    timestamp: String,
    datasource: String,
}

/// Says it, to the journal and the console.
pub(super) fn say(root: &Root, text: &str) {
    let facts = gather(root);
    log::info!("{}", expand(text, |name| facts.value(name)));
}

fn gather(root: &Root) -> Facts {
    let uptime = files::read_text(&root.join("/proc/uptime")).ok().flatten().unwrap_or_default();
    let outcome = Outcome::read(&root.join(store::DIR)).ok().flatten();
    let unknown = || "unknown".to_owned();
    Facts {
        uptime: uptime.split_whitespace().next().map_or_else(unknown, str::to_owned),
        timestamp: jiff::fmt::rfc2822::to_string(&Zoned::now()).unwrap_or_else(|_| unknown()),
        datasource: outcome.and_then(|it| it.source).unwrap_or_else(unknown),
    }
}

impl Facts {
    fn value(&self, name: &str) -> Option<String> {
        match name.to_ascii_lowercase().as_str() {
            "uptime" => Some(self.uptime.clone()),
            "timestamp" => Some(self.timestamp.clone()),
            "datasource" => Some(self.datasource.clone()),
            "version" => Some(env!("CARGO_PKG_VERSION").to_owned()),
            _ => None,
        }
    }
}

/// Puts values in place of `$NAME` and `${NAME}`; what has none stays as it is.
pub(super) fn expand(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        whole += before;
        let (name, end) = name(after);
        if let Some(value) = value(name).filter(|_| !name.is_empty()) {
            whole += &value;
            rest = &after[end..];
        } else {
            whole.push('$');
            rest = after;
        }
    }
    whole + rest
}

/// The name at the beginning, and where what follows it begins.
fn name(text: &str) -> (&str, usize) {
    if let Some((name, _)) = text.strip_prefix('{').and_then(|it| it.split_once('}')) {
        return (name, name.len() + 2);
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_have_their_values_and_the_rest_stays() {
        let facts = Facts {
            uptime: "4.2".into(),
            timestamp: "Thu, 1 Jan 1970 00:00:00 +0000".into(),
            datasource: "stick".into(),
        };
        for (text, expected) in [
            ("up $UPTIME s, ${DATASOURCE}!", "up 4.2 s, stick!"),
            ("$uptime$uptime", "4.24.2"),
            ("$timestamp", "Thu, 1 Jan 1970 00:00:00 +0000"),
            ("costs 5$, $UPTIMES, ${x, $$UPTIME $", "costs 5$, $UPTIMES, ${x, $4.2 $"),
        ] {
            assert_eq!(expand(text, |name| facts.value(name)), expected);
        }
    }
}
