//! https with a real TLS server, OpenSSL's: who presents what the system trusts is believed,
//! and nobody else, at once and with the reason.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use health_checker::sys::fetch::Fetcher;
use health_checker::sys::files::Root;

use crate::bed;

/// Made in no time.
const NEW_KEY: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
const SCRIPT: &str = "#!/bin/bash\necho from the server\n";

/// A directory with two authorities, and a script to be served.
pub(crate) struct Office(tempfile::TempDir);

impl Office {
    pub(crate) fn new() -> Self {
        let office = Self(tempfile::tempdir_in("/tmp").unwrap());
        for ca in ["ours", "theirs"] {
            let (key, crt, subject) = (office.key(ca), office.crt(ca), format!("/CN={ca}"));
            let usage = "keyUsage=critical,keyCertSign";
            let new = ["req", "-x509", "-nodes", "-days", "2", "-addext", usage, "-subj", &subject];
            bed::run("openssl", &[&new[..], &NEW_KEY, &["-keyout", &key, "-out", &crt]].concat());
        }
        fs::write(office.dir().join("script"), SCRIPT).unwrap();
        office
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn path(&self, name: &str) -> String {
        self.dir().join(name).to_str().unwrap().to_owned()
    }

    fn key(&self, name: &str) -> String {
        self.path(&format!("{name}.key"))
    }

    fn crt(&self, name: &str) -> String {
        self.path(&format!("{name}.crt"))
    }

    /// A server's certificate, for this name, valid so.
    pub(crate) fn certify(&self, name: &str, valid: &[&str]) -> String {
        let (key, csr, ext) = (self.key("server"), self.path("csr"), self.path("ext"));
        fs::write(&ext, format!("subjectAltName={name}\nbasicConstraints=CA:FALSE\n")).unwrap();
        let new = ["req", "-nodes", "-subj", "/CN=server", "-keyout", &key, "-out", &csr];
        bed::run("openssl", &[&new[..], &NEW_KEY].concat());
        let (ca, ca_key, crt) = (self.crt("ours"), self.key("ours"), self.crt("server"));
        let sign = ["x509", "-req", "-in", &csr, "-CA", &ca, "-CAkey", &ca_key, "-extfile", &ext];
        bed::run("openssl", &[&sign[..], &["-out", &crt], valid].concat());
        crt
    }

    /// A system that trusts this authority.
    pub(crate) fn system(&self, ca: Option<&str>) -> Root {
        let root = self.dir().join(ca.unwrap_or("nobody"));
        if let Some(ca) = ca {
            let bundle = root.join("etc/ssl/certs/ca-certificates.crt");
            fs::create_dir_all(bundle.parent().unwrap()).unwrap();
            fs::copy(self.crt(ca), bundle).unwrap();
        }
        Root::new(root)
    }
}

/// It ends with the test. What it prints must find a reader as long, and its input no end.
pub(crate) struct Server {
    openssl: Child,
    pub(crate) url: String,
    printed: BufReader<ChildStdout>,
    _input: ChildStdin,
}

impl Server {
    /// With what it does (`-WWW` gives files), and what it says by itself to who comes.
    #[expect(clippy::disallowed_methods, reason = "it runs beside the test, and ends with it")]
    pub(crate) fn start(office: &Office, certificate: &str, does: &[&str], says: &str) -> Self {
        let mut openssl = Command::new(program("openssl"));
        openssl.args(["s_server", "-accept", "127.0.0.1:0"]).args(does);
        openssl.args(["-cert", certificate, "-key", &office.key("server")]);
        openssl.current_dir(office.dir()).stdin(Stdio::piped()).stderr(Stdio::null());
        let mut openssl = openssl.stdout(Stdio::piped()).spawn().unwrap();
        let mut input = openssl.stdin.take().unwrap();
        input.write_all(says.as_bytes()).unwrap();
        let printed = BufReader::new(openssl.stdout.take().unwrap());
        let mut server = Self { openssl, url: String::new(), printed, _input: input };
        let line = server.heard("ACCEPT");
        let port = line.trim().rsplit(':').next().unwrap();
        server.url = format!("https://127.0.0.1:{port}");
        server
    }

