//! What several cloud-configs become. The expected values of `mergers` are those of
//! cloud-init's own mergers (04eacd06, August 2026), run on the same texts.

use std::sync::Arc;

use super::super::{Effective, Kind, Layer, Layers, Part, effective};
use super::{first, read};
use crate::firstboot::problem::{Origin, Problem};
use crate::firstboot::yaml::{self, Node};

fn config(text: &str, at: usize) -> Part {
    Part {
        kind: Kind::CloudConfig,
        name: format!("part-{at:03}"),
        source: Arc::from(format!("p{at}")),
        origin: Origin::default(),
        bytes: text.as_bytes().to_vec(),
        merge: None,
    }
}

fn merged(texts: &[&str]) -> Effective {
    let parts: Vec<Part> = texts.iter().enumerate().map(|(at, it)| config(it, at)).collect();
    effective(&Layers { user: &parts, ..Layers::default() })
}

fn node(text: &str) -> Node {
    yaml::load(text, &Arc::from("expected")).unwrap().root
}

fn same(effective: &Effective, expected: &str, case: &str) {
    assert_eq!(yaml::emit(&effective.config), yaml::emit(&node(expected)), "{case}");
}

#[test]
fn mergers() {
    let append = "merge_how: list(append)+dict(no_replace,recurse_list)+str()";
    let listed = "merge_type: [{name: list, settings: [append]}, {name: dict, settings: \
                  [no_replace, recurse_list]}, {name: str, settings: [append]}]";
    let short = "merge_how: [[list, append], [dict, recurse_array], [str]]";
    for (one, two, how, expected) in [
        // Nothing said: whole keys of a later part.
        ("a: 1\nb: 2", "b: 4\nc: 3", "", "a: 1\nb: 4\nc: 3"),
        ("a: {c: 1, d: 2, e: {z: a}}", "a: {e: {y: 2}}", "", "a: {e: {y: 2}}"),
        ("a: [1, 2]", "a: [3]", "", "a: [3]"),
        // The documentation's example, in its ways to write it.
        ("runcmd: [a, b]", "runcmd: [c, d]", append, "runcmd: [a, b, c, d]"),
        ("runcmd: [a, b]", "runcmd: [c, d]", listed, "runcmd: [a, b, c, d]"),
        ("runcmd: [a, b]", "runcmd: [c, d]", short, "runcmd: [a, b, c, d]"),
        (
            "a: [1]",
            "a: [2]",
            "merge_how: 'dict(recurse_array,no_replace)+list(append)'",
            "a: [1, 2]",
        ),
        ("a: [1]", "a: [2]", "merge_how: 'DICT( Recurse_Array )+ m_list(prepend)'", "a: [2, 1]"),
        ("a: {b: 1}", "a: {b: null}", "merge_how: dict(allow_delete,no_replace)+list()", "a: {}"),
        ("a: {b: 1}", "a: {b: null}", "merge_how: dict()", "a: {b: 1}"),
        (
            "a: 1\nb: 2\nc: 3",
            "a: 3\nc: [1]",
            "merge_how: dict(replace)+list(append)",
            "a: 3\nb: 2\nc: [1]",
        ),
        (
            "a: {u: x, p: [k]}",
            "a: {u: y}",
            "merge_how: dict(recurse_str)+str(append)",
            "a: {u: xy, p: [k]}",
        ),
        ("a: {u: x}", "a: {u: y}", "merge_how: dict(recurse_str)+str()", "a: {u: y}"),
        ("a: {u: x}", "a: {u: y}", "merge_how: dict()+str(append)", "a: {u: x}"),
        // The old one stays; mappings are filled up.
        ("a: 1\nm: {x: 1}", "a: 2\nm: {x: 2, y: 3}", "merge_how: dict()", "a: 1\nm: {x: 1, y: 3}"),
        ("a: [1, 2, 3]", "a: [4]", "merge_how: dict(recurse_list)+list(replace)", "a: [4, 2, 3]"),
        ("a: [1, 2]", "a: [4]", "merge_how: dict(recurse_list)+list(no_replace)", "a: [1, 2]"),
        ("a: [1]", "a: [2]", "merge_how: dict(recurse_list)", "a: [1]"),
        (
            "a: [{x: 1}, 5]",
            "a: [{y: 2}, 6]",
            "merge_how: dict(recurse_list)+list(recurse_dict)",
            "a: [{x: 1, y: 2}, 6]",
        ),
        (
            "a: [[1], b]",
            "a: [[2], c]",
            "merge_how: dict(recurse_list)+list(recurse_list,recurse_str)+str(append)",
            "a: [[2], bc]",
        ),
        ("a: null", "a: {x: 1}", "merge_how: dict()", "a: null"),
        ("a: x", "a: [1]", "merge_how: dict(recurse_list)+list()+str()", "a: [1]"),
        ("a: [1]", "a: x", "merge_how: dict(recurse_str)+list()+str()", "a: x"),
        // Of two that say it, the first.
        (
            "a: [1]",
            "a: [2]",
            "merge_how: dict(recurse_list)+list(append)+list(prepend)",
            "a: [1, 2]",
        ),
        ("a: 1", "a: 2\nmerge_type: dict(replace)", "merge_how: dict()", "a: 1"),
        ("a: 1", "a: 2", "merge_how: null\nmerge_type: dict()", "a: 1"),
    ] {
        let second = format!("{two}\n{how}\n");
        let effective = merged(&[one, &second]);
        same(&effective, expected, &format!("{one} + {second}"));
        assert!(effective.problems.is_empty(), "{second}: {:?}", effective.problems);
    }
}

