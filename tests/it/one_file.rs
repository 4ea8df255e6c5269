//! `h1mock serve FILE...`: the files stay where they are, and nothing is written beside them.

use crate::applets::isolated;
use crate::harness::{Folder, Mock, binary, eventually};
use std::fs;
use std::path::PathBuf;

const SHOP: &str = "fn registerRules() { app.get(\"/word\", || \"one\"); }\n";

/// Starts a mock of `arguments` in a folder with these files.
fn mock(arguments: &[&str], files: &[(&str, &str)]) -> Mock {
    Mock::of_files(binary(), arguments, |folder| {
        files.iter().for_each(|(name, text)| folder.write(name, text))
    })
}

/// Returns the files below the folder, without those that `prepare` made.
fn written(folder: &Folder, made: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| !made.contains(&path.file_name().unwrap().to_str().unwrap()));
    found
}

#[track_caller]
fn wait_for_word(mock: &Mock, word: &str) {
    eventually(|| {
        let text = mock.get("/word").text();
        if text == word { Ok(()) } else { Err(format!("{text}\n{}\n{}", mock.output(), mock.log())) }
    });
}

#[test]
fn a_file_serves_from_where_it_is_and_again_when_it_is_saved() {
    let library = "fn word() { read_json(\"data.json\").word }\n";
    let source = "import \"lib\" as lib;\nfn registerRules() { app.get(\"/word\", word); }\nfn word() { lib::word() }\n";
    let files = [
        ("shop.rhai", source),
        ("lib.rhai", library),
        ("data.json", r#"{"word": "a"}"#),
        ("other.rhai", SHOP),
    ];
    let mut mock = mock(&["shop.rhai"], &files);
    assert!(mock.banner.ends_with(", provision `shop.rhai`, generation 1\n"), "{}", mock.banner);
    let url = format!("http://{} serves shop.rhai; it is loaded again when saved\n", mock.traffic);
    mock.wait_for_output(&url);
    mock.wait_for_output("/word  GET,HEAD,OPTIONS");
    assert_eq!(mock.get("/word").text(), "a");

    mock.folder.write("data.json", r#"{"word": "b"}"#);
    mock.wait_for_output("shop.rhai: 1 rule, no change of rules\n");
    wait_for_word(&mock, "b");
    mock.folder.write("lib.rhai", "fn word() { \"c\" }\n");
    wait_for_word(&mock, "c");

    // As editors that write a new file and rename it over the old one.
    let more =
        format!("{source}fn more() {{ \"more\" }}\n").replace("app.get(", "app.get(\"/x\", more); app.get(");
    mock.folder.write(".shop.rhai.new", &more);
    fs::rename(mock.folder.0.join(".shop.rhai.new"), mock.folder.0.join("shop.rhai")).unwrap();
    mock.wait_for_output("shop.rhai: 2 rules, 1 new: GET /x\n");
    assert_eq!(mock.get("/x").text(), "more");

    // Another file of the folder means nothing; the next line shows that it had none.
    mock.folder.write("other.rhai", &SHOP.replace("one", "other"));
    mock.folder.write("new.rhai", SHOP);
    mock.folder.write("shop.rhai", source);
    mock.wait_for_output("shop.rhai: 1 rule, 1 gone: GET /x\n");
    let all = ["shop.rhai", "lib.rhai", "data.json", "other.rhai", "new.rhai"];
    assert_eq!(written(&mock.folder, &all), Vec::<PathBuf>::new());
    assert_eq!(mock.active().0, "shop.rhai");
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143), "{}", mock.log());
}

#[test]
fn a_broken_file_is_reported_and_the_last_good_one_serves() {
    let mock = mock(&["./shop"], &[("shop", SHOP)]);
    mock.folder.write("shop", "fn registerRules() {\n    app.get(\"/word\", shwo);\n}\nfn show() { 1 }\n");
    mock.wait_for_log("failed to load provision `shop`: line 2, column 22: no variable `shwo`\n");
    mock.wait_for_log("2 |     app.get(\"/word\", shwo);\n");
    mock.wait_for_log("  = note: provision `shop` keeps serving\n");
    assert_eq!(mock.get("/word").text(), "one");
    mock.folder.write("shop", &SHOP.replace("one", "two"));
    wait_for_word(&mock, "two");
}

