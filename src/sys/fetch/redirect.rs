//! Redirections of HTTP's, where they are not the library's own matter.

use ureq::Error;
use ureq::http::header::LOCATION;
use ureq::http::{Response, Uri};

/// Where an answer sends the request on to; `None` if it is no redirection.
///
/// # Errors
/// To no address.
pub(super) fn target<T>(from: &Uri, response: &Response<T>) -> Result<Option<Uri>, Error> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let location = response.headers().get(LOCATION).and_then(|it| it.to_str().ok());
    let to = location.and_then(|it| resolved(from, it).parse().ok());
    to.map(Some).ok_or_else(|| Error::BadUri("redirected to no address".to_owned()))
}

/// A reference as RFC 3986 resolves it (section 5.2), but for `.` and `..` in a path: servers do
/// that themselves.
fn resolved(from: &Uri, reference: &str) -> String {
    let reference = reference.split_once('#').map_or(reference, |(before, _)| before);
    let scheme = from.scheme_str().unwrap_or("http");
    let server = from.authority().map_or("", |it| it.as_str());
    // Behind a `?` another address may stand.
    let path_of = reference.split_once('?').map_or(reference, |(path, _)| path);
    if path_of.contains("://") {
        return reference.to_owned();
    }
    if reference.starts_with("//") {
        return format!("{scheme}:{reference}");
    }
    let path = match reference.chars().next() {
        Some('/') => reference.to_owned(),
        Some('?') => format!("{}{reference}", from.path()),
        _ => {
            let directory = from.path().rsplit_once('/').map_or("", |(directory, _)| directory);
            format!("{directory}/{reference}")
        }
    };
    format!("{scheme}://{server}{path}")
}

/// Whether they have the same scheme, host and port.
pub(super) fn is_same_server(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| {
        uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
    };
    one.scheme() == other.scheme()
        && one.host().map(str::to_lowercase) == other.host().map(str::to_lowercase)
        && port(one) == port(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_servers_told_apart() {
        let from: Uri = "http://a:80/b/c?d".parse().unwrap();
        for (reference, to, is_same) in [
            ("http://A/e", "http://A/e", true),
            ("https://a/e", "https://a/e", false),
            ("http://a:8080/", "http://a:8080/", false),
            ("//other/e", "http://other/e", false),
            ("/e?f=http://x/", "http://a:80/e?f=http://x/", true),
            ("e#g", "http://a:80/b/e", true),
            ("?e", "http://a:80/b/c?e", true),
        ] {
            assert_eq!(resolved(&from, reference), to);
            assert_eq!(is_same_server(&from, &to.parse().unwrap()), is_same, "{to}");
        }
        let answer = |status: u16, location: &str| {
            let answer = Response::builder().status(status).header("location", location);
            target(&from, &answer.body(()).unwrap())
        };
        assert_eq!(answer(200, "/e").unwrap(), None);
        assert_eq!(answer(308, "/e").unwrap().unwrap(), "http://a:80/e");
        assert!(answer(302, "http://a b/").is_err());
    }
}