#[test]
fn many_keys_are_merged_as_few_are() {
    let keys = |value: &str| -> String { (0..20).map(|at| format!("k{at}: {value}\n")).collect() };
    let how = "merge_how: dict(replace,allow_delete)\nk3: null\nk21: 3\n1: x\n'1': z\n";
    let effective = merged(&[&format!("{}k20: 0\n", keys("1")), &format!("{}{how}", keys("2"))]);
    let shown = yaml::emit(&effective.config);
    assert_eq!(shown.matches(": 2\n").count(), 19, "{shown}");
    assert!(!shown.contains("k3:") && shown.contains("k20: 0\nk21: 3\n1: x\n\"1\": z"), "{shown}");
}

#[test]
fn the_header_says_it_for_who_does_not() {
    let header = |text: &str, at| Part {
        merge: Some("list(append)+dict(recurse_list)".to_owned()),
        ..config(text, at)
    };
    for (second, expected) in [
        ("a: [2]", "a: [1, 2]"),
        ("a: [2]\nmerge_how: dict(replace)", "a: [2]"),
        ("a: [2]\nmerge_how: list(prepend)", "a: [2, 1]"),
    ] {
        let parts = [config("a: [1]", 0), header(second, 1)];
        let effective = effective(&Layers { user: &parts, ..Layers::default() });
        same(&effective, expected, second);
    }
}

#[test]
fn what_cannot_be_merged_is_named_and_the_rest_stays() {
    for (second, says) in [
        (
            "merge_how: list",
            "p1:1:12: error: \"list\" is no way of merging: write \"list(append)\"",
        ),
        ("merge_how: set()", "p1:1:12: error: there is no merger \"set\""),
        ("merge_how: list(append)", "p1:1:12: error: no dict(…) is named, without which nothing"),
        ("merge_how: [list, dict]", "p1:1:13: error: text does not say how to merge"),
        ("merge_how: [{name: list}]", "p1:1:13: error: a mapping does not say how to merge"),
        ("merge_how: 3", "p1:1:12: error: a whole number does not say"),
        ("merge_how: dict(deep)", "p1:1:12: warning: dict() knows no \"deep\", and ignores it"),
        (
            "merge_how: dict(recurse_str)+list(append)\na: x",
            "p1:2:4: error: text cannot be merged into the list of p0:1:4",
        ),
        (
            "merge_how: dict(recurse_list)+str(append)\nb: [1]",
            "p1:2:4: error: a list cannot be appended to the text of p0:2:4",
        ),
        (
            "merge_how: dict(recurse_list)+list()\na: [3, 4]",
            "p1:2:8: warning: list(replace) keeps the length of the older list, of p0:1:4",
        ),
        ("[1]", "p1:1:1: error: a cloud-config is a mapping (hostname: x), and this is a list"),
        ("a: [", "p1:1:4: error: this is not YAML"),
        ("", "p1:1:1: warning: this cloud-config is empty"),
    ] {
        let effective = merged(&["a: [1]\nb: x\n", second, "c: 2"]);
        let shown = first(&effective.problems);
        assert!(shown.starts_with(says), "{second}: {shown}");
        assert_eq!(effective.problems.len(), 1, "{second}");
        assert!(effective.config.get("b").is_some() && effective.config.get("c").is_some());
    }
}

#[test]
fn every_value_keeps_its_place() {
    let how = "merge_how: dict(recurse_list)+list(append)\n";
    let effective =
        merged(&["#cloud-config\na: [1]\n", &format!("#cloud-config\n{how}a: [2]\nb: 3")]);
    let items = &effective.config.get("a").unwrap().value;
    let yaml::Value::Seq(items) = items else { panic!("{items:?}") };
    let places: Vec<String> = items.iter().map(|it| it.place.to_string()).collect();
    assert_eq!(places, ["p0:2:5", "p1:3:5"]);
    assert_eq!(effective.config.get("b").unwrap().place.to_string(), "p1:4:4");
}