#[test]
fn a_file_that_is_broken_at_the_start_is_shown_until_it_is_mended() {
    let source = "import \"lib\" as lib;\nfn registerRules() { app.get(\"/word\", word); }\nfn word() { lib::word() }\n";
    let mock = mock(&["serve", "shop.rhai"], &[("shop.rhai", source)]);
    mock.wait_for_output("answers with the error above until it is mended: shop.rhai\n");
    let reply = mock.get("/any");
    assert_eq!(reply.status, 500);
    assert!(
        reply.text().contains("neither `lib` nor `lib.rhai` is in the provision directory"),
        "{}",
        reply.text()
    );
    assert_eq!(mock.admin("GET /readyz", &[], b"").status, 503);

    // The file that is missing is watched, too.
    mock.folder.write("lib.rhai", "fn word() { oops\n");
    eventually(|| {
        let text = mock.get("/any").text();
        if text.contains("imported `lib.rhai`") { Ok(()) } else { Err(text) }
    });
    mock.folder.write("lib.rhai", "fn word() { \"mended\" }\n");
    wait_for_word(&mock, "mended");
    mock.wait_for_output("shop.rhai: 1 rule\nRULE ");
    assert_eq!(mock.admin("GET /readyz", &[], b"").status, 200);
}

#[test]
fn several_files_serve_as_one_provision_and_errors_name_the_right_one() {
    let users = "fn registerRules() { app.get(\"/users\", list); app.get(\"/bad\", bad); }\n\
                 fn list() { [\"ada\"] }\nfn bad() { nothing() }\n";
    let mock = mock(&["shop.rhai", "users.rhai"], &[("shop.rhai", SHOP), ("users.rhai", users)]);
    mock.wait_for_output("serves shop.rhai, users.rhai; they are loaded again when saved\n");
    assert_eq!((mock.get("/word").text(), mock.get("/users").text()), ("one".into(), "[\"ada\"]\n".into()));
    assert!(mock.get("/bad").text().contains("users.rhai"), "{}", mock.get("/bad").text());
    mock.folder.write("users.rhai", "fn registerRules() { app.get(\"/users\", lst); }\n");
    mock.wait_for_log("failed to load provision `users.rhai`: line 1, column 40: no variable `lst`\n");
    let twice = users.replace("registerRules() {", "registerRules() { app.get(\"/word\", list);");
    mock.folder
        .write("shop.rhai", &SHOP.replace("|| \"one\"", "list").replace("}\n", "}\nfn list() { \"one\" }\n"));
    mock.folder.write("users.rhai", &twice);
    mock.wait_for_log("endpoint `list` is `list` already (`shop.rhai`, line 1): give `list` another name, or an endpoint of its own\n");
    mock.folder.write("shop.rhai", SHOP);
    mock.folder.write("users.rhai", "fn list() { 1 }\n");
    mock.wait_for_log("failed to load provision `users.rhai`: function registerRules() is missing\n");
    assert_eq!(mock.get("/users").text(), "[\"ada\"]\n");
    mock.folder.write("users.rhai", "fn registerRules() { app.get(\"/users\", || \"none\"); }\n");
    mock.wait_for_output("shop.rhai: 2 rules, 1 gone: GET /bad");
    assert_eq!(mock.get("/users").text(), "none");
}

