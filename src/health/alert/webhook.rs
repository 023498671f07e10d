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
    let mut config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("health-checker/", env!("CARGO_PKG_VERSION")));
    if to.is_https() {
        config = config.tls_config(tls::config()?);
    }
    Ok(config.build().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::plan::Alert;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    /// Answers each connection with the next of `codes`; tells what it was sent.
    fn server(codes: Vec<u16>) -> (Webhook, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}/s3cret", listener.local_addr().unwrap());
        let (sender, told) = mpsc::channel();
        thread::spawn(move || {
            for code in codes {
                let (mut client, _) = listener.accept().unwrap();
                let mut request = String::new();
                let mut chunk = [0; 4096];
                while !request.ends_with('}') {
                    let n = client.read(&mut chunk).unwrap();
                    request += std::str::from_utf8(&chunk[..n]).unwrap();
                }
                let answer =
                    format!("HTTP/1.1 {code} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                client.write_all(answer.as_bytes()).unwrap();
                sender.send(request).unwrap();
            }
            thread::park(); // holds the port: later connections hang
        });
        (Webhook::try_from(at).unwrap(), told)
    }

    #[test]
    fn a_server_that_is_not_ready_is_asked_again() {
        let (to, told) = server(vec![503, 429, 204]);
        tell(&to, &Message::new(&Alert::default()), Duration::from_secs(20)).unwrap();
        let requests: Vec<_> = told.try_iter().collect();
        assert_eq!(requests.len(), 3);
        assert!(requests[2].starts_with("POST /s3cret HTTP/1.1\r\n"), "{}", requests[2]);
        assert!(requests[2].to_lowercase().contains("content-type: application/json"));
        assert!(requests[2].contains("\"event\":\"not-acted\""), "{}", requests[2]);
    }

    #[test]
    fn a_refusal_is_final_and_silence_ends_in_time_without_the_secret() {
        let (to, told) = server(vec![404]);
        let message = Message::new(&Alert::default());
        let error = tell(&to, &message, Duration::from_secs(20)).unwrap_err().to_string();
        assert!(error.contains("answers 404") && !error.contains("s3cret"), "{error}");
        assert_eq!(told.recv().unwrap().matches("POST").count(), 1);
        let started = Instant::now();
        let error = tell(&to, &message, Duration::from_secs(1)).unwrap_err().to_string();
        assert!(error.contains("given up") && !error.contains("s3cret"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}
