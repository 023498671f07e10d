//! Several files of one server, within one time.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::firstboot::machine::Machine;
use crate::sys::fetch::{Fetcher, Refused, without_secrets};
use crate::sys::files::{MAX_FILE, Root};

/// A file's path in a source, and what is in it.
pub(super) type File = (String, Vec<u8>);

/// A server that is asked for files.
pub(super) struct Remote {
    trusted: Vec<Root>,
    deadline: Instant,
}

impl Remote {
    /// One that may take this long for all of them.
    pub(super) fn new(machine: &Machine, limit: Duration) -> Self {
        let trusted = vec![machine.root.clone(), Root::new(&machine.sysroot)];
        Self { trusted, deadline: Instant::now() + limit }
    }

    /// A file that must be there.
    pub(super) fn required(&self, url: &str) -> Result<Vec<u8>> {
        self.get(url)?.with_context(|| {
            format!("{}: the server has no such file, and it must be there", without_secrets(url))
        })
    }

    /// A file that may be there. Stores of objects answer 403 for what they do not have.
    pub(super) fn optional(&self, url: &str) -> Result<Option<Vec<u8>>> {
        match self.get(url) {
            Err(e) if matches!(e.downcast_ref(), Some(Refused::Status(_))) => {
                log::warn!("{e:#}: going on without it");
                Ok(None)
            }
            other => other,
        }
    }

    /// A file; `None` if the server has no such file.
    pub(super) fn get(&self, url: &str) -> Result<Option<Vec<u8>>> {
        let limit = self.deadline.saturating_duration_since(Instant::now());
        if limit.is_zero() {
            bail!("{}: no time is left for it", without_secrets(url));
        }
        log::info!("fetching {}", without_secrets(url));
        Fetcher { trusted: self.trusted.clone(), limit, most: MAX_FILE }.fetch(url)
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! A server with some files, and a machine that reaches it.

    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::sys::files;
    use crate::sys::test_server::{Server, answer};

    /// The paths that were asked for, in order.
    pub(in super::super) type Asked = Arc<Mutex<Vec<String>>>;

    /// Answers for ever: with these files by their paths, 403 for what contains `forbidden`,
    /// else 404.
    pub(in super::super) fn server(files: &[(&str, &str)]) -> (String, Asked) {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        let files: BTreeMap<_, _> = files.iter().map(owned).collect();
        let asked = Asked::default();
        let noted = Arc::clone(&asked);
        let server = Server::serving(move |request| {
            let path = request.path().to_owned();
            let answered = match files.get(&path) {
                Some(body) => answer("200 OK", "", body),
                None if path.contains("forbidden") => answer("403 No", "", ""),
                None => answer("404 No", "", ""),
            };
            noted.lock().unwrap().push(path);
            answered
        });
        (server.at, asked)
    }

    /// A machine whose network is up, in this directory.
    pub(in super::super) fn machine(dir: &std::path::Path, cmdline: &str) -> Machine {
        let root = Root::new(dir);
        let route = b"Iface\tDestination\tGateway\neth0\t00000000\t0202000A\n";
        files::replace(&root.join("/proc/net/route"), route, 0o644).unwrap();
        Machine::in_dir(dir, cmdline)
    }
}
