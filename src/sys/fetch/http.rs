//! HTTP: redirects followed, so many; what may be otherwise in a moment is tried again.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use ureq::http::uri::Scheme;
use ureq::http::{Response, Uri};
use ureq::{Agent, Body, Error, ResponseExt};

use super::{Asked, Fetcher, Refused, redirect, without_secrets};
use crate::sys::tls;

/// As many as browsers follow, nearly: more is a circle.
const REDIRECTS: u32 = 10;
const CONNECT: Duration = Duration::from_secs(10);
/// Until the answer begins.
const RESPOND: Duration = Duration::from_secs(30);
/// Between two tries, at first; each pause is twice the one before, up to the second.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// What a try came to, when it is worth another.
struct Again(String);

pub(super) fn fetch(
    fetcher: &Fetcher,
    asked: &Asked<'_>,
    deadline: Instant,
) -> Result<Option<Vec<u8>>> {
    let uri = &asked.uri;
    let agent = agent(fetcher, uri)?;
    let mut pause = PAUSE.0;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Again(problem) = match attempt(&agent, fetcher, asked, left)? {
            Ok(found) => return Ok(found),
            Err(again) => again,
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left <= pause {
            bail!("{problem}; given up after {} s", fetcher.limit.as_secs());
        }
        log::info!(
            "{}: {problem}; trying again in {} s",
            without_secrets(&uri.to_string()),
            pause.as_secs()
        );
        thread::park_timeout(pause);
        pause = (pause * 2).min(PAUSE.1);
    }
}

fn attempt(
    agent: &Agent,
    fetcher: &Fetcher,
    asked: &Asked<'_>,
    left: Duration,
) -> Result<Result<Option<Vec<u8>>, Again>> {
    let uri = &asked.uri;
    let response = match request(agent, asked, left) {
        Ok(response) => response,
        Err(Error::TooManyRedirects) => bail!("more than {REDIRECTS} redirections: a circle?"),
        Err(e @ (Error::BadUri(_) | Error::Tls(_) | Error::Pem(_))) => bail!("{e}"),
        Err(e) => {
            if let Some(e) = tls::problem(&e) {
                // The clock may be wrong as well: say so, since that looks like a forgery.
                bail!("{e} (is the machine's clock right?)");
            }
            return Ok(Err(Again(e.to_string())));
        }
    };
    let downgraded =
        uri.scheme_str() == Some("https") && response.get_uri().scheme_str() != Some("https");
    ensure!(!downgraded, "redirected from https to http, which anybody could have answered");
    match response.status().as_u16() {
        200 => read(response, fetcher.most).map(|it| it.map(Some)),
        404 | 410 => Ok(Ok(None)),
        // Too early, too many, or broken: it may be otherwise in a moment.
        code @ (408 | 425 | 429 | 500..) => Ok(Err(Again(format!("the server answers {code}")))),
        code => Err(Refused::Status(code).into()),
    }
}

/// Asks, and follows redirections. With headers they are followed here, one by one: they are meant
/// for the server that was named, and another one must not learn them.
fn request(agent: &Agent, asked: &Asked<'_>, left: Duration) -> Result<Response<Body>, Error> {
    let deadline = Instant::now() + left;
    let (mut at, mut headers) = (asked.uri.clone(), asked.headers);
    for _ in 0..=REDIRECTS {
        let follows_itself = if headers.is_empty() { REDIRECTS } else { 0 };
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = agent.get(&at);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let config = request.config().timeout_global(Some(left)).max_redirects(follows_itself);
        let response = config.build().call()?;
        if headers.is_empty() {
            return Ok(response);
        }
        let Some(next) = redirect::target(&at, &response)? else { return Ok(response) };
        if !redirect::is_same_server(&at, &next) {
            headers = &[];
        }
        at = next;
    }
    Err(Error::TooManyRedirects)
}

