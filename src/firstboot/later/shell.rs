//! `bootcmd` and `runcmd` as one script for `/bin/sh`, without `-e`: a line that fails does not
//! keep the next from being run, and the script ends as its last line does, as in cloud-init.

use crate::firstboot::configuration::Command;

/// The script.
pub(super) fn script(commands: &[Command]) -> Vec<u8> {
    let mut text = String::from("#!/bin/sh\n");
    for command in commands {
        match command {
            Command::Shell(line) => text += line,
            Command::Exec(words) => {
                text += &words.iter().map(|it| quoted(it)).collect::<Vec<_>>().join(" ");
            }
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// One word for the shell, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_lines_and_lists_are_words() {
        let commands = [
            Command::Shell("if true; then\n  x=1\nfi".into()),
            Command::Exec(vec!["echo".into(), "$x it's".into(), String::new()]),
        ];
        let text = String::from_utf8(script(&commands)).unwrap();
        assert_eq!(text, "#!/bin/sh\nif true; then\n  x=1\nfi\n'echo' '$x it'\\''s' ''\n");
    }
}
