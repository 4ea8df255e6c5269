//! A script function may have any name, also that of a native. It does not replace a method, and each use of the name that means the
//! function finds it. The test has a provision for each name of a native, with the name in each possible role.

use crate::chaos::Chaos;
use crate::directory::fixture::Folder;
use crate::handling::handle;
use crate::provisioning::provision::{Loaded, Provision};
use crate::script::flask::request;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::files::Files;
use crate::script::runtime::natives::Natives;
use crate::script::tests::trial;
use crate::script::{TOPICS, engine};
use rhai::Engine;
use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

/// `NAME` stands for the tested name. Each view returns `true`, or a description of the error.
const MAIN: &str = r##"
    import "library" as l;
    import "methods" as m;
    fn registerRules() {
        app.get("/view/<a>", NAME);
        app.add_url_rule("/both/<a>/<b>", "both", Fn("NAME"));
        app.add_url_rule("/computed/<a>", "computed", Fn("NA" + "ME"));
        app.add_url_rule("/closure/<a>", "closure", |a| NAME(a));
        app.add_url_rule("/curried/<b>", "curried", NAME.curry("c"));
        app.get("/param/<NAME>", param);
        app.get("/fails", fails);
        for role in [direct, pointers, closures, before, captured, statements, variables, properties, texts, library, methods_] {
            app.get("/" + role.name, role);
        }
    }
    // After the function, Rhai does not capture a variable of its name. Before the function, Rhai takes it for a variable.
    fn captured() { let NAME = 4; let seen = |x| [x].map(|y| NAME + x + y)[0] + NAME; compare_(seen.call(1), 10) }
    fn before() { compare_(["x"].map(|x| [x].map(|y| NAME))[0][0].call("x"), "taken:x") }
    fn "another type".NAME() { this }
    fn NAME() { "taken" }
    fn NAME(a) { "taken:" + a }
    fn NAME(a, b) { if a == "fail" { throw "NAME fails" } "taken:" + a + b }
    private fn NAME(a, b, c, d) { NAME(a, b) + NAME(c, d) }
    fn compare_(found, expected) { if found == expected { "right" } else { `${found}` } }
    fn direct() { compare_([NAME("x"), NAME("x", "y"), `${NAME("x")}`, NAME("a", "b", "c", "d")],
        ["taken:x", "taken:xy", "taken:x", "taken:abtaken:cd"]) }
    fn pointers() { let f = NAME; let both = [NAME, Fn("NAME")];
        compare_([f.call("x"), NAME.call("x"), NAME.curry("x").call("y"), Fn("NAME").call("x"), Fn(`NAME`).curry("x").call("y"),
            both[0].call("x"), both[1].call("x"), call(NAME, "x")],
        ["taken:x", "taken:x", "taken:xy", "taken:x", "taken:xy", "taken:x", "taken:x", "taken:x"]) }
    fn closures() { let y = "y"; let inner = |z| [z].map(|w| NAME(w, y))[0];
        compare_([["x"].map(|x| NAME(x))[0], ["x"].map(|x| NAME(x))[0], ["x"].map(|x| NAME(x, y))[0], inner.call("x"),
            ["x"].map(|x| NAME.call(x))[0]],
        ["taken:x", "taken:x", "taken:xy", "taken:xy", "taken:x"]) }
    fn statements() { NAME("x"); let s = [];
        if NAME("x") == "taken:x" { s.push("if") } while NAME("x") != "taken:x" { return "while" }
        switch NAME("x") { "taken:x" if NAME("y") == "taken:y" => s.push(NAME("c")), _ => {} }
        for x in [NAME("d")] { s.push(x) } try { throw NAME("e") } catch (e) { s.push(e) }
        do { s.push(NAME("f")) } until NAME("x") == "taken:x"; let m = #{ k: NAME("k") }; m.k += NAME("l"); s.push(m.k);
        s[NAME("x").len() - 7] += NAME("m"); let b = { NAME("b") }; s.push(b ?? NAME("n"));
        return compare_(s, ["iftaken:m", "taken:c", "taken:d", "taken:e", "taken:f", "taken:ktaken:l", "taken:b"]); }
    fn variables() { let found = [param(1), (|NAME| NAME + 1).call(1)];
        for NAME in [3] { found.push(NAME) }
        let NAME = 4; found.push(NAME); NAME += 1; found.push(NAME);
        compare_(found, [1, 2, 3, 4, 5]) }
    fn param(NAME) { NAME }
    fn properties() { let m = #{ NAME: 1, "k": #{NAME: 2} }; m.NAME += 1; m["NAME"] += 1; m.k.NAME += 1;
        compare_([m.NAME, m["NAME"], m.k.NAME, m.k.keys()], [3, 3, 3, ["NAME"]]) }
    fn texts() { compare_([NAME.name, `${NAME}`, "" + NAME, [NAME].to_string(), is_def_fn("NAME", 1), is_def_fn("NAME", 3)],
        ["NAME", "Fn(NAME)", "Fn(NAME)", "[Fn(NAME)]", true, false]) }
    fn library() { compare_([l::NAME("x"), l::NAME("x", "y"), l::NAME("e", "nv", 1), l::inside(), m::inside()],
        ["library:x", "library:xy", "env1constant", "library:z", 3]) }
    fn methods_() { let here = l::receivers().map(|receiver| attempts(receiver));
        let there = l::receivers().map(|receiver| l::attempts(receiver));
        let found = `${here}${there}`; if found.contains("taken") || found.contains("library:") { found } else { "right" } }
    fn attempts(it) { let found = [];
        try { found.push(it.NAME()) } catch (e) { found.push(e) }
        try { found.push(it.NAME("a")) } catch (e) { found.push(e) }
        try { found.push(it.NAME("a", "b")) } catch (e) { found.push(e) }
        found.to_string() }
    fn fails() { NAME("fail", "") }