    /// The next line that it prints which begins so.
    pub(crate) fn heard(&mut self, begin: &str) -> String {
        let mut line = String::new();
        while !line.starts_with(begin) {
            line.clear();
            assert_ne!(self.printed.read_line(&mut line).unwrap(), 0, "it ended");
        }
        line
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.openssl.kill().and_then(|()| self.openssl.wait());
    }
}

fn program(name: &str) -> PathBuf {
    let path = env::var("PATH").unwrap_or_default();
    path.split(':').map(|dir| Path::new(dir).join(name)).find(|it| it.exists()).unwrap()
}

/// A server without TLS, whose every answer is that it is there; its address.
fn redirecting_to(there: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("http://{}/script", listener.local_addr().unwrap());
    let answer = format!("HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n");
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let lines = BufReader::new(&client).lines();
            lines.map(Result::unwrap).take_while(|line| !line.is_empty()).for_each(drop);
            client.write_all(answer.as_bytes()).unwrap();
        }
    });
    here
}

#[test]
fn a_redirection_from_http_to_https_is_followed_to_whom_the_system_trusts() {
    let office = Office::new();
    let certificate = office.certify("IP:127.0.0.1", &["-days", "2"]);
    let token = [("X-Token".to_owned(), "s3cret".to_owned())];
    for (trusted, headers, says) in [
        (Some("ours"), &[][..], None),
        (Some("ours"), &token, None),
        (Some("theirs"), &[], Some("UnknownIssuer")),
        (None, &[], Some("UnknownIssuer")),
        (None, &token, Some("UnknownIssuer")),
    ] {
        let server = Server::start(&office, &certificate, &["-WWW"], "");
        let url = redirecting_to(&format!("{}/script", server.url));
        let trusted = vec![office.system(trusted)];
        let fetcher = Fetcher { trusted, limit: Duration::from_secs(60), most: 1000 };
        let answer = fetcher.fetch_with(&url, headers).map_err(|e| format!("{e:#}"));
        match says {
            None => assert_eq!(answer.unwrap().as_deref(), Some(SCRIPT.as_bytes())),
            Some(says) => assert!(answer.clone().unwrap_err().contains(says), "{answer:?}"),
        }
    }
}

/// Fetches the script from a server that presents this certificate; its error with what
/// stands for the server in it.
fn fetch(office: &Office, certificate: &str, trusted: &[&Root]) -> Result<(), String> {
    let server = Server::start(office, certificate, &["-WWW"], "");
    let url = format!("{}/script", server.url);
    let trusted = trusted.iter().map(|root| Root::new(root.dir())).collect();
    let fetcher = Fetcher { trusted, limit: Duration::from_secs(60), most: 1000 };
    let begun = Instant::now();
    let answer = fetcher.fetch(&url).map_err(|e| format!("{e:#}").replace(&url, "SERVER"));
    assert!(begun.elapsed() < Duration::from_secs(20), "asked again and again: {answer:?}");
    assert_eq!(answer?.as_deref(), Some(SCRIPT.as_bytes()));
    Ok(())
}

#[test]
fn whom_the_system_trusts_is_believed_and_nobody_else() {
    let office = Office::new();
    let [ours, theirs, nobody] = [Some("ours"), Some("theirs"), None].map(|ca| office.system(ca));
    let two_days = ["-days", "2"];
    let certificate = office.certify("IP:127.0.0.1", &two_days);
    for trusted in [&[&ours][..], &[&nobody, &ours], &[&ours, &theirs]] {
        fetch(&office, &certificate, trusted).unwrap();
    }
    // The first that trusts anybody is the one that is asked: the initrd, before the system.
    for (trusted, says) in [
        (&[&theirs][..], "SERVER: invalid peer certificate: UnknownIssuer"),
        (&[&theirs, &ours], "SERVER: invalid peer certificate: UnknownIssuer"),
        (&[&nobody], "SERVER: no trusted certificates: none of /etc/ssl"),
    ] {
        let error = fetch(&office, &certificate, trusted).unwrap_err();
        assert!(error.starts_with(says), "{error}");
    }
    let past = ["-not_before", "20200101000000Z", "-not_after", "20210101000000Z"];
    for (name, valid, says) in [
        ("DNS:another", &two_days[..], "certificate not valid for name"),
        ("IP:127.0.0.1", &past, "certificate expired"),
    ] {
        let certificate = office.certify(name, valid);
        let error = fetch(&office, &certificate, &[&ours]).unwrap_err();
        assert!(error.contains(says) && error.contains("is the machine's clock right?"), "{error}");
    }
}
