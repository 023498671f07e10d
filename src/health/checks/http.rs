//! A URL answers with the status that it shall.

use std::io::ErrorKind;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use ureq::{Agent, http::Uri};

use super::tcp::is_loopback;
use super::{Check, Context, Finding, Keyed};
use crate::sys::fetch::without_secrets;
use crate::sys::tls;

/// `{http: "http://127.0.0.1:8080/healthz", expect: 200}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    http: Url,
    #[serde(default = "ok")]
    expect: u16,
}

fn ok() -> u16 {
    200
}

#[derive(Debug)]
struct Url(Uri);

impl<'de> Deserialize<'de> for Url {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        match text.parse::<Uri>() {
            Ok(uri) if matches!(uri.scheme_str(), Some("http" | "https")) => Ok(Self(uri)),
            _ => {
                let shown = without_secrets(&text);
                Err(D::Error::custom(format!("{shown:?} is no URL such as http://127.0.0.1/")))
            }
        }
    }
}

impl Serialize for Url {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl Keyed for Http {
    const KEY: &'static str = "http";
}

impl Check for Http {
    fn required(&self) -> bool {
        self.http.0.host().is_some_and(is_loopback)
    }

    /// A redirection is an answer like any other; no proxy stands between.
    fn look(&self, context: &Context) -> Finding {
        let agent = match agent(&self.http.0, context.timeout) {
            Ok(agent) => agent,
            Err(e) => return e.into(),
        };
        match agent.get(&self.http.0).call() {
            Ok(response) => judge(response.status().as_u16(), self.expect),
            Err(ureq::Error::Timeout(_)) => {
                Finding::timeout(format!("no answer within {} s", context.timeout.as_secs_f32()))
            }
            Err(ureq::Error::Io(e)) if e.kind() == ErrorKind::TimedOut => {
                Finding::timeout(e.to_string())
            }
            Err(e) => Finding::fail(e.to_string()),
        }
    }
}

fn agent(uri: &Uri, limit: Duration) -> Result<Agent> {
    let config = Agent::config_builder()
        .timeout_global(Some(limit))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .tls_config(tls::config(uri)?);
    Ok(config.build().into())
}

fn judge(status: u16, expect: u16) -> Finding {
    if status == expect {
        Finding::pass(format!("status {status}"))
    } else {
        Finding::fail(format!("status {status}, not {expect}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::Ending;
    use crate::sys::files::Root;
    use crate::sys::test_server::{Server, answer};
    use std::time::Duration;

    /// A loaded machine may take seconds to answer; only silence is waited for to the end.
    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(300);

    fn found(server: &Server, limit: Duration) -> Finding {
        let check: Http = serde_yaml::from_str(&format!("http: {}/healthz", server.at)).unwrap();
        assert!(check.required());
        check.look(&Context::new(&Root::new("/")).within(limit))
    }

    #[test]
    fn the_status_counts_and_silence_is_a_timeout() {
        for (answer, message) in [
            (answer("200 OK", "", ""), "status 200"),
            (answer("503 No", "", ""), "status 503, not 200"),
            (answer("302 There", "Location: /x\r\n", ""), "status 302, not 200"),
        ] {
            let server = Server::answering([answer]);
            assert_eq!(found(&server, LONG).message, message);
            let asked: Vec<_> = server.asked.try_iter().collect();
            assert_eq!(asked.len(), 1);
            assert!(asked[0].head.starts_with("GET /healthz HTTP/1.1\r\n"), "{asked:?}");
        }
        assert_eq!(found(&Server::answering([]), SHORT).ending, Ending::Timeout);
    }

    #[test]
    fn only_what_can_be_asked_is_a_url() {
        for url in ["ftp://x/", "ftp://u:s3cret@x/?t=s3cret", "x/y", "/x", "''"] {
            let error = serde_yaml::from_str::<Http>(&format!("http: {url}")).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("is no URL") && !error.contains("s3cret"), "{error}");
        }
        assert!(!serde_yaml::from_str::<Http>("http: https://example.com/").unwrap().required());
    }
}
