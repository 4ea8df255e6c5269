//! Functions of scripts with the same name as a method: neither replaces the other, and messages show the name in the script.

use crate::harness::{Folder, Mock, binary};

const SOURCE: &str = r#"
import "library" as l;
const PRICES = [3, 1, 2];
fn registerRules() {
    app.get("/items/<int:id>", get);
    app.get("/items", items);
    app.get("/keys", keys);
    app.get("/remove/<key>", remove);
    app.get("/push/<x>", push);
    app.get("/length", || `${len("abc")} ${"abc".len()} ${PRICES.len()} ${len([])}`);
    app.get("/upper", || `${upper("a")} ${"a".upper()} ${["b"].map(Fn("upper"))} ${["b"].map(|x| x.upper())}`);
    app.get("/filter", || filter(PRICES));
    app.get("/delay", delay);
    app.get("/cookie", || set_cookie(make_response("set")));
    app.get("/json", || jsonify(#{ a: 1 }));
    app.get("/text", || `${1} ${[1]} ${"" + 1} ${to_string(1)} ${1.to_string()}`);
    app.get("/in", || `${2 in PRICES} ${contains(PRICES, 2)}`);
    app.get("/library", || [l::get("x"), l::find(), l::len("xyz")]);
    app.get("/url", || url_for("get", #{ id: 7 }));
    app.get("/split/<text>", split);
    app.before_request(index);
}
fn get(id) { #{ id: id, n: request.args.get("n"), d: request.args.get("x", "default") } }
fn items() { request.args.items() }
fn keys() { #{ b: 1, a: 2 }.keys() }
fn remove(key) { let m = #{ a: 1, b: 2 }; m.remove(key); m }
fn push(x) { let l = [x]; l.push("end"); l }
fn len(x) { if x == [] { "empty" } else { x.len() + 100 } }
fn upper(x) { x.upper() + "!" }
fn filter(list) { list.filter(|x| x > 1) }
fn delay() { make_response("later").delay(0.01) }
fn set_cookie(answer) { answer.set_cookie("a", "b"); answer }
fn jsonify(x) { ["own", 201] }
fn to_string(x) { "own" }
fn contains(list, x) { "own" }
fn index() {}
fn split(text) { if text == "a" { throw "no" } split(text, 1, 2) }
"#;

const LIBRARY: &str = r#"
fn get(key) { `${key} of the library, ${request.args.get("n")}` }
fn find() { ["a", "b"].find(|x| x == "b") }
fn len(x) { x.len() }
"#;

#[test]
fn functions_and_methods_of_the_same_name_do_not_interfere() {
    let mock = Mock::start_with(&[], |folder| {
        folder.write("provision/initial", SOURCE);
        folder.write("provision/library.rhai", LIBRARY);
    });
    let table = [
        ("/items/7?n=5", "{\"d\":\"default\",\"id\":7,\"n\":\"5\"}\n"),
        ("/items?a=1", "[[\"a\",\"1\"]]\n"),
        ("/keys", "[\"a\",\"b\"]\n"),
        ("/remove/a", "{\"b\":2}\n"),
        ("/push/x", "[\"x\",\"end\"]\n"),
        ("/length", "103 3 3 empty"),
        ("/upper", "A! A [\"B!\"] [\"B\"]"),
        ("/filter", "[3,2]\n"),
        ("/delay", "later"),
        ("/cookie", "set"),
        ("/json", "own"),
        ("/text", "1 [1] 1 own 1"),
        ("/in", "true own"),
        ("/library?n=5", "[\"x of the library, 5\",\"b\",3]\n"),
        ("/url", "/items/7"),
    ];
    for (target, expected) in table {
        assert_eq!(mock.get(target).text(), expected, "{target}");
    }
    assert!(mock.get("/cookie").header("set-cookie").contains("a=b"));
}

#[test]
fn metrics_and_journal_show_the_name_in_the_script() {
    let mock = Mock::start_with(&[], |folder| {
        folder.write("provision/initial", SOURCE);
        folder.write("provision/library.rhai", LIBRARY);
    });
    let failed = mock.get("/split/b").text();
    assert!(failed.contains("line 37, column 48: no function `split (string, i64, i64)`"), "{failed}");
    assert!(mock.get("/split/a").text().contains("line 37, column 35: no"), "{failed}");
    mock.get("/items/1");
    let pages = ["GET /metrics", "GET /app/v1/provision", "GET /app/v1/requests"];
    let seen: String = pages.iter().map(|page| mock.admin(page, &[], b"").text()).collect();
    assert!(seen.contains(r#""endpoint":"get""#) && !seen.contains("__of_script"), "{seen}");
}

#[test]
fn check_and_routes_print_the_name_in_the_script() {
    let folder = Folder::new();
    folder.write("ok", "fn registerRules() { app.get(\"/a/<id>\", get); }\nfn get(id) { id }\n");
    folder.write("wrong", "fn registerRules() { app.get(\"/a/<id>\", get); }\nfn get(n) { n }\n");
    folder.write("private", "fn registerRules() { app.get(\"/a/<id>\", get); }\nprivate fn get(n) { n }\n");
    let run = |arguments: &[&str]| {
        let output = binary().args(arguments).current_dir(&folder.0).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    let routes = run(&["routes", "ok"]);
    assert!(routes.contains("get") && !routes.contains("__of_script"), "{routes}");
    let wrong = run(&["check", "wrong"]);
    assert!(wrong.contains("view function `get` takes `(n)`, but rule `/a/<id>` gives `(id)`"), "{wrong}");
    let private = run(&["check", "private"]);
    assert!(
        private.contains("function `get` is private: drop the word `private` before `fn get`"),
        "{private}"
    );
}