"##;

const LIBRARY: &str = r#"
    import "methods" as m;
    const CONSTANT = "constant";
    fn NAME(a) { "library:" + a }
    fn NAME(a, b) { NAME(a) + b }
    fn NAME(a, b, c) { a + b + m::one(c) + global::CONSTANT }
    fn inside() { NAME("z") }
    fn receivers() { [1, 2.5, 'c', "text", [1, 2], #{ k: 1 }, blob(2), 0..3, request, request.args, request.headers, request.cookies,
        request.form, request.files, store, json, re, urllib, hashlib, hmac, base64, uuid, os, logging,
        datetime, make_response("x"), |x| x] }
    fn attempts(it) { let found = [];
        try { found.push(it.NAME("a")) } catch (e) { found.push(e) }
        try { found.push(it.NAME("a", "b")) } catch (e) { found.push(e) }
        found.to_string() }
"#;

/// Functions that use `this` are methods, also with such a name.
const METHODS: &str = r#"
    fn NAME() { this.w }
    fn inside() { let m = #{ w: 3 }; m.NAME() }
    fn one(n) { n }
"#;

/// The expected answer of each role.
const ROLES: [(&str, u16, &str); 18] = [
    ("/view/7", 200, "taken:7"),
    ("/both/7/8", 200, "taken:78"),
    ("/computed/7", 200, "taken:7"),
    ("/closure/7", 200, "taken:7"),
    ("/curried/7", 200, "taken:c7"),
    ("/param/7", 200, "7"),
    ("/direct", 200, "right"),
    ("/pointers", 200, "right"),
    ("/closures", 200, "right"),
    ("/captured", 200, "right"),
    ("/statements", 200, "right"),
    ("/before", 200, "right"),
    ("/variables", 200, "right"),
    ("/properties", 200, "right"),
    ("/texts", 200, "right"),
    ("/library", 200, "right"),
    ("/methods_", 200, "right"),
    ("/fails", 500, "NAME fails"),
];

/// Returns the names of all natives of h1mock and Rhai, without operators.
fn names() -> BTreeSet<String> {
    let names = engine(Budget::default()).collect_fn_metadata(
        None,
        |function| (function.metadata.num_params > 0).then(|| function.metadata.name.to_string()),
        true,
    );
    // `requests.request`: a function of this name hides the handle `request`, of which the library has parts.
    let hides_a_handle = |name: &String| name == "request";
    let is_word = |name: &String| name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    names.into_iter().filter(|name| is_word(name) && !hides_a_handle(name)).collect()
}

fn load(engine: &Arc<Engine>, folder: &Folder, name: &str) -> Result<Provision, String> {
    let directory = folder.directory();
    let write = |file: &str, text: &str| {
        fs::write(folder.root().join(file), text.replace("NAME", name)).expect("written");
    };
    write("library", LIBRARY);
    write("methods", METHODS);
    let main = MAIN.replace("NAME", name).replace("\"NA\" + \"ME\"", &format!("\"\" + \"{name}\""));
    let files = Files::new(directory.into(), "p", Some(main.into()), Arc::default());
    match Provision::load(engine, Budget::default(), files) {
        Ok(Loaded::Provision(provision)) => Ok(*provision),
        Ok(_) => Err("no provision".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns status and body of the answer to a GET request.
fn get(provision: &Arc<Provision>, target: &str) -> (u16, String) {
    let mut request = request::tests::request("GET", target, &[], b"").into();
    let answer = handle(provision, &Chaos::default(), &Conditions::default(), &mut request).reply.answer;
    (answer.status, String::from_utf8_lossy(answer.body.bytes()).into_owned())
}

/// A name that is not that of a native. A function of this name is called as a method, which shows that the test detects such calls.
const CONTROL: &str = "of_no_native";

/// Words that Rhai does not accept as names of functions.
const REFUSED: [&str; 5] = ["debug", "is", "match", "new", "print"];

#[test]
fn any_name_may_be_that_of_a_function() {
    let (engine, folder) = (engine(Budget::default()).into(), Folder::new());
    let (mut cases, mut wrong, mut refused) = (0, Vec::new(), Vec::new());
    for name in names().iter().map(String::as_str).chain([CONTROL]) {
        let provision = match load(&engine, &folder, name) {
            Ok(provision) => Arc::new(provision),
            Err(_) => {
                refused.push(name.to_owned());
                continue;
            }
        };
        for (target, status, expected) in ROLES {
            let (answered, body) = get(&provision, target);
            let expected = expected.replace("NAME", name);
            let right = if status == 500 { body.contains(&expected) } else { body == expected };
            cases += 1;
            if answered != status || !right || body.contains("__of_script") {
                wrong.push(format!("{name} {target}: {answered} {body}"));
            }
        }
    }
    println!("{cases} cases");
    assert!(cases > 4_000, "{cases}");
    let control = wrong.iter().position(|case| case.starts_with(&format!("{CONTROL} /methods_: 200 [")));
    wrong.remove(control.expect("a function of another name is called as a method"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(refused, REFUSED);
}

#[test]
fn a_parameter_or_variable_hides_the_handle_of_its_name() {
    let mut engine = rhai::Engine::new();
    let mut natives = Natives::new(&mut engine);
    TOPICS.iter().for_each(|register| register(&mut natives));
    let handles: BTreeSet<String> = natives.variables().map(|(name, _)| name.to_owned()).collect();
    assert!(handles.len() > 20, "{handles:?}");
    let views = handles.iter().map(|name| {
        format!(
            "fn take_{name}({name}) {{ `${{{name}}}` }}
             fn keep_{name}() {{ let {name} = 2; {name} += 1; let f = |x| {name} + x; `${{{name}}}${{f.call(1)}}` }}
             fn view_{name}() {{ take_{name}(1) + keep_{name}() + [4].map(|{name}| {name} + 1)[0] }}"
        )
    });
    let rules = handles.iter().map(|name| format!("app.get(\"/{name}\", view_{name});"));
    let source = format!(
        "{}\nfn registerRules() {{ {} }}",
        views.collect::<Vec<_>>().join("\n"),
        rules.collect::<String>()
    );
    let (_folder, provision) = trial::load(source, &[]);
    for name in handles {
        assert_eq!(get(&provision, &format!("/{name}")), (200, "1345".to_owned()), "{name}");
    }
}

#[test]
fn an_imported_file_uses_its_own_functions_whatever_the_importing_file_calls() {
    let source = r#"
        import "library" as l;
        fn registerRules() { for view in [method, helper_, maybe, receiver, changed, raises] { app.get("/" + view.name, view) } }
        fn helper(x) { "main" }
        fn size() { "main" }
        fn method() { let found = ["x".to_string(), "x".to_string(), l::method(), "x".to_string()]; `${found}` }
        fn helper_() { let found = [helper(1), helper(1), l::helper(1), l::calls_helper(), l::calls_helper(), helper(1)]; `${found}` }
        fn maybe() { let found = [is_def_fn("other", 1), is_def_fn("other", 1), l::maybe(), is_def_fn("other", 1)]; `${found}` }
        fn receiver() { let found = [1.size(), 1.size(), l::receiver(), 1.size()]; `${found}` }
        fn changed() { let list = [1]; let same = l::push(list); let twice = l::push([5]); twice.push(6); `${list}${same}${twice}` }
        fn raises() { l::raises(1) }
    "#;
    let library = r#"
        fn to_string() { this.w }
        fn helper(x) { "library" }
        fn other(x) { "other" }
        fn size() { "library" }
        fn method() { let m = #{ w: 3 }; m.to_string() }
        fn calls_helper() { helper(1) }
        fn maybe() { other(1) }
        fn receiver() { 1.size() }
        fn push(list) { list.push(2); list }
        fn raises(n) {
            inner(n)
        }
        fn inner(n) { throw "raised " + n }
    "#;
    let (_folder, provision) = trial::load(source.to_owned(), &[("library", library)]);
    for (view, expected) in [
        ("method", r#"["x", "x", 3, "x"]"#),
        ("helper_", r#"["main", "main", "library", "library", "library", "main"]"#),
        ("maybe", r#"[false, false, "other", false]"#),
        ("receiver", r#"["main", "main", "library", "main"]"#),
        ("changed", "[1][1, 2][5, 2, 6]"),
    ] {
        assert_eq!(get(&provision, &format!("/{view}")), (200, expected.to_owned()), "{view}");
    }
    let (status, body) = get(&provision, "/raises");
    let right = body.contains("imported `library`: line 14, column 23: raised 1") && !body.contains("enter");
    assert!(status == 500 && right, "{status} {body}");
}
