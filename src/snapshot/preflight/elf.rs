//! What a program or a library says of itself, read in pieces: a start waits for
//! this, and of libc's two megabytes four hundred bytes are of interest (System V
//! ABI, chapters 4 and 5).

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use goblin::container::{Container, Ctx};
use goblin::elf::Elf;
use goblin::elf::dynamic::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRTAB, Dyn};
use goblin::elf::header::{ELFMAG, Header};
use goblin::elf::program_header::{PT_DYNAMIC, PT_INTERP, PT_LOAD, ProgramHeader};
use scroll::Pread;

/// Bounds for what a damaged file may claim.
const MOST_BYTES: u64 = 1 << 20;
const MOST_NEEDED: usize = 512;
const MOST_NAME: usize = 4096;

/// A file's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Whether it has 64 bits.
    pub(super) is_64: bool,
    /// `e_machine`.
    pub(super) machine: u16,
    /// The program that loads it.
    pub(super) interpreter: Option<String>,
    /// The libraries that it needs.
    pub(super) needed: Vec<String>,
    /// Where it wants them looked for.
    pub(super) search: Vec<String>,
    /// The size that it should have at least.
    pub(super) extent: u64,
}

/// Reads them; `None` if it is no such file at all.
///
/// # Errors
/// It is one, and damaged: truncated, or its own words make no sense.
pub(super) fn read(file: &File, path: &Path, size: u64) -> Result<Option<Facts>> {
    let mut start = vec![0; usize::try_from(size.min(64)).unwrap_or(64)];
    file.read_exact_at(&mut start, 0).with_context(|| format!("cannot read {}", path.display()))?;
    if !start.starts_with(ELFMAG) {
        return Ok(None);
    }
    parse(file, &start, size).with_context(|| path.display().to_string()).map(Some)
}

fn parse(file: &File, start: &[u8], size: u64) -> Result<Facts> {
    let header = Elf::parse_header(start).context("damaged: its ELF header cannot be read")?;
    let container = header.container().context("damaged: neither 32 nor 64 bits")?;
    let ctx = Ctx::new(container, header.endianness().context("damaged: no byte order")?);
    let segments = segments(file, &header, ctx, size)?;
    let loaded = segments.iter().filter(|it| it.p_type == PT_LOAD);
    let mut extent = loaded.map(|it| it.p_offset.saturating_add(it.p_filesz)).max().unwrap_or(0);
    let sections = u64::from(header.e_shnum) * u64::from(header.e_shentsize);
    extent = extent.max(header.e_shoff.saturating_add(sections));
    ensure!(extent <= size, "truncated: it has {size} bytes of at least {extent}");
    let mut facts = Facts {
        is_64: container == Container::Big,
        machine: header.e_machine,
        extent,
        ..Facts::default()
    };
    if let Some(segment) = segments.iter().find(|it| it.p_type == PT_INTERP) {
        let name = piece(file, segment.p_offset, segment.p_filesz, size)?;
        facts.interpreter = Some(until_nul(&name)?);
    }
    if let Some(segment) = segments.iter().find(|it| it.p_type == PT_DYNAMIC) {
        let table = piece(file, segment.p_offset, segment.p_filesz, size)?;
        dynamic(file, &mut facts, &table, &segments, ctx, size)?;
    }
    Ok(facts)
}

fn segments(file: &File, header: &Header, ctx: Ctx, size: u64) -> Result<Vec<ProgramHeader>> {
    let count = usize::from(header.e_phnum);
    let entry = ProgramHeader::size(ctx);
    ensure!(usize::from(header.e_phentsize) == entry, "damaged: its segments are of no known size");
    let bytes = piece(file, header.e_phoff, (count * entry) as u64, size)?;
    ProgramHeader::parse(&bytes, 0, count, ctx).context("damaged: its segments cannot be read")
}

