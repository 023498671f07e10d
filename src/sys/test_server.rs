//! For tests: a small HTTP server that answers as it is told, and tells what it was asked.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;

/// What a client asked.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// All lines before the body, in lower case but for the first.
    pub(crate) head: String,
    /// As long as the head says.
    pub(crate) body: String,
}

impl Request {
    /// The path that was asked for, with its query.
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    fn read(client: &TcpStream) -> io::Result<Self> {
        let mut lines = BufReader::new(client);
        let mut head = String::new();
        lines.read_line(&mut head)?;
        while !head.ends_with("\r\n\r\n") {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            head.push_str(&line.to_lowercase());
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let mut body = vec![0; length.map_or(0, |it| it.trim().parse().unwrap())];
        lines.read_exact(&mut body)?;
        Ok(Self { head, body: String::from_utf8(body).unwrap() })
    }
}

/// A server on a port of its own.
pub(crate) struct Server {
    /// Its address, up to the path: `http://127.0.0.1:PORT`.
    pub(crate) at: String,
    /// What it was asked, in order; each before it was answered.
    pub(crate) asked: Receiver<Request>,
    /// Keeps the port after the last answer: whoever connects then waits for one.
    _listener: Arc<TcpListener>,
}

impl Server {
    /// Answers each request with the next of these, and then no more: as long as it lives it is
    /// silent, and afterwards connections are refused.
    pub(crate) fn answering(answers: impl IntoIterator<Item = String>) -> Self {
        let mut answers: Vec<String> = answers.into_iter().collect();
        let most = answers.len();
        answers.reverse();
        Self::start(most, move |_| answers.pop().unwrap())
    }

    /// Answers every request by this, to the end of the test.
    pub(crate) fn serving(answer: impl FnMut(&Request) -> String + Send + 'static) -> Self {
        Self::start(usize::MAX, answer)
    }

    fn start(most: usize, mut answer: impl FnMut(&Request) -> String + Send + 'static) -> Self {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let at = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = mpsc::channel();
        let shared = Arc::clone(&listener);
        thread::spawn(move || {
            for client in shared.incoming().take(most) {
                let client = client.unwrap();
                let request = Request::read(&client).unwrap();
                // Who does not want to know has let go of the other end.
                drop(sender.send(request.clone()));
                (&client).write_all(answer(&request).as_bytes()).unwrap();
            }
        });
        Self { at, asked, _listener: listener }
    }
}

/// An answer, after which the connection is closed; each of `headers` ends with `\r\n`.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}
