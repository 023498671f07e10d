//! IMA, the integrity measurement architecture of the kernel.

use super::Part;
use crate::sys::cmdline::Cmdline;

/// What the record calls it.
pub(super) const KEY: &str = "ima";

/// `policy` cannot be read on every kernel; where it can, and is empty, there is none.
pub(super) fn judge(there: bool, empty: bool, cmdline: &Cmdline, before: Option<&str>) -> Part {
    let asked = ["ima_policy", "ima_tcb", "ima_appraise", "ima_appraise_tcb"];
    let Some(word) = asked.into_iter().find(|word| cmdline.has(word)) else {
        return before.filter(|_| !there).map(|_| {
            (false, "IMA is gone, it was there at the last healthy boot".to_owned(), None)
        });
    };
    match (there, empty) {
        (false, _) => Some((false, format!("{word} asks for IMA, which is not there"), None)),
        (true, true) => Some((false, format!("{word} asks for IMA, which has no policy"), None)),
        (true, false) => Some((true, "IMA is there".to_owned(), Some((KEY, "there".to_owned())))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::checks::security::tests::said;

    #[test]
    fn ima_is_there_when_the_command_line_asks() {
        let asks = Cmdline::parse("ima_policy=tcb");
        assert_eq!(said(judge(true, false, &asks, None)), "ok: IMA is there");
        assert_eq!(
            said(judge(true, true, &asks, None)),
            "no: ima_policy asks for IMA, which has no policy"
        );
        assert_eq!(
            said(judge(false, false, &asks, None)),
            "no: ima_policy asks for IMA, which is not there"
        );
        assert_eq!(said(judge(false, false, &Cmdline::default(), None)), "-");
        assert!(
            said(judge(false, false, &Cmdline::default(), Some("there")))
                .starts_with("no: IMA is gone")
        );
    }
}
