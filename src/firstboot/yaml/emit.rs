//! Values back to YAML, such that this reader and a reader of YAML 1.2 agree on them.

use base64::Engine;

use super::{Node, Value, resolve};

/// As block YAML, with a line end.
pub fn emit(node: &Node) -> String {
    let mut out = String::new();
    value(&mut out, node, 0);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Writes a value that begins where the cursor is; `indent` is that of what lies in it.
fn value(out: &mut String, node: &Node, indent: usize) {
    match &node.value {
        Value::Seq(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                begin(out, indent, at > 0);
                out.push_str("- ");
                value(out, item, indent + 2);
                line_end(out);
            }
        }
        Value::Map(pairs) if !pairs.is_empty() => {
            for (at, (key, child)) in pairs.iter().enumerate() {
                begin(out, indent, at > 0);
                self::key(out, key, indent);
                out.push(':');
                if is_block(child) {
                    out.push('\n');
                    out.push_str(&" ".repeat(indent + 2));
                } else {
                    out.push(' ');
                }
                value(out, child, indent + 2);
                line_end(out);
            }
        }
        _ => scalar(out, node, indent),
    }
}

/// A key is on one line, or a `:` would follow a block; a long one is marked by `?`.
fn key(out: &mut String, key: &Node, indent: usize) {
    /// YAML has no key of more characters without the mark.
    const LONGEST: usize = 1024;
    let mut written = String::new();
    match &key.value {
        Value::Str(text) => line(&mut written, text),
        _ => scalar(&mut written, key, indent),
    }
    if written.chars().count() <= LONGEST {
        return out.push_str(&written);
    }
    out.push_str("? ");
    out.push_str(&written);
    out.push('\n');
    out.push_str(&" ".repeat(indent));
}

fn is_block(node: &Node) -> bool {
    match &node.value {
        Value::Seq(items) => !items.is_empty(),
        Value::Map(pairs) => !pairs.is_empty(),
        _ => false,
    }
}

fn begin(out: &mut String, indent: usize, again: bool) {
    if again {
        out.push_str(&" ".repeat(indent));
    }
}

fn line_end(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}

fn scalar(out: &mut String, node: &Node, indent: usize) {
    match &node.value {
        Value::Null => out.push_str("null"),
        Value::Bool(it) => out.push_str(if *it { "true" } else { "false" }),
        Value::Int(it) => out.push_str(&it.to_string()),
        Value::Float(it) if it.is_nan() => out.push_str(".nan"),
        Value::Float(it) if it.is_infinite() => {
            out.push_str(if *it > 0.0 { ".inf" } else { "-.inf" });
        }
        Value::Float(it) => out.push_str(&float(*it)),
        Value::Bytes(bytes) => {
            out.push_str("!!binary ");
            out.push_str(&base64::engine::general_purpose::STANDARD.encode(bytes));
        }
        Value::Seq(_) => out.push_str("[]"),
        Value::Map(_) => out.push_str("{}"),
        Value::Str(text) => string(out, text, indent),
    }
}

/// With a sign in the exponent, without which YAML 1.1 takes it for text.
fn float(number: f64) -> String {
    let text = format!("{number:?}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
        None => text,
    }
}

fn string(out: &mut String, text: &str, indent: usize) {
    if is_literal(text) {
        out.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
        for line in text.lines() {
            if !line.is_empty() {
                out.push_str(&" ".repeat(indent.max(2)));
                out.push_str(line);
            }
            out.push('\n');
        }
        return;
    }
    line(out, text);
}

/// Text on one line.
fn line(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => escape(out, &format!("x{:02x}", u32::from(c))),
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                escape(out, &format!("u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, code: &str) {
    out.push('\\');
    out.push_str(code);
}

/// Several lines that a block shows as they are.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.ends_with('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && text.chars().all(|c| matches!(c, '\n' | '\t' | ' '..='~' | '\u{a0}'..='\u{1fff}'))
}

/// Text that nobody takes for anything else without quotes.
fn is_plain(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_');
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "/_.-+=@ ,()~^$".contains(c);
    begins
        && !text.ends_with(' ')
        && text.chars().all(is_safe)
        && matches!(resolve::plain(text), Value::Str(_))
        && !matches!(text, "y" | "Y" | "n" | "N")
}
