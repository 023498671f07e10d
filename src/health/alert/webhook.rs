//! The webhook: what happened, as JSON, by POST to a server.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ureq::Agent;

use super::Message;
use crate::settings::Webhook;
use crate::sys::tls;

/// How long one try may take; several fit into an alert's time.
const TRY: Duration = Duration::from_secs(4);
/// The first pause between two tries; each one is twice the one before. Early in
/// a boot the network may still be on its way.
const PAUSE: Duration = Duration::from_millis(250);

/// Posts `message`, again if need be, for no longer than `limit`.
pub(super) fn tell(to: &Webhook, message: &Message, limit: Duration) -> Result<()> {
    let deadline = Instant::now() + limit;
    let json = serde_json::to_vec(message).context("no JSON")?;
    let agent = agent(to)?;
    let mut pause = PAUSE;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let problem = match post(&agent, to, &json, left.min(TRY)) {
            Ok(code @ 200..=299) => {
                log::debug!("{to}: {code}");
                return Ok(());
            }
            // Too early, too many, or broken: it may be otherwise in a moment.
            Ok(code @ (408 | 425 | 429 | 500..)) => format!("answers {code}"),
            Ok(code) => bail!("{to}: answers {code}"),
            Err(e) => said(&e),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left <= pause {
            bail!("{to}: {problem}, given up after {} s", limit.as_secs_f32());
        }
        log::debug!("{to}: {problem}, once more");
        thread::park_timeout(pause);
        pause *= 2;
    }
}

fn post(agent: &Agent, to: &Webhook, json: &[u8], limit: Duration) -> Result<u16, ureq::Error> {
    let request = agent
        .post(to.uri())
        .config()
        .timeout_global(Some(limit))
        .build()
        .content_type("application/json");
    Ok(request.send(json)?.status().as_u16())
}

/// An error without the address, part of which is secret.
fn said(e: &ureq::Error) -> String {
    match e {
        ureq::Error::BadUri(_) => "no such address".to_owned(),
        other => other.to_string(),
    }
}

/// Redirects are not followed: a POST would become a GET, or go to somebody else.
fn agent(to: &Webhook) -> Result<Agent> {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls::config(to.uri())?)
        .user_agent(concat!("health-checker/", env!("CARGO_PKG_VERSION")));
    Ok(config.build().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::plan::Alert;
    use crate::sys::test_server::{Server, answer};

    /// One that answers so, one status after the other, and the webhook that leads to it.
    fn server(codes: &[&str]) -> (Webhook, Server) {
        let server = Server::answering(codes.iter().map(|code| answer(code, "", "")));
        (Webhook::try_from(format!("{}/s3cret", server.at)).unwrap(), server)
    }

    #[test]
    fn a_server_that_is_not_ready_is_asked_again() {
        let (to, server) = server(&["503 x", "429 x", "204 x"]);
        tell(&to, &Message::new(&Alert::default()), Duration::from_secs(20)).unwrap();
        let requests: Vec<_> = server.asked.try_iter().collect();
        assert_eq!(requests.len(), 3);
        let last = &requests[2];
        assert!(last.head.starts_with("POST /s3cret HTTP/1.1\r\n"), "{last:?}");
        assert!(last.head.contains("content-type: application/json"), "{last:?}");
        assert!(last.body.contains("\"event\":\"not-acted\""), "{last:?}");
    }

    #[test]
    fn a_refusal_is_final_and_silence_ends_in_time_without_the_secret() {
        let (to, server) = server(&["404 x"]);
        let message = Message::new(&Alert::default());
        let error = tell(&to, &message, Duration::from_secs(20)).unwrap_err().to_string();
        assert!(error.contains("answers 404") && !error.contains("s3cret"), "{error}");
        assert_eq!(server.asked.try_iter().count(), 1);
        let started = Instant::now();
        let error = tell(&to, &message, Duration::from_secs(1)).unwrap_err().to_string();
        assert!(error.contains("given up") && !error.contains("s3cret"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}
