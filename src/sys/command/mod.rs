//! Running other programs: always with a time limit, never with a terminal,
//! and with an end to what they may print.

mod output;
mod tail;

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

pub use output::{End, Output};
pub use tail::to_stderr;

use tail::Tail;

/// Between two words that a program is still at work, for whoever watches its output.
const PROGRESS: Duration = Duration::from_secs(30);

/// Runs `command` to its end, or to its time limit, after which its whole
/// process group is killed. Standard input is empty.
///
/// # Errors
/// The program could not be started.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Output> {
    run_with_echo(command, limit, None)
}

/// As [`run`], with `input` as standard input: from memory, so that a program
/// that does not read it blocks nobody.
///
/// # Errors
/// The program could not be started.
pub fn run_with_input(command: &mut Command, input: &[u8], limit: Duration) -> io::Result<Output> {
    let memory = memfd_create(c"input", MFdFlags::MFD_CLOEXEC)?;
    let mut file = File::from(memory);
    file.write_all(input)?;
    file.rewind()?;
    supervise(command, file.into(), Stdio::piped(), limit, None)
}

/// As [`run`], with all of its standard output, up to `most` bytes; `Output` then has
/// none of it.
///
/// # Errors
/// The program could not be started, or printed more.
pub fn run_whole(
    command: &mut Command,
    limit: Duration,
    most: u64,
) -> io::Result<(Output, Vec<u8>)> {
    let mut file = File::from(memfd_create(c"output", MFdFlags::MFD_CLOEXEC)?);
    let output = supervise(command, Stdio::null(), file.try_clone()?.into(), limit, None)?;
    if file.metadata()?.len() > most {
        return Err(io::Error::other(format!("it printed more than {most} bytes")));
    }
    file.rewind()?;
    let mut whole = Vec::new();
    file.read_to_end(&mut whole)?;
    Ok((output, whole))
}

/// As [`run`]; each line of both outputs is also handed on as it comes, so that
/// a person at the console sees a long program's progress.
///
/// # Errors
/// The program could not be started.
pub fn run_with_echo(
    command: &mut Command,
    limit: Duration,
    echo: Option<fn(&[u8])>,
) -> io::Result<Output> {
    supervise(command, Stdio::null(), Stdio::piped(), limit, echo)
}

/// Runs `command` to its end, or to its time limit, after which its process group is killed. Its
/// outputs are ours, and what it leaves in the background after an orderly end lives on: for
/// scripts that start something, and expect it to stay. Standard input is empty.
///
/// # Errors
/// The program could not be started.
#[expect(clippy::disallowed_methods, reason = "it gets its limit here")]
pub fn run_and_leave(command: &mut Command, limit: Duration) -> io::Result<End> {
    let mut child = command.stdin(Stdio::null()).process_group(0).spawn()?;
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    match ended.recv_timeout(limit) {
        Ok(status) => Ok(end_of(status?)),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            kill_group(group);
            Ok(End::Timeout(limit))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the place that gives spawn its limit")]
fn supervise(
    command: &mut Command,
    stdin: Stdio,
    stdout: Stdio,
    limit: Duration,
    echo: Option<fn(&[u8])>,
) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
    let mut child =
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped()).process_group(0).spawn()?;
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    let stdout = child.stdout.take().map(|pipe| Tail::of(pipe, echo));
    let stderr = child.stderr.take().map(|pipe| Tail::of(pipe, echo));
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));

    let end = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match ended.recv_timeout(if echo.is_some() { left.min(PROGRESS) } else { left }) {
            Ok(status) => break end_of(status?),
            Err(RecvTimeoutError::Timeout) if left > PROGRESS && echo.is_some() => {
                let since = limit.saturating_sub(left).saturating_add(PROGRESS).as_secs();
                log::info!("still at work after {since} s, of {} s at most", limit.as_secs());
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                break End::Timeout(limit);
            }
        }
    };
    // Also after an orderly end: what it left in its group is not to live on.
    kill_group(group);
    let text = |tail: Option<Tail>| tail.map(Tail::text).unwrap_or_default();
    Ok(Output { end, stdout: text(stdout), stderr: text(stderr) })
}

/// ESRCH, nobody is left, is the usual answer.
fn kill_group(group: Pid) {
    match killpg(group, Signal::SIGKILL) {
        Ok(()) | Err(nix::Error::ESRCH) => {}
        Err(e) => log::warn!("cannot kill process group {group}: {e}"),
    }
}

fn end_of(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Exit(code),
        None => End::Signal(status.signal().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Output {
        run(Command::new("sh").args(["-c", script]), limit).unwrap()
    }

    #[test]
    fn ends_are_told_apart() {
        let second = Duration::from_secs(5);
        assert_eq!(shell("exit 3", second).end, End::Exit(3));
        assert_eq!(shell("kill -9 $$", second).end, End::Signal(9));
        let hung = shell("sleep 100", Duration::from_millis(50));
        assert_eq!(hung.end.to_string(), "no end within 0.05 s, killed");
    }

    #[test]
    fn a_child_left_behind_neither_delays_nor_survives() {
        let started = Instant::now();
        let output = shell("sleep 100 & echo $!", Duration::from_secs(50));
        assert!(started.elapsed() < Duration::from_secs(20));
        let stat = format!("/proc/{}/stat", output.stdout.trim());
        let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z"));
        while runs() {
            assert!(started.elapsed() < Duration::from_secs(20), "still running");
            thread::yield_now();
        }
    }

    #[test]
    fn what_may_live_on_does_and_what_hangs_is_killed() {
        let second = Duration::from_secs(1);
        let dir = tempfile::tempdir().unwrap();
        let run = |script: &str, limit| {
            run_and_leave(Command::new("sh").current_dir(&dir).args(["-c", script]), limit).unwrap()
        };
        let ended = run("sleep 100 >/dev/null 2>&1 & echo $! >left", second * 20);
        assert_eq!(ended, End::Exit(0));
        let left = std::fs::read_to_string(dir.path().join("left")).unwrap();
        let left = Pid::from_raw(left.trim().parse().unwrap());
        nix::sys::signal::kill(left, Signal::SIGKILL).unwrap();
        assert_eq!(run("sleep 100", second / 20), End::Timeout(second / 20));
        assert_eq!(run("exit 4", second * 20), End::Exit(4));
    }

    #[test]
    fn input_is_there_whether_it_is_read_or_not() {
        let input = vec![b'x'; 1 << 20];
        let limit = Duration::from_secs(20);
        let counted = run_with_input(Command::new("wc").arg("-c"), &input, limit).unwrap();
        assert_eq!(counted.stdout.trim(), "1048576");
        assert!(run_with_input(&mut Command::new("true"), &input, limit).unwrap().success());
    }

    #[test]
    fn of_endless_output_the_end_is_kept() {
        let output = shell("yes | head -c 1000000; echo last", Duration::from_secs(50));
        assert!(output.stdout.len() <= tail::KEEP);
        assert_eq!(output.last_line(), "last");
    }
}
