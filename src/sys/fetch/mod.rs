//! Fetches a file by its address: http, https, tftp or file; within a time, up to a size,
//! and again where that may help.

mod http;
mod redirect;
mod sum;
mod tftp;

use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use ureq::http::Uri;

pub use sum::{SUM_MARK, Summed, must_have_sum};

use super::files::{self, Root};

/// What is fetched, from where, and how much of it at most.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Where trusted certificates are looked for: the first root that has some.
    pub trusted: Vec<Root>,
    /// How long all tries together may take.
    pub limit: Duration,
    /// How large it may be, in bytes.
    pub most: u64,
}

/// The server's final word: asking again would not change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It will not give this file, with its HTTP status.
    Status(u16),
    /// It gives a page for people instead.
    Page,
}

/// In an error of [`Fetcher`]: what it could not fetch, by its address. Whether that is wrong or
/// right is not known then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfetched(String);

impl fmt::Display for Unfetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A request of HTTP's.
struct Asked<'a> {
    uri: Uri,
    headers: &'a [(String, String)],
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "the server answers {code}"),
            Self::Page => {
                f.write_str("the answer is a web page (text/html), as a login or an error page is")
            }
        }
    }
}

impl std::error::Error for Refused {}

impl Fetcher {
    /// Fetches; `None` if the server is there and has no such file. A sum behind the address
    /// ([`Summed`]) is checked, and no part of what is asked for.
    ///
    /// # Errors
    /// No such scheme; not within the time; larger; not what its sum says; or an answer that a
    /// repetition would not change. The address is named without passwords in it.
    pub fn fetch(&self, url: &str) -> Result<Option<Vec<u8>>> {
        self.fetch_with(url, &[])
    }

    /// As [`Fetcher::fetch`], with these headers in the request, which may be secret: they are
    /// named nowhere, and no server that the request is redirected to gets them.
    ///
    /// # Errors
    /// As [`Fetcher::fetch`]; or it is not HTTP, which alone has headers.
    pub fn fetch_with(&self, url: &str, headers: &[(String, String)]) -> Result<Option<Vec<u8>>> {
        let summed = Summed::of(url).with_context(|| without_secrets(url))?;
        let url = summed.url;
        let found = self.ask(url, headers)?;
        if let Some(bytes) = &found {
            summed.check(bytes).with_context(|| without_secrets(url))?;
        }
        Ok(found)
    }

    fn ask(&self, url: &str, headers: &[(String, String)]) -> Result<Option<Vec<u8>>> {
        let named = || without_secrets(url);
        let deadline = Instant::now() + self.limit;
        let (scheme, rest) = apart(url).with_context(named)?;
        match scheme {
            "http" | "https" => {
                let uri: Uri = url.parse().with_context(|| format!("{} is no address", named()))?;
                http::fetch(self, &Asked { uri, headers }, deadline)
            }
            _ if !headers.is_empty() => bail!("only http and https have headers"),
            "tftp" => tftp::fetch(rest, self.most, deadline),
            _ => local(rest),
        }
        .with_context(|| Unfetched(named()))
    }
}

/// An address apart: how it is fetched, and the rest.
///
/// # Errors
/// There is no such way.
pub fn apart(url: &str) -> Result<(&str, &str)> {
    let (scheme, rest) =
        url.split_once("://").context("it is no address such as https://server/file")?;
    ensure!(
        ["http", "https", "tftp", "file"].contains(&scheme),
        "{scheme}: is no way to fetch a file; there are http, https, tftp and file"
    );
    Ok((scheme, rest))
}

fn local(rest: &str) -> Result<Option<Vec<u8>>> {
    let path = Path::new(rest.strip_prefix("localhost").unwrap_or(rest));
    ensure!(path.is_absolute(), "its path must be absolute, as in file:///path");
    files::read(path)
}

/// An address without user, password and query, which may be secret.
pub fn without_secrets(url: &str) -> String {
    let (before, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(path, _)| (path, "?…"));
    let (server, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let server = server.rsplit_once('@').map_or(server, |(_, server)| server);
    let scheme = if before.is_empty() { String::new() } else { format!("{before}://") };
    format!("{scheme}{server}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (url, shown) in [
            (
                "https://me:s3cret@server:8443/dir/file?token=s3cret",
                "https://server:8443/dir/file?…",
            ),
            ("http://server", "http://server"),
            ("file:///a/b", "file:///a/b"),
            ("tftp://server/a@b", "tftp://server/a@b"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(without_secrets(url), shown);
        }
    }

    #[test]
    fn files_and_what_is_no_address() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        std::fs::write(&path, "content").unwrap();
        let fetcher = Fetcher { trusted: Vec::new(), limit: Duration::from_secs(1), most: 100 };
        let fetch = |url: &str| fetcher.fetch(url);
        let url = format!("file://{}", path.display());
        assert_eq!(fetch(&url).unwrap().as_deref(), Some(&b"content"[..]));
        assert_eq!(fetch(&format!("{url}.none")).unwrap(), None);
        // printf content | sha256sum
        let sum = "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73";
        let found = fetch(&format!("{url}#sha256={sum}")).unwrap();
        assert_eq!(found.as_deref(), Some(&b"content"[..]));
        let other = sum.replace('e', "f");
        let error = format!("{:#}", fetch(&format!("{url}#sha256={other}")).unwrap_err());
        let says = format!("{url}: what is there is not what its address says");
        assert!(error.starts_with(&says) && error.contains(sum) && error.contains(&other));
        for (url, says) in [
            ("server/file", "is no address"),
            ("http://me:s3cret@server/file#sha256=1", "http://server/file#sha256=1: #sha256=1 is"),
            ("ftp://server/file", "ftp: is no way to fetch a file"),
            ("file://server/file", "its path must be absolute"),
        ] {
            let error = format!("{:#}", fetch(url).unwrap_err());
            assert!(error.contains(says), "{error}");
        }
        let headers = [("X-Token".to_owned(), "s3cret".to_owned())];
        let error = format!("{:#}", fetcher.fetch_with(&url, &headers).unwrap_err());
        assert!(error.contains("only http") && !error.contains("s3cret"), "{error}");
    }
}
