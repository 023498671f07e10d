//! `write_files`.

use super::{clean, problems_begin};
use crate::firstboot::configuration::FileContent;

#[test]
fn what_is_wrong_is_named_with_place_and_remedy() {
    problems_begin(&[
        ("write_files: [{path: a}]", "u:1:22: error: path \"a\" must be an absolute path"),
        ("write_files: [{path: /a/../b}]", "u:1:22: error: path \"/a/../b\" must be"),
        ("write_files: [{content: a}]", "u:1:15: error: a file has no path"),
        (
            "write_files: [{path: /a, permissions: 644}]",
            "u:1:39: warning: 644 is a decimal number, so that the mode becomes 0o1204: write \"0644\"",
        ),
        (
            "write_files: [{path: /a, permissions: rw}]",
            "u:1:39: error: permissions must be a mode in octal",
        ),
        (
            "write_files: [{path: /a, permissions: '77777'}]",
            "u:1:39: error: permissions must be a mode",
        ),
        (
            "write_files: [{path: /a, encoding: b64, content: '%'}]",
            "u:1:50: error: content is not b64",
        ),
        ("write_files: [{path: /a, encoding: gz, content: x}]", "u:1:49: error: content is not gz"),
        (
            "write_files: [{path: /a, encoding: rot13, content: x}]",
            "u:1:36: warning: encoding \"rot13\" is not known",
        ),
        (
            "users: [bob]\nwrite_files: [{path: /a, owner: bob}]",
            "u:2:33: warning: user \"bob\" is made after files are written",
        ),
        (
            "write_files: [{path: /a, source: {uri: 'http://a', headers: {'a b': c}}}]",
            "u:1:62: error: \"a b\" is no name of a header",
        ),
        (
            "write_files: [{path: /a, source: {uri: 'http://a', headers: {a: \"b\\ec\"}}}]",
            "u:1:65: error: the header a has characters that none can have",
        ),
        (
            "write_files: [{path: /a, source: {uri: 'http://a', headers: {Content-Length: 9}}}]",
            "u:1:62: error: the header Content-Length cannot be set",
        ),
    ]);
}

#[test]
fn files_in_every_encoding() {
    // printf hello | gzip -n | base64
    let packed = "H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==";
    for (encoding, content) in [
        ("text/plain", "hello".to_owned()),
        ("b64", "aGVsbG8=".to_owned()),
        ("base64", "'aGVs\n\n  bG8='".to_owned()),
        ("gz+b64", packed.to_owned()),
        ("gzip+base64", packed.to_owned()),
        ("gz", format!("!!binary {packed}")),
        ("gzip", format!("!!binary {packed}")),
    ] {
        let text = format!(
            "write_files:\n- path: /etc/x\n  permissions: 0600\n  owner: root:adm\n  append: yes\n  \
             encoding: {encoding}\n  content: {content}\n"
        );
        let config = clean(&text);
        let file = &config.files[0];
        assert_eq!(file.content, FileContent::Bytes(b"hello".to_vec()), "{encoding}");
        assert_eq!((file.mode, file.append, file.defer), (0o600, true, false));
        let owner = &file.owner.as_ref().unwrap().value;
        assert_eq!((&*owner.user, owner.group.as_deref()), ("root", Some("adm")));
    }
    for (permissions, mode) in
        [("'0755'", 0o755), ("'755'", 0o755), ("0o755", 0o755), ("493", 0o755)]
    {
        let config = clean(&format!("write_files: [{{path: /a, permissions: {permissions}}}]"));
        assert_eq!(config.files[0].mode, mode, "{permissions}");
    }
    assert_eq!(clean("write_files: [{path: /a}]").files[0].content, FileContent::Bytes(Vec::new()));
}
