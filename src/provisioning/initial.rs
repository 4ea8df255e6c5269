//! The provision that serves first, and the built-in one that replaces it where it is missing or broken.

use crate::directory::{Name, ProvisionDir};
use crate::provisioning::ledger::{Kind, guess};
use crate::script::runtime::fault::LoadError;

/// The file names of the provision that is activated at start, and to which `--on-error initial` goes back.
pub(crate) const NAMES: [&str; 2] = ["initial", "initial.rhai"];
/// The name of the built-in provision when it serves although there is, or must be, a file `initial`.
pub(crate) const BUILT_IN: &str = "built-in";
/// The source of the built-in provision, which answers each path by a 404 with a link to the documentation.
pub(crate) const BUILT_IN_SOURCE: &[u8] = include_bytes!("../../provisions/default");
/// Most provisions that the log and the page of the built-in provision name.
const MOST_NAMED: usize = 10;

/// Returns the file name of the provision that serves first: the file of `h1mock serve FILE`, or else `initial`, or `initial.rhai` if only
/// that exists. Without these two, it is the provision of the ConfigMap mount, if there is exactly one.
pub(crate) fn name(directory: &ProvisionDir) -> String {
    if let Some(served) = directory.served() {
        return served.name().to_string();
    }
    let initial = NAMES.into_iter().find(|name| is_there(directory, name));
    if initial.is_none_or(|name| is_built_in(directory, name))
        && let [only] = provisions(directory, directory.config_names()).as_slice()
    {
        return only.to_string();
    }
    initial.unwrap_or(NAMES[0]).to_owned()
}

fn is_there(directory: &ProvisionDir, name: &str) -> bool {
    Name::parse(name).is_ok_and(|name| directory.exists(&name))
}

/// Whether file `name` is the built-in provision, as h1mock stores it under the name `initial`.
pub(crate) fn is_built_in(directory: &ProvisionDir, name: &str) -> bool {
    Name::parse(name).is_ok_and(|name| directory.bytes(&name).is_ok_and(|bytes| bytes == BUILT_IN_SOURCE))
}

/// Returns the provisions that could serve, where `initial` is missing: those of the directory that some load has to activate.
pub(crate) fn others(directory: &ProvisionDir) -> Vec<Name> {
    let entries = directory.list().unwrap_or_default();
    let names = entries.into_iter().filter(|entry| entry.skipped.is_none()).map(|entry| entry.name);
    provisions(directory, names.collect())
}

fn provisions(directory: &ProvisionDir, names: Vec<Name>) -> Vec<Name> {
    let is_one = |name: &Name| {
        let is_script = name.is_provision() && !name.in_subfolder() && !Name::is_ignored(name.file_name());
        is_script
            && directory
                .bytes(name)
                .is_ok_and(|bytes| bytes != BUILT_IN_SOURCE && guess(&bytes) == Kind::Provision)
    };
    names.into_iter().filter(is_one).collect()
}

/// Returns the warning and the source of the built-in provision for a directory that has `others`, but no `initial`. `None` without any.
pub(crate) fn choice(others: &[Name]) -> Option<(String, Vec<u8>)> {
    let one = others.first()?;
    let rest = others.len().saturating_sub(MOST_NAMED);
    let named = &others[..others.len() - rest];
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let list = |quote: &dyn Fn(&Name) -> String| {
        format!("{}{more}", named.iter().map(quote).collect::<Vec<_>>().join(", "))
    };
    let warning = format!(
        "no provision is called `initial`, so each path answers 404; there are {}. To activate one: touch its file, or \
         `GET /app/v1/provision/{one}` on the admin port; the one that is called `initial` serves from the start",
        list(&|name| format!("`{name}`"))
    );
    let page = format!(
        "<p>No provision is called <code>initial</code>, so none serves. There are {}.</p>\n<p>To activate one, touch its file, or GET \
         <code>/app/v1/provision/{}</code> on the admin port. The one that is called <code>initial</code> serves from the start.</p>\n",
        list(&|name| format!("<code>{}</code>", html(name.as_str()))),
        html(one.as_str())
    );
    let built_in = String::from_utf8_lossy(BUILT_IN_SOURCE);
    let source =
        built_in.replace("[help, e.code,", &format!("[help + \"\\n\" + {}, e.code,", literal(&page)));
    Some((warning, source.into_bytes()))
}

/// Returns the source of a provision that answers each path with `error`, until the file is mended.
pub(crate) fn page_of(error: &LoadError) -> Vec<u8> {
    let report = literal(&error.report());
    format!(
        "fn registerRules() {{ app.register_error_handler(404, answer); }}\n\
         fn answer(e) {{ [{report}, 500, #{{ \"Content-Type\": \"text/plain; charset=utf-8\" }}] }}\n"
    )
    .into_bytes()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes `text` as a literal of a script.
fn literal(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::fixture::{Folder, name as file};
    use std::fs;

    const GOOD: &str = "fn registerRules() { app.get(\"/\", || \"good\"); }";

    #[test]
    fn the_only_provision_of_the_mount_serves_first_unless_one_is_called_initial() {
        for (config, own, first) in [
            (&[][..], &[][..], "initial"),
            (&[("users.rhai", GOOD)], &[], "users.rhai"),
            (
                &[("users.rhai", GOOD), ("lib.rhai", "fn one() { 1 }"), ("a.json", "registerRules")],
                &[],
                "users.rhai",
            ),
            (&[("users.rhai", GOOD), ("orders", GOOD)], &[], "initial"),
            (&[("users.rhai", GOOD), ("initial", GOOD)], &[], "initial"),
            (&[("users.rhai", GOOD)], &[("initial.rhai", GOOD)], "initial.rhai"),
            (&[("sub/users.rhai", GOOD)], &[], "initial"),
            (&[], &[("users.rhai", GOOD)], "initial"),
        ] {
            let folder = Folder::new();
            for (name, text) in config {
                let path = folder.config().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            let directory = folder.directory();
            own.iter().for_each(|(name, text)| drop(directory.write(&file(name), text.as_bytes()).unwrap()));
            directory.refresh_config().unwrap();
            assert_eq!(name(&directory), first, "{config:?} {own:?}");
            if first == "users.rhai" {
                directory.write(&file("initial"), BUILT_IN_SOURCE).unwrap();
                assert_eq!(name(&directory), first, "the built-in provision of an earlier start is none");
            }
        }
    }

    #[test]
    fn the_choice_names_at_most_ten_provisions() {
        let names = |count: usize| (0..count).map(|number| file(&format!("p<{number}"))).collect::<Vec<_>>();
        let (warning, source) = choice(&names(2)).unwrap();
        assert_eq!(
            warning,
            "no provision is called `initial`, so each path answers 404; there are `p<0`, `p<1`. To activate one: touch its file, or \
             `GET /app/v1/provision/p<0` on the admin port; the one that is called `initial` serves from the start"
        );
        let source = String::from_utf8(source).unwrap();
        assert!(source.contains("There are <code>p&lt;0</code>, <code>p&lt;1</code>.</p>"), "{source}");
        let warning = choice(&names(12)).unwrap().0;
        assert!(warning.contains("`p<9` and 2 more. To"), "{warning}");
        assert_eq!(choice(&[]), None);
    }

    #[test]
    fn texts_become_literals() {
        assert_eq!(literal("a \"b\" \\ c\nd"), "\"a \\\"b\\\" \\\\ c\\nd\"");
    }
}
