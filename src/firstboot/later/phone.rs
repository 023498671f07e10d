//! `phone_home`: a server is told that the machine is there, as cloud-init's `cc_phone_home` does:
//! by POST of a form.

use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ureq::Agent;
use ureq::http::Uri;

use super::message::expand;
use crate::firstboot::configuration::PhoneHome;
use crate::sys::fetch::without_secrets;
use crate::sys::files::{self, Root};
use crate::sys::tls;

/// How long one try may take.
const TRY: Duration = Duration::from_secs(10);
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(3);
/// What is posted for `all`.
const ALL: [&str; 6] =
    ["pub_key_rsa", "pub_key_ecdsa", "pub_key_ed25519", "instance_id", "hostname", "fqdn"];
/// What is posted for what is not there.
const NONE: &str = "N/A";

/// Posts, as often as asked for until it is taken, and no longer than this.
pub(super) fn tell(
    root: &Root,
    home: &PhoneHome,
    instance_id: &str,
    limit: Duration,
) -> Result<()> {
    let deadline = Instant::now() + limit;
    let url = expand(&home.url, |name| (name == "INSTANCE_ID").then(|| instance_id.to_owned()));
    let form = form(&facts(root, &home.post, instance_id)?);
    let named = without_secrets(&url);
    let agent = agent(root, &url).with_context(|| named.clone())?;
    for attempt in 1..=home.tries.max(1) {
        let left = deadline.saturating_duration_since(Instant::now());
        let posted = post(&agent, &url, &form, left.min(TRY));
        let Some(problem) = why_again(posted).with_context(|| named.clone())? else {
            return Ok(());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if attempt >= home.tries || left <= PAUSE {
            bail!("{named}: {problem}; given up after {attempt} tries");
        }
        log::info!("{named}: {problem}; once more in {} s", PAUSE.as_secs());
        thread::park_timeout(PAUSE);
    }
    bail!("{named}: not tried")
}

/// Why it is to be tried again; `None` if it was taken, an error if trying again is of no use.
fn why_again(posted: Result<u16, ureq::Error>) -> Result<Option<String>> {
    let e = match posted {
        Ok(200..=299) => return Ok(None),
        Ok(code @ 300..=399) => {
            bail!("answers {code}, which leads elsewhere: name that address instead")
        }
        Ok(code) => return Ok(Some(format!("answers {code}"))),
        Err(ureq::Error::BadUri(_)) => bail!("no such address"),
        Err(e) => e,
    };
    Ok(Some(match tls::problem(&e) {
        None => e.to_string(),
        Some(e) if tls::is_of_the_clock(e) => format!("{e} (is the machine's clock right?)"),
        Some(e) => bail!("{e}: nothing is told to whom the system does not trust (see ca_certs)"),
    }))
}

fn post(agent: &Agent, url: &str, form: &str, limit: Duration) -> Result<u16, ureq::Error> {
    let request = agent
        .post(url)
        .config()
        .timeout_global(Some(limit))
        .build()
        .content_type("application/x-www-form-urlencoded");
    Ok(request.send(form)?.status().as_u16())
}

/// Redirects are not followed: a POST would become a GET, with nothing in it. Whom the started
/// system trusts is trusted, and nobody else: what is told names the machine.
fn agent(root: &Root, url: &str) -> Result<Agent> {
    let uri: Uri = url.parse().context("no such address")?;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .tls_config(tls::config_of(&uri, slice::from_ref(root))?)
        .user_agent(concat!("health-checker/", env!("CARGO_PKG_VERSION")));
    Ok(config.build().into())
}

/// What is told, by its names.
fn facts(root: &Root, post: &[String], instance_id: &str) -> Result<Vec<(String, String)>> {
    let mut names: Vec<&str> = post.iter().map(String::as_str).collect();
    if names.is_empty() || names == ["all"] {
        names = ALL.to_vec();
    }
    names.into_iter().map(|name| Ok((name.to_owned(), fact(root, name, instance_id)?))).collect()
}

fn fact(root: &Root, name: &str, instance_id: &str) -> Result<String> {
    let value = match name {
        "instance_id" => Some(instance_id.to_owned()),
        "hostname" => Some(hostname(root)?),
        "fqdn" => Some(fqdn(root)?),
        // Only the public part, and only names that are one: the rest of /etc is not told.
        "pub_key_rsa" | "pub_key_dsa" | "pub_key_ecdsa" | "pub_key_ed25519" => {
            let kind = name.trim_start_matches("pub_key_");
            files::read_text(&root.join(format!("/etc/ssh/ssh_host_{kind}_key.pub")))?
        }
        other => {
            log::warn!(
                "phone_home: {other:?} is nothing that can be told; there are {}",
                ALL.join(", ")
            );
            None
        }
    };
    Ok(value.unwrap_or_else(|| NONE.to_owned()))
}

fn hostname(root: &Root) -> Result<String> {
    let name = files::read_text(&root.join("/proc/sys/kernel/hostname"))?;
    Ok(name.context("the kernel has no hostname")?.trim().to_owned())
}

/// The name with its domain, as `/etc/hosts` has it.
fn fqdn(root: &Root) -> Result<String> {
    let short = hostname(root)?;
    if short.contains('.') {
        return Ok(short);
    }
    let hosts = files::read_text(&root.join("/etc/hosts"))?.unwrap_or_default();
    let of_line = |line: &str| {
        let names = line.split('#').next()?.split_whitespace().skip(1);
        names
            .map(str::to_owned)
            .find(|it| it.strip_prefix(&*short).is_some_and(|it| it.starts_with('.')))
    };
    Ok(hosts.lines().find_map(of_line).unwrap_or(short))
}

/// As HTML forms are encoded (the URL Standard's `application/x-www-form-urlencoded`).
fn form(fields: &[(String, String)]) -> String {
    let encoded = |text: &str| -> String { text.bytes().map(encode).collect() };
    let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    fields.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn encode(byte: u8) -> String {
    match byte {
        b' ' => "+".to_owned(),
        b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::test_server::{Server, answer};

    #[test]
    fn a_server_is_told_until_it_takes_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::new(dir.path());
        let put = |path: &str, text: &str| files::replace(&root.join(path), text.as_bytes(), 0o644);
        put("/proc/sys/kernel/hostname", "box\n").unwrap();
        put("/etc/hosts", "127.0.0.1 localhost # box.no\n127.0.1.1 box.example.org box\n").unwrap();
        put("/etc/ssh/ssh_host_rsa_key.pub", "ssh-rsa A+B/ root@box\n").unwrap();
        let server = Server::answering([answer("500 x", "", ""), answer("200 x", "", "")]);
        let home = PhoneHome {
            url: format!("{}/$INSTANCE_ID/", server.at),
            post: vec!["all".into()],
            tries: 2,
        };
        tell(&root, &home, "i-1", Duration::from_secs(30)).unwrap();
        let told = server.asked.try_iter().last().unwrap();
        assert!(told.head.starts_with("POST /i-1/ HTTP/1.1\r\n"), "{told:?}");
        assert_eq!(
            told.body,
            "pub_key_rsa=ssh-rsa+A%2BB%2F+root%40box%0A&pub_key_ecdsa=N%2FA&\
             pub_key_ed25519=N%2FA&instance_id=i-1&hostname=box&fqdn=box.example.org"
        );
        // Nobody listens any more.
        drop(server);
        let home = PhoneHome { tries: 1, post: vec!["fqdn".into()], ..home };
        let error = tell(&root, &home, "i-1", Duration::from_secs(30)).unwrap_err().to_string();
        assert!(error.contains("given up after 1 tries"), "{error}");
    }
}
