//! snapper's description of a snapshot, `/.snapshots/N/info.xml`.
//!
//! Read and written so that everything that snapper put there stays: unknown
//! elements included, in their order (snapper's `SnapshotImpl.cc` reads by name
//! and ignores order, but a newer snapper may know more than we do).

use std::path::Path;

use anyhow::{Context, Result, bail};
use quick_xml::escape::unescape;
use quick_xml::events::{BytesText, Event};
use quick_xml::{Reader, Writer};

use crate::sys::files;

/// The elements of an info.xml. `userdata` stands apart: it may be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// Simple elements, name and text: `type`, `num`, `date`, `description`, `cleanup` …
    pub fields: Vec<(String, String)>,
    /// Keys and values.
    pub userdata: Vec<(String, String)>,
}

impl Info {
    /// The text of an element.
    pub fn field(&self, name: &str) -> Option<&str> {
        Some(&*self.fields.iter().find(|(key, _)| key == name)?.1)
    }

    /// Sets or, with `None`, removes an element.
    pub fn set_field(&mut self, name: &str, value: Option<&str>) {
        set(&mut self.fields, name, value);
    }

    /// The value of a userdata key.
    pub fn user(&self, key: &str) -> Option<&str> {
        Some(&*self.userdata.iter().find(|(name, _)| name == key)?.1)
    }

    /// Sets or, with `None`, removes a userdata key.
    pub fn set_user(&mut self, key: &str, value: Option<&str>) {
        set(&mut self.userdata, key, value);
    }

    /// Reads a file; `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not snapper's.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        files::read_text(path)?
            .map(|text| parse(&text).with_context(|| path.display().to_string()))
            .transpose()
    }

    /// Replaces the file, durably.
    ///
    /// # Errors
    /// As [`files::replace`].
    pub fn write(&self, path: &Path) -> Result<()> {
        files::replace(path, &self.to_xml()?, 0o600)
    }

    /// The same, durable once the file system is synchronised.
    ///
    /// # Errors
    /// As [`files::replace`].
    pub fn write_unsynced(&self, path: &Path) -> Result<()> {
        files::replace_unsynced(path, &self.to_xml()?, 0o600)
    }

    fn to_xml(&self) -> Result<Vec<u8>> {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        writer.get_mut().extend(b"<?xml version=\"1.0\"?>\n");
        writer.create_element("snapshot").write_inner_content(|writer| {
            for (name, text) in &self.fields {
                writer.create_element(name.as_str()).write_text_content(BytesText::new(text))?;
            }
            for (key, value) in &self.userdata {
                writer.create_element("userdata").write_inner_content(|writer| {
                    writer.create_element("key").write_text_content(BytesText::new(key))?;
                    writer.create_element("value").write_text_content(BytesText::new(value))?;
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        let mut xml = writer.into_inner();
        xml.push(b'\n');
        Ok(xml)
    }
}

fn set(pairs: &mut Vec<(String, String)>, name: &str, value: Option<&str>) {
    match (pairs.iter().position(|(key, _)| key == name), value) {
        (Some(at), Some(value)) => value.clone_into(&mut pairs[at].1),
        (Some(at), None) => {
            pairs.remove(at);
        }
        (None, Some(value)) => pairs.push((name.to_owned(), value.to_owned())),
        (None, None) => {}
    }
}

/// Reads the text of an info.xml: elements two deep below `snapshot`.
fn parse(text: &str) -> Result<Info> {
    let mut reader = Reader::from_str(text);
    let mut info = Info::default();
    let mut path: Vec<String> = Vec::new();
    let mut content = String::new();
    loop {
        match reader.read_event().context("not well-formed XML")? {
            Event::Start(start) => {
                path.push(String::from_utf8_lossy(start.name().as_ref()).into_owned());
                if path == ["snapshot", "userdata"] {
                    info.userdata.push(Default::default());
                }
                content.clear();
            }
            Event::Empty(empty) if path == ["snapshot"] => {
                let name = String::from_utf8_lossy(empty.name().as_ref()).into_owned();
                info.fields.push((name, String::new()));
            }
            Event::Text(text) => content.push_str(&text.decode()?),
            Event::CData(text) => content.push_str(&text.decode()?),
            Event::GeneralRef(reference) => {
                content.push_str(&unescape(&format!("&{};", reference.decode()?))?);
            }
            Event::End(_) => {
                take(&mut info, &path, &content);
                path.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !path.is_empty() || info.fields.is_empty() {
        bail!("no complete <snapshot> in it");
    }
    Ok(info)
}

fn take(info: &mut Info, path: &[String], content: &str) {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (path.as_slice(), info.userdata.last_mut()) {
        (["snapshot", "userdata", "key"], Some((key, _))) => content.clone_into(key),
        (["snapshot", "userdata", "value"], Some((_, value))) => content.clone_into(value),
        (["snapshot", "userdata"] | [_], _) => {}
        (["snapshot", name], _) => info.fields.push(((*name).to_owned(), content.to_owned())),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPPERS: &str = "<?xml version=\"1.0\"?>\n<snapshot>\n  <type>single</type>\n  <num>2</num>\n  \
         <date>2026-11-01 10:00:00</date>\n  <description>a &amp; b</description>\n  \
         <cleanup>number</cleanup>\n  <userdata>\n    <key>important</key>\n    <value>yes</value>\n  \
         </userdata>\n</snapshot>\n";

    #[test]
    fn snappers_own_file_comes_back_byte_for_byte() {
        let info = parse(SNAPPERS).unwrap();
        assert_eq!(info.field("description"), Some("a & b"));
        assert_eq!(info.user("important"), Some("yes"));
        assert_eq!(String::from_utf8(info.to_xml().unwrap()).unwrap(), SNAPPERS);
    }

    #[test]
    fn changes_touch_nothing_else() {
        let mut info = parse(SNAPPERS).unwrap();
        info.set_field("cleanup", None);
        info.set_user("important", None);
        info.set_user("health", Some("good"));
        let back = parse(&String::from_utf8(info.to_xml().unwrap()).unwrap()).unwrap();
        assert_eq!(back, info);
        assert_eq!(back.field("cleanup"), None);
        assert_eq!(back.field("num"), Some("2"));
    }

    #[test]
    fn what_is_not_snappers_is_refused() {
        for text in ["", "<snapshot>", "<snapshot><num>2</num>", "rubbish", "<a><b></a></b>"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