#[test]
fn what_is_posted_goes_to_a_private_folder_and_a_save_wins_over_it() {
    let files = [("shop.rhai", SHOP), ("secret", "fn registerRules() {}\n")];
    let place = Folder::new();
    let mut command = binary();
    command.env("TMPDIR", &place.0);
    let prepare = |folder: &Folder| files.iter().for_each(|(name, text)| folder.write(name, text));
    let mut mock = Mock::of_files(command, &["shop.rhai"], prepare);
    let private = || fs::read_dir(&place.0).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    assert_eq!(private().len(), 1);

    mock.activate("posted", &SHOP.replace("one", "posted"));
    mock.wait_for_output("posted: 1 rule\n");
    assert_eq!(mock.get("/word").text(), "posted");
    assert!(private()[0].join("posted").exists());
    mock.activate("shop.rhai", &SHOP.replace("one", "hidden"));
    mock.folder.write("shop.rhai", &SHOP.replace("one", "saved"));
    wait_for_word(&mock, "saved");
    assert_eq!(written(&mock.folder, &["shop.rhai", "secret"]), Vec::<PathBuf>::new());

    // The admin port knows the files that serve and those that were posted, and no other file of the user.
    let ledger = mock.admin("GET /app/v1/provision", &[], b"").json();
    let names: Vec<&str> =
        ledger["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["posted", "shop.rhai"]);
    assert_eq!(mock.admin("GET /app/v1/source/secret", &[], b"").status, 404);
    assert_eq!(mock.admin("GET /app/v1/provision/secret", &[], b"").status, 404);
    let reply = mock.admin("DELETE /app/v1/provision/shop.rhai", &[], b"");
    assert_eq!(reply.status, 409, "{}", reply.text());

    mock.signal("INT");
    assert_eq!(mock.wait().code(), Some(130));
    assert_eq!(private(), Vec::<PathBuf>::new());
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    for (arguments, painted) in [(&["shop"][..], false), (&["shop", "--color", "always"], true)] {
        let mock = mock(arguments, &[("shop", SHOP)]);
        mock.folder.write("shop", "fn registerRules() { ( }\n");
        mock.wait_for_log("failed to load");
        mock.folder.write("shop", &SHOP.replace("word", "x"));
        mock.wait_for_output("/x");
        assert_eq!(mock.output().contains("\u{1b}[36mGET"), painted, "{}", mock.output());
        assert_eq!(mock.log().contains("\u{1b}[31mERROR\u{1b}[0m"), painted, "{}", mock.log());
    }
}

#[test]
fn what_can_not_be_served_is_refused_with_the_way_out() {
    let folder = Folder::new();
    for file in ["shop.rhai", "other/users.rhai", "users.json", ".hidden.rhai", "mocks/a.rhai"] {
        folder.write(file, SHOP);
    }
    for (arguments, code, error) in [
        (&["shpo.rhai"][..], 1, "failed to serve `shpo.rhai`: there is no such file"),
        (&["serve", "shop"], 1, "failed to serve `shop`: there is no such file"),
        (&["srve"], 2, "unknown command `srve`: did you mean `serve`?"),
        (
            &["shop"],
            2,
            "unknown command `shop`: `h1mock --help` lists them, and there is no file of that name",
        ),
        (
            &["./mocks"],
            1,
            "failed to serve `./mocks`: it is a folder: name its files, such as `h1mock ./mocks/*.rhai`",
        ),
        (
            &["users.json"],
            1,
            "failed to serve `users.json`: the name of a provision has no extension, or ends in `.rhai`",
        ),
        (&["./.hidden.rhai"], 1, "failed to serve `./.hidden.rhai`: invalid name `.hidden.rhai`: hidden"),
        (
            &["shop.rhai", "other/users.rhai"],
            1,
            "failed to serve `other/users.rhai`: it is not in the folder of `shop.rhai`",
        ),
        (
            &["shop.rhai", "--provision-dir", "mocks/.."],
            1,
            "failed to serve files of `mocks/..`: `--provision-dir` must be another folder",
        ),
        (
            &["--config-dir", "none"],
            1,
            "failed to open `none`, the folder of `--config-dir`: there is no such folder",
        ),
    ] {
        let mut command = binary();
        command.args(["--traffic-port", "0", "--admin-port", "0", "--bind", "127.0.0.1"]).args(arguments);
        let output = command.current_dir(&folder.0).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (output.status.code(), &*text),
            (Some(code), &*format!("h1mock: {error}\n")),
            "{arguments:?}"
        );
    }
    assert_eq!(
        written(&folder, &["shop.rhai", "other", "users.json", ".hidden.rhai", "mocks"]),
        Vec::<PathBuf>::new()
    );
}

#[test]
fn without_a_temporary_folder_a_post_is_refused_and_the_file_serves() {
    let Some(mut command) = isolated(&["--mount"]) else { return };
    // In a mount namespace of its own, in which the places of temporary folders are read-only.
    let script = "for place in /tmp /dev/shm; do mount --bind $place $place; mount -o remount,bind,ro $place; done; \
                  exec \"$0\" \"$@\"";
    command.args([script, env!("CARGO_BIN_EXE_h1mock")]).env_remove("TMPDIR");
    let mock = Mock::of_files(command, &["shop.rhai"], |folder| folder.write("shop.rhai", SHOP));
    mock.wait_for_log("so posted provisions can't be stored: read-only file system\n");
    assert_eq!(mock.get("/word").text(), "one");
    let reply = mock.provision("posted", SHOP);
    let error =
        "read-only file system; mount a writable volume there or choose another folder by `--provision-dir`";
    assert_eq!(reply.status, 500);
    assert!(reply.text().contains(error), "{}", reply.text());
    assert_eq!(mock.admin("GET /app/v1/provision", &[], b"").status, 200);
}
