//! `vendor_data` and `vendor_data2`. Whether the vendor is heard is decided while parts are merged
//! (`userdata`, which has to know before there is a configuration); here is what is wrong with
//! them, and what runs the vendor's scripts.

use super::Context;
use super::reader::Reader;
use crate::firstboot::configuration::Configuration;
use crate::firstboot::yaml::{Node, Value};

/// `prefix` is the first's alone: cloud-init's `cc_scripts_vendor` asks there for all scripts.
const KEYS: [(&str, &[&str]); 2] = [
    ("vendor_data", &["enabled", "disabled_handlers", "prefix"]),
    ("vendor_data2", &["enabled", "disabled_handlers"]),
];

pub(super) fn read(reader: &mut Reader, context: &Context<'_>, to: &mut Configuration) {
    for (name, known) in KEYS {
        let Some(node) = context.get(name).filter(|it| matches!(it.value, Value::Map(_))) else {
            // Anything else switches the vendor off, which is said where that is done.
            continue;
        };
        let Some(fields) = reader.fields(node, name, known) else { continue };
        if let Some(node) = fields.get("enabled") {
            reader.boolean(node, &format!("enabled of {name}"));
        }
        if let Some(node) = fields.get("disabled_handlers") {
            for item in reader.list(node, "disabled_handlers") {
                reader.line(item, "a handler, by its MIME type");
            }
        }
        if let Some(node) = fields.get("prefix").filter(|_| known.contains(&"prefix")) {
            to.vendor_prefix = prefix(reader, node);
        }
    }
}

/// A program, or a list of it and its arguments.
fn prefix(reader: &mut Reader, node: &Node) -> Vec<String> {
    let words = reader.lines(node, "prefix of vendor_data");
    if let (Value::Str(_), [word]) = (&node.value, &words[..])
        && word.value.contains(char::is_whitespace)
    {
        let what = format!(
            "prefix of vendor_data is one program, {:?}, blanks included, as in cloud-init: write \
             a list if they begin its arguments, as in [nice, -n, 19]",
            word.value
        );
        reader.warn(&word.place, what);
    }
    words.into_iter().map(|word| word.value).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::{Defaults, read};
    use crate::firstboot::seed::Seed;
    use crate::firstboot::yaml;

    #[test]
    fn what_runs_the_vendors_scripts() {
        for (text, prefix, says) in [
            ("vendor_data: {enabled: true}", &[][..], &[][..]),
            ("vendor_data: {prefix: null}", &[], &[]),
            ("vendor_data: {prefix: /usr/bin/strace}", &["/usr/bin/strace"], &[]),
            ("vendor_data: {prefix: [nice, -n, 19]}", &["nice", "-n", "19"], &[]),
            (
                "vendor_data: {prefix: nice -n 19}",
                &["nice -n 19"],
                &["u:1:23: warning: prefix of vendor_data is one program, \"nice -n 19\""],
            ),
            (
                "vendor_data:\n  prefix: {a: b}",
                &[],
                &["u:2:11: error: prefix of vendor_data must be text, and this is a mapping"],
            ),
            (
                "vendor_data: {prefix: [nice, true, [x]]}",
                &["nice"],
                &[
                    "u:1:30: error: prefix of vendor_data must be text: ",
                    "u:1:36: error: prefix of",
                ],
            ),
            ("vendor_data: {enabled: maybe}", &[], &["u:1:24: error: enabled of vendor_data must"]),
            (
                "vendor_data: {disabled_handlers: text/x-shellscript}",
                &[],
                &["u:1:34: error: disabled_handlers must be a list"],
            ),
            ("vendor_data: {enabeld: no}", &[], &["did you mean \"enabled\"?"]),
            ("vendor_data2: {enabled: no, disabled_handlers: [text/cloud-config]}", &[], &[]),
            (
                "vendor_data2: {prefix: nice}",
                &[],
                &["u:1:16: warning: vendor_data2 has no key \"prefix\", so it is ignored"],
            ),
        ] {
            let document = yaml::load(text, &Arc::from("u")).unwrap();
            let (configuration, problems) =
                read(&document.root, &Seed::default(), &Defaults::of("ID=opensuse"));
            assert_eq!(configuration.vendor_prefix, prefix, "{text}");
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(problems.len(), says.len(), "{text}: {problems:?}");
            for (problem, says) in problems.iter().zip(says) {
                assert!(problem.contains(says), "{text}: {problem}");
            }
        }
    }
}