#[test]
fn keys_about_the_part_itself_are_not_in_it() {
    let effective = merged(&["launch-index: 0\nmerge_how: dict()\nmerge_type: dict()\na: 1"]);
    same(&effective, "a: 1", "");
}

fn program(kind: Kind, name: &str) -> Part {
    Part { kind, name: name.to_owned(), ..config("#!/bin/sh\n", 0) }
}

#[test]
fn the_stronger_layer_wins_key_by_key() {
    let user = [
        config("a: 1\nm: {x: 1}\nl: [1]\n", 1),
        program(Kind::Script, "user"),
        program(Kind::Boothook, "user"),
    ];
    let vendor = [
        vec![
            config("a: 2\nm: {y: 2}\nv: 1\nw: 1", 2),
            program(Kind::Script, "vendor"),
            program(Kind::Boothook, "vendor"),
        ],
        vec![config("a: 3\nm: {x: 3, z: 3}\nl: [3, 3]\nw: 2", 3)],
    ];
    let (datasource, base) = (node("d: 1\nv: 9"), node("d: 2\nm: {x: 9, b: 9}\ne: 1"));
    let layers =
        Layers { user: &user, vendor: &vendor, datasource: Some(&datasource), base: Some(&base) };
    let all = effective(&layers);
    same(&all, "a: 1\nm: {x: 1, z: 3, y: 2, b: 9}\nl: [1]\nw: 2\nv: 1\nd: 1\ne: 1", "layers");
    let names = |programs: &[super::super::Program]| {
        programs.iter().map(|it| (it.layer, it.part.name.clone())).collect::<Vec<_>>()
    };
    let (own, theirs) = ((Layer::User, "user".to_owned()), (Layer::Vendor(0), "vendor".to_owned()));
    assert_eq!(names(&all.scripts), [theirs.clone(), own.clone()]);
    assert_eq!(names(&all.boothooks), [own, theirs]);
}

#[test]
fn the_owner_may_refuse_the_vendor() {
    for (user, base, kept) in [
        ("a: 1", "", "v1 v2 script"),
        ("vendor_data: {enabled: false}", "", "v2"),
        ("vendor_data: {enabled: 'no'}", "", "v2"),
        ("vendor_data: {enabled: 'On'}", "", "v1 v2 script"),
        ("vendor_data: {prefix: x}", "", "v1 v2 script"),
        ("vendor_data: {prefix: x}", "vendor_data: {enabled: false}", "v2"),
        ("vendor_data: {enabled: true}", "vendor_data: {enabled: false}", "v1 v2 script"),
        ("vendor_data: off", "", "v2"),
        ("vendor_data: {enabled: null}", "", "v2"),
        ("vendor_data2: {enabled: false}", "", "v1 script"),
        ("vendor_data: {disabled_handlers: [text/x-shellscript]}", "", "v1 v2"),
    ] {
        // That the vendor wants itself heard does not count.
        let vendor = [
            vec![config("v1: 1\nvendor_data: {enabled: true}", 2), program(Kind::Script, "s")],
            vec![config("v2: 1", 3)],
        ];
        let (user, base) = ([config(user, 1)], node(&format!("{{{base}}}")));
        let layers = Layers { user: &user, vendor: &vendor, base: Some(&base), datasource: None };
        let all = effective(&layers);
        let has = |key| all.config.get(key).is_some().then_some(key);
        let script = (!all.scripts.is_empty()).then_some("script");
        let found: Vec<_> = [has("v1"), has("v2"), script].into_iter().flatten().collect();
        assert_eq!(found.join(" "), kept, "{user:?}");
    }
}

#[test]
fn what_is_not_applied_here_is_refused_by_name() {
    for (text, says) in [
        ("#cloud-config-jsonp\n[]", "a #cloud-config-jsonp, a JSON patch, is not applied here"),
        ("#part-handler\nimport os", "a #part-handler, which is Python code"),
        ("## template: jinja\n#cloud-config\n", "a template that was not rendered"),
    ] {
        let (parts, _) = read(text.as_bytes(), None);
        let all = effective(&Layers { user: &parts, ..Layers::default() });
        assert!(all.problems.iter().all(Problem::is_error));
        let shown = first(&all.problems);
        assert!(shown.starts_with(&format!("user-data:1:1: error: {says}")), "{shown}");
    }
}