/// Takes from the dynamic section what the loader goes by.
fn dynamic(
    file: &File,
    facts: &mut Facts,
    table: &[u8],
    segments: &[ProgramHeader],
    ctx: Ctx,
    size: u64,
) -> Result<()> {
    let entry = Dyn::size(ctx.container);
    let entries: Vec<Dyn> = (0..table.len() / entry)
        .map_while(|at| table.pread_with::<Dyn>(at * entry, ctx).ok())
        .take_while(|it| it.d_tag != 0)
        .collect();
    let value = |tag| entries.iter().find(|it| it.d_tag == tag).map(|it| it.d_val);
    let Some(strings) = value(DT_STRTAB).and_then(|address| in_file(address, segments)) else {
        return Ok(()); // without names, it needs nothing
    };
    let name = |at: u64| -> Result<String> {
        let from = strings.checked_add(at).context("damaged: a name lies nowhere")?;
        ensure!(from < size, "damaged: a name lies beyond its end");
        let bytes = piece(file, from, (size - from).min(MOST_NAME as u64), size)?;
        until_nul(&bytes)
    };
    let needed = entries.iter().filter(|it| it.d_tag == DT_NEEDED).take(MOST_NEEDED);
    facts.needed = needed.map(|it| name(it.d_val)).collect::<Result<_>>()?;
    // ld.so(8): RPATH counts only where there is no RUNPATH.
    if let Some(at) = value(DT_RUNPATH).or_else(|| value(DT_RPATH)) {
        let dirs = name(at)?;
        facts.search = dirs.split(':').filter(|it| !it.is_empty()).map(str::to_owned).collect();
    }
    Ok(())
}

/// Where in the file an address lies once the file is loaded.
fn in_file(address: u64, segments: &[ProgramHeader]) -> Option<u64> {
    let loaded = segments.iter().filter(|it| it.p_type == PT_LOAD);
    let mut within = loaded.filter_map(|it| {
        let at = address.checked_sub(it.p_vaddr)?;
        (at < it.p_filesz).then(|| it.p_offset.checked_add(at))?
    });
    within.next()
}

fn piece(file: &File, from: u64, length: u64, size: u64) -> Result<Vec<u8>> {
    let end = from.checked_add(length).context("damaged: a part of it lies nowhere")?;
    ensure!(end <= size, "truncated: it has {size} bytes of at least {end}");
    if length > MOST_BYTES {
        bail!("damaged: a table of {length} bytes");
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    file.read_exact_at(&mut bytes, from).context("cannot be read")?;
    Ok(bytes)
}

fn until_nul(bytes: &[u8]) -> Result<String> {
    let end = bytes.iter().position(|byte| *byte == 0).context("damaged: a name without an end")?;
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn read_bytes(dir: &Path, bytes: &[u8]) -> Result<Option<Facts>> {
        let path = dir.join("file");
        fs::write(&path, bytes).unwrap();
        read(&File::open(&path).unwrap(), &path, bytes.len() as u64)
    }

    /// This test itself is a program of the machine's kind.
    fn program() -> Vec<u8> {
        fs::read("/bin/true").unwrap()
    }

    #[test]
    fn a_real_program_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let facts = read_bytes(dir.path(), &program()).unwrap().unwrap();
        assert!(facts.interpreter.as_ref().unwrap().contains("ld"), "{facts:?}");
        assert!(facts.needed.iter().any(|name| name.starts_with("libc.so")), "{facts:?}");
        assert_eq!(read_bytes(dir.path(), b"#!/bin/sh\n").unwrap(), None);
        assert_eq!(read_bytes(dir.path(), b"").unwrap(), None);
    }

    #[test]
    fn a_cut_anywhere_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let whole = program();
        for part in 1..64 {
            let cut = &whole[..whole.len() * part / 64];
            let said = format!("{:#}", read_bytes(dir.path(), cut).unwrap_err());
            assert!(said.contains("truncated") || said.contains("cannot be read"), "{said}");
        }
    }

    #[test]
    fn no_damage_makes_it_panic() {
        let dir = tempfile::tempdir().unwrap();
        let whole = program();
        let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..2000 {
            let mut bytes = whole.clone();
            for _ in 0..4 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                // The header and the tables are where damage can confuse.
                let at = usize::try_from(random % 1024).unwrap().min(bytes.len() - 1);
                bytes[at] = u8::try_from(random >> 56).unwrap();
            }
            drop(read_bytes(dir.path(), &bytes));
        }
    }
}
