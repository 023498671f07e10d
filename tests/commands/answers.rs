//! What is no, and what could not be found out.

use crate::bed::Bed;

#[test]
fn without_a_root_nothing_can_be_found_out() {
    let bed = Bed::new(&[("file", ""), ("facts", "{}")]);
    for arguments in [
        "config check",
        "config show",
        "firstboot status",
        "firstboot sources",
        "firstboot sources --facts facts",
        "firstboot detect",
        "firstboot validate facts",
        "status",
        "check",
    ] {
        for (root, why) in [("none", "none: "), ("file", "file: it is no directory")] {
            let told = bed.run(&format!("--root {root} {arguments}"));
            assert!(told.status == Some(3) && told.out.is_empty(), "{arguments}: {told:?}");
            assert!(told.err.contains(&format!("--root {why}")), "{arguments}: {told:?}");
        }
    }
}
