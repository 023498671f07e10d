//! A program: exit status 0 passes.

use std::path::Path;
use std::process;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{Check, Context, Finding, Keyed};
use crate::sys::command::{self, End};

/// `{command: [/program, argument, …]}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Command {
    command: Arguments,
}

/// A program by its absolute path, and its arguments. No shell: an update that
/// breaks it must not be able to break the check of something else.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Arguments(Vec<String>);

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let arguments = Vec::<String>::deserialize(from)?;
        match arguments.first() {
            Some(program) if Path::new(program).is_absolute() => Ok(Self(arguments)),
            Some(program) => Err(D::Error::custom(format!("{program:?} is no absolute path"))),
            None => Err(D::Error::custom("no program is named")),
        }
    }
}

impl Keyed for Command {
    const KEY: &'static str = "command";
}

impl Check for Command {
    fn look(&self, context: &Context) -> Finding {
        judge(&self.command.0, context.timeout)
    }
}

/// A program that nobody had to configure: a plugin.
#[derive(Debug)]
pub(super) struct Call(Vec<String>);

impl Call {
    pub(super) fn new(words: Vec<String>) -> Self {
        Self(words)
    }
}

impl Check for Call {
    fn look(&self, context: &Context) -> Finding {
        judge(&self.0, context.timeout)
    }
}

/// Runs it and judges how it ended; the message is its last line.
pub(super) fn judge(arguments: &[String], limit: Duration) -> Finding {
    let [program, rest @ ..] = arguments else {
        return Finding::fail("no program is named");
    };
    match command::run(process::Command::new(program).args(rest), limit) {
        Ok(output) => {
            let said = output.last_line();
            match output.end {
                End::Exit(0) => Finding::pass(said),
                End::Timeout(_) => Finding::timeout(output.end.to_string()),
                end if said.is_empty() => Finding::fail(end.to_string()),
                end => Finding::fail(format!("{end}: {said}")),
            }
        }
        Err(e) => Finding::fail(format!("cannot run {program}: {e}")),
    }
}
