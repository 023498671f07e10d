//! Small edits of text files that keep everything else as it is.

/// `KEY=value` in a file that a shell could read: in place of the last line that sets it, so
/// that it counts, else at the end. A value that a shell would take apart is quoted.
pub(super) fn assign(text: &str, key: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.,:/@+".contains(c);
    let line = if !value.is_empty() && value.chars().all(is_plain) {
        format!("{key}={value}")
    } else {
        format!("{key}=\"{value}\"")
    };
    let sets = |it: &str| it.trim_start().strip_prefix(key).is_some_and(|it| it.starts_with('='));
    let mut lines: Vec<&str> = text.lines().collect();
    match lines.iter().rposition(|it| sets(it)) {
        Some(at) => lines[at] = &line,
        None => lines.push(&line),
    }
    joined(&lines)
}

/// Whether a value can stand in quotes in such a file.
pub(super) fn is_assignable(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '$' | '`'))
}

/// Lines, each with its end.
pub(super) fn joined(lines: &[&str]) -> String {
    lines.iter().flat_map(|line| [*line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_setting_changes_and_the_rest_stays() {
        for (before, value, after) in [
            ("", "de", "LANG=de\n"),
            ("# x\nLANG=a\nLANGUAGE=b", "de_DE.UTF-8", "# x\nLANG=de_DE.UTF-8\nLANGUAGE=b\n"),
            ("LANG=a\nLANG=b\n", "c d", "LANG=a\nLANG=\"c d\"\n"),
            ("#LANG=a\n", "", "#LANG=a\nLANG=\"\"\n"),
        ] {
            assert_eq!(assign(before, "LANG", value), after);
        }
        assert!(!is_assignable("a\nb") && !is_assignable("$(x)") && is_assignable("a b"));
    }
}
