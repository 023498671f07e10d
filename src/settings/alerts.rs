//! `alerts:`, who is told beside the journal, the console and those who log in.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};
use ureq::http::Uri;

/// Where hooks are looked for if nothing else is said.
const HOOKS: &str = "/etc/health-checker/alert.d";

/// `alerts:` as a file has it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct AlertsFragment {
    hooks: Option<Hooks>,
    webhook: Option<Webhook>,
}

/// `alerts:`, validated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alerts {
    /// A directory of programs, each called with what happened.
    pub hooks: PathBuf,
    /// A server that is sent what happened.
    pub webhook: Option<Webhook>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self { hooks: HOOKS.into(), webhook: None }
    }
}

impl Alerts {
    /// Takes what a file says, and returns the keys that it sets.
    pub(super) fn merge(&mut self, fragment: AlertsFragment) -> Vec<&'static str> {
        let mut set = Vec::new();
        if let Some(Hooks(dir)) = fragment.hooks {
            self.hooks = dir;
            set.push("alerts.hooks");
        }
        if fragment.webhook.is_some() {
            self.webhook = fragment.webhook;
            set.push("alerts.webhook");
        }
        set
    }
}

/// An absolute path: relative to what, in a service, nobody would guess.
#[derive(Debug, Deserialize)]
#[serde(try_from = "PathBuf")]
struct Hooks(PathBuf);

impl TryFrom<PathBuf> for Hooks {
    type Error = String;

    fn try_from(path: PathBuf) -> Result<Self, String> {
        if path.is_absolute() {
            Ok(Self(path))
        } else {
            Err(format!("alerts.hooks: {} is no absolute path", path.display()))
        }
    }
}

/// An address to post to. Path and query are often the password of such an
/// address (chat services): they are shown nowhere.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Webhook(Uri);

impl Webhook {
    /// The whole address, for the request alone.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

impl TryFrom<String> for Webhook {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let scheme = text.split_once("://").map_or("nothing", |(scheme, _)| scheme);
        let uri: Uri = text.parse().map_err(|e| format!("alerts.webhook: is no address: {e}"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(format!("alerts.webhook: begins with {scheme}, not http:// or https://"));
        }
        match uri.authority() {
            Some(it) if it.as_str().contains('@') => {
                Err("alerts.webhook: a user's name and password are not supported".to_owned())
            }
            Some(it) if !it.host().is_empty() => Ok(Self(uri)),
            _ => Err("alerts.webhook: names no host".to_owned()),
        }
    }
}

impl fmt::Display for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.0.scheme_str().unwrap_or_default();
        let host = self.0.authority().map_or("", |it| it.as_str());
        let rest =
            if self.0.path() == "/" && self.0.query().is_none() { "" } else { "/(redacted)" };
        write!(f, "{scheme}://{host}{rest}")
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Webhook {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_part_of_an_address_is_never_shown() {
        let hook = Webhook::try_from("https://chat.example/T0/s3cret?k=s3cret".to_owned()).unwrap();
        for shown in [hook.to_string(), format!("{hook:?}"), serde_json::to_string(&hook).unwrap()]
        {
            assert!(shown.contains("https://chat.example/(redacted)"), "{shown}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_telling_it() {
        for (text, why) in [
            ("ftp://host/s3cret", "begins with ftp"),
            ("host/s3cret", "no address"),
            ("/s3cret", "begins with nothing"),
            ("https://", "no address"),
            ("https://user:s3cret@host/", "password"),
            ("http://ho st/s3cret", "no address"),
        ] {
            let error = Webhook::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains(why) && !error.contains("s3cret"), "{text}: {error}");
        }
    }
}
