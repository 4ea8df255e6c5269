//! `h1mock completions`: scripts that complete command lines in a shell, made from the tables of commands and flags.

mod bash;
mod completion;
mod fish;
mod zsh;

/// The shells.
pub(super) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// Returns the script of the shell with this index in [`SHELLS`].
pub(super) fn script(shell: usize) -> String {
    [bash::script, zsh::script, fish::script][shell]()
}

#[cfg(test)]
mod tests {
    use super::super::settings_table::TABLE;
    use super::*;

    #[test]
    fn each_script_has_every_flag_and_its_words() {
        for (index, shell) in SHELLS.iter().enumerate() {
            let script = script(index);
            for setting in TABLE {
                let flag = if *shell == "fish" {
                    format!("-l {} ", setting.flag)
                } else {
                    format!("--{}", setting.flag)
                };
                assert!(script.contains(&flag), "{shell} {flag}");
                assert!(script.contains(&setting.words.join(" ")), "{shell} {flag}");
            }
            assert!(script.contains("bash zsh fish"), "{shell}");
        }
    }

    /// A new flag that takes a word needs its words in the table.
    #[test]
    fn a_flag_that_takes_a_word_has_words_which_stand_in_its_help() {
        for setting in TABLE {
            let takes_a_word = setting.value == Some("WORD");
            assert!(!takes_a_word || !setting.words.is_empty(), "--{} has no words", setting.flag);
            assert!(setting.words.iter().all(|word| setting.help.contains(word)), "--{}", setting.flag);
        }
    }
}