fn read(mut response: Response<Body>, most: u64) -> Result<Result<Vec<u8>, Again>> {
    let kind = response.headers().get("content-type").and_then(|it| it.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    ensure!(!is_page, Refused::Page);
    let mut bytes = Vec::new();
    let mut body = response.body_mut().as_reader().take(most + 1);
    if let Err(e) = body.read_to_end(&mut bytes) {
        return Ok(Err(Again(format!("it broke off after {} bytes: {e}", bytes.len()))));
    }
    ensure!(bytes.len() as u64 <= most, "it is larger than {} MiB", most >> 20);
    Ok(Ok(bytes))
}

fn agent(fetcher: &Fetcher, uri: &Uri) -> Result<Agent> {
    let config = Agent::config_builder()
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(RESPOND))
        .http_status_as_error(false)
        .max_redirects(REDIRECTS)
        .proxy(None)
        .tls_config(tls::config_of(uri, &fetcher.trusted)?)
        .https_only(uri.scheme() == Some(&Scheme::HTTPS))
        .user_agent(concat!("health-checker/", env!("CARGO_PKG_VERSION")));
    Ok(config.build().into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;
    use crate::sys::test_server::{Server, answer};

    fn fetch_within(seconds: u64, url: &str) -> Result<Option<Vec<u8>>, String> {
        let limit = Duration::from_secs(seconds);
        let fetcher = Fetcher { trusted: Vec::new(), limit, most: 20 };
        fetcher.fetch(url).map_err(|e| format!("{e:#}"))
    }

    #[test]
    fn a_broken_server_is_asked_again_and_a_broken_off_answer_too() {
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n#!/b";
        let server = Server::answering([
            answer("500 x", "", ""),
            cut.into(),
            answer("200 OK", "", "#!/bin/sh"),
        ]);
        assert_eq!(fetch_within(20, &server.at).unwrap().as_deref(), Some(&b"#!/bin/sh"[..]));
    }

    #[test]
    fn redirections_are_followed_so_far() {
        let there = answer("302 Found", "Location: /there\r\n", "");
        let server = Server::answering([there.clone(), answer("200 OK", "", "x")]);
        assert_eq!(fetch_within(5, &server.at).unwrap().as_deref(), Some(&b"x"[..]));
        let server = Server::answering(vec![there; 20]);
        assert!(fetch_within(5, &server.at).unwrap_err().contains("more than 10 redirections"));
    }

    #[test]
    fn headers_are_for_the_server_that_was_named() {
        let other = Server::answering([answer("200 OK", "", "x")]);
        let server = Server::answering([
            answer("302 Found", "Location: /there\r\n", ""),
            answer("307 Go", &format!("Location: {}/file\r\n", other.at), ""),
        ]);
        let headers = [("X-Token".to_owned(), "s3cret".to_owned())];
        let limit = Duration::from_secs(20);
        let fetcher = Fetcher { trusted: Vec::new(), limit, most: 20 };
        let got = fetcher.fetch_with(&format!("{}/here", server.at), &headers).unwrap();
        assert_eq!(got.as_deref(), Some(&b"x"[..]));
        for path in ["/here", "/there"] {
            let request = server.asked.recv().unwrap();
            assert!(request.head.starts_with(&format!("GET {path} ")), "{request:?}");
            assert!(request.head.contains("x-token: s3cret"), "{request:?}");
        }
        let head = other.asked.recv().unwrap().head;
        assert!(head.starts_with("GET /file ") && !head.contains("s3cret"), "{head}");
        let circle = Server::answering(vec![answer("302 Found", "Location: /there\r\n", ""); 20]);
        let error = fetcher.fetch_with(&circle.at, &headers).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }

    /// A connection is as far as it must come to be made ready for TLS.
    #[test]
    fn a_redirection_to_https_that_nobody_is_trusted_for_is_an_error() {
        let plain = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = format!("Location: https://{}/\r\n", plain.local_addr().unwrap());
        thread::spawn(move || {
            for client in plain.incoming() {
                client.unwrap().write_all(b"HTTP/1.1 400 This is no TLS\r\n\r\n").unwrap();
            }
        });
        let header = [("X-Token".to_owned(), "s3cret".to_owned())];
        for headers in [&[][..], &header] {
            let server = Server::answering([answer("302 Found", &there, "")]);
            let limit = Duration::from_secs(20);
            let fetcher = Fetcher { trusted: Vec::new(), limit, most: 20 };
            let error = fetcher.fetch_with(&server.at, headers).unwrap_err();
            assert!(format!("{error:#}").contains("received corrupt message"), "{error:#}");
        }
    }

    #[test]
    fn what_a_repetition_would_not_change_is_final() {
        for (answered, says) in [
            (answer("200 OK", "Content-Type: text/html\r\n", "<html>"), "a web page"),
            (answer("200 OK", "", "a line of more than 20"), "it is larger than"),
            (answer("403 No", "", ""), "the server answers 403"),
        ] {
            let error = fetch_within(20, &Server::answering([answered]).at).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let server = Server::answering([answer("404 No", "", "")]);
        assert_eq!(fetch_within(20, &server.at).unwrap(), None);
    }

    #[test]
    fn silence_ends_in_time() {
        let begun = Instant::now();
        let server = Server::answering([]);
        let error = fetch_within(2, &format!("{}/s?secret", server.at)).unwrap_err();
        assert!(error.contains("given up after 2 s") && !error.contains("secret"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
