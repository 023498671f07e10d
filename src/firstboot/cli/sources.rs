//! `firstboot sources`: in which order sources are asked, and what is there now.

use std::io::{self, Write};

use anyhow::Result;
use serde::Serialize;

use crate::firstboot::datasource::{self, Seen};
use crate::firstboot::machine::Machine;

/// All of them as JSON; the order of the fields is the order of the keys.
#[derive(Serialize)]
struct Shown<'a> {
    schema: u32,
    sources: Vec<Source<'a>>,
    /// The one whose configuration would be used.
    first: Option<&'a str>,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
    there: &'a [Seen],
    problem: Option<String>,
}

/// Prints them; exit status 0 if there is a configuration, else 1.
pub(super) fn run(machine: &Machine, as_json: bool) -> Result<u8> {
    let sources = datasource::in_order(machine);
    let asked: Vec<_> = sources.iter().map(|source| (source.name(), source.look())).collect();
    let is_usable = |(_, seen): &(&str, Result<Vec<Seen>>)| {
        seen.as_ref().is_ok_and(|seen| seen.iter().any(|it| it.unusable.is_none()))
    };
    // A machine stops at a source that is broken: what comes after it is not asked.
    let first = asked.iter().find(|it| it.1.is_err() || is_usable(it));
    let first = first.filter(|it| is_usable(it)).map(|(name, _)| *name);
    let mut out = io::stdout().lock();
    if as_json {
        serde_json::to_writer_pretty(&mut out, &shown(&asked, first))?;
        writeln!(out)?;
    } else {
        for (name, seen) in &asked {
            table(&mut out, name, seen)?;
        }
    }
    Ok(u8::from(first.is_none()))
}

fn shown<'a>(asked: &'a [(&'a str, Result<Vec<Seen>>)], first: Option<&'a str>) -> Shown<'a> {
    let source = |(name, seen): &'a (&'a str, Result<Vec<Seen>>)| match seen {
        Ok(there) => Source { name, there, problem: None },
        Err(e) => Source { name, there: &[], problem: Some(format!("{e:#}")) },
    };
    Shown { schema: 1, sources: asked.iter().map(source).collect(), first }
}

/// One line for each thing that is there; a source with nothing has one of its own, so
/// that the order is seen.
fn table(out: &mut impl Write, name: &str, seen: &Result<Vec<Seen>>) -> io::Result<()> {
    match seen {
        Err(e) => writeln!(out, "{name:<11} cannot be read: {e:#}"),
        Ok(seen) if seen.is_empty() => writeln!(out, "{name:<11} –"),
        Ok(seen) => seen.iter().try_for_each(|it| match &it.unusable {
            None => writeln!(out, "{name:<11} {}", it.what),
            Some(why) => writeln!(out, "{name:<11} {}: {why}", it.what),
        }),
    }
}
