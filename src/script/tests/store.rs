//! Growing lists in `store`: scripts read the right parts, and the time of a change does not depend on the length of the list.

use crate::directory::fixture::Folder;
use crate::provisioning::provision::Provision;
use crate::script::flask::request::tests::request;
use crate::script::runtime::budget::Budget;
use crate::script::tests::trial::{answer, load, load_within};
use std::sync::Arc;

/// Builds a provision with a view for each script. The store has a list of ten items and some keys.
fn views(scripts: &[&str], within: Budget) -> (Folder, Arc<Provision>) {
    let mut source = String::from("fn registerRules() {\n");
    source += r#"store["l"] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]; store["m"] = #{ a: 1, b: 2 }; store["t"] = "text";
        for key in ["order:1", "order:2", "orders", "scope", "é"] { store[key] = key; }
        let scope = store.scope("s"); scope["order:3"] = 3; scope["x"] = 4;"#;
    for number in 0..scripts.len() {
        source += &format!("app.get(\"/{number}\", view{number});\n");
    }
    source += "}\n";
    for (number, script) in scripts.iter().enumerate() {
        source += &format!("fn view{number}() {{ jsonify({{ {script} }}) }}\n");
    }
    load_within(within, source, &[])
}

fn get(provision: &Arc<Provision>, path: &str) -> String {
    let answer = answer(provision, request("GET", path, &[], b""));
    answer.trim_end().to_owned()
}

/// Compares the body of each script's answer, or its error.
#[track_caller]
fn answers(table: &[(&str, &str)]) {
    let scripts: Vec<&str> = table.iter().map(|(script, _)| *script).collect();
    let (_folder, provision) = views(&scripts, Budget::default());
    for (number, (script, expected)) in table.iter().enumerate() {
        let got = get(&provision, &format!("/{number}"));
        let fits = match expected.strip_prefix("error: ") {
            Some(error) => got.starts_with("500 ") && got.contains(error),
            None => got == format!("200 {expected}"),
        };
        assert!(fits, "{script}\n    expected {expected}\n    got      {got}");
    }
}

#[test]
fn closures_in_closures_find_the_handles() {
    answers(&[
        (r#"(|| store.keys("order:").map(|key| store[key])).call()"#, r#"["order:1","order:2"]"#),
        (r#"(|| request.path.split("/").map(|part| request.path + part)).call()"#, r#"["/1","/11"]"#),
        (r#"(|| [0, 2].map(|n| [n].map(|m| store.slice("l", n, n + 1)[0] + m))).call()"#, "[[0],[4]]"),
        // A variable of the script is its own.
        (r#"let store = #{ a: 1 }; [1].map(|n| [n].map(|m| store.a + m))"#, "[[2]]"),
        (r#"let store = #{ a: 1 }; store.keys().map(|k| store[k])"#, "error: data race"),
    ]);
}

#[test]
fn slices_are_those_of_python() {
    answers(&[
        (r#"store.slice("l", 7)"#, "[7,8,9]"),
        (r#"store.slice("l", -2)"#, "[8,9]"),
        (r#"store.slice("l", -20)"#, "[0,1,2,3,4,5,6,7,8,9]"),
        (r#"store.slice("l", 20)"#, "[]"),
        (r#"store.slice("l", 2, 4)"#, "[2,3]"),
        (r#"store.slice("l", -4, -2)"#, "[6,7]"),
        (r#"store.slice("l", 8, 100)"#, "[8,9]"),
        (r#"store.slice("l", 4, 2)"#, "[]"),
        (r#"store.slice("l", 0, 0)"#, "[]"),
        (r#"store.slice("l", 0, -100)"#, "[]"),
        (r#"store.slice("l", -9223372036854775808, 9223372036854775807).len()"#, "10"),
        (r#"store.slice("none", -20)"#, "[]"),
        (r#"let page = store.slice("l", 8); page.push(10); [page, store.len("l")]"#, "[[8,9,10],10]"),
        (r#"store.slice("m", 1)"#, "error: store.slice: `m` holds map, not a list"),
        (r#"store.slice("t", 1, 2)"#, "error: store.slice: `t` holds string, not a list"),
        (r#"store.scope("s").slice("l", 1)"#, "[]"),
    ]);
}

#[test]
fn len_takes_a_key_and_keys_takes_a_prefix() {
    answers(&[
        (r#"store.len("l")"#, "10"),
        (r#"store.len("m")"#, "2"),
        (r#"store.len("none")"#, "0"),
        (r#"store.len("t")"#, "error: store.len: `t` holds string, not a list or map"),
        ("store.len()", "8"),
        (r#"store.scope("s").len()"#, "2"),
        ("store.keys()", r#"["l","m","order:1","order:2","orders","scope","t","é"]"#),
        (r#"store.keys("order:")"#, r#"["order:1","order:2"]"#),
        (r#"store.keys("order")"#, r#"["order:1","order:2","orders"]"#),
        (r#"store.keys("scope")"#, r#"["scope"]"#),
        (r#"store.keys("scope:s/")"#, "[]"),
        (r#"store.keys("none")"#, "[]"),
        (r#"store.scope("s").keys("o")"#, r#"["order:3"]"#),
        (r#"store.scope("s").items()"#, r#"[["order:3",3],["x",4]]"#),
    ]);
}

/// A script appends to a variable with a list of the store or a constant: only the variable changes.
#[test]
fn appending_to_a_copy_of_a_list_leaves_the_original_unchanged() {
    answers(&[
        (r#"let l = store["l"]; l.push(10); [l.len(), store.len("l"), l[10], l[-1]]"#, "[11,10,10,10]"),
        (
            r#"let l = store["l"]; l += [1, 2]; l += 3; [l.len(), l.extract(-3), store["l"].len()]"#,
            "[13,[1,2,3],10]",
        ),
        (
            r#"let l = store["l"]; let m = l + [10]; let n = l + store["l"]; [l.len(), m.len(), n.len(), n[19]]"#,
            "[10,11,20,9]",
        ),
        (
            r#"let l = store["l"]; l.extend([[1]]); l.append([2]); l.append(store["l"]); l.extract(-3, 2)"#,
            "[[1],[2]]",
        ),
        (
            r#"let l = store["l"]; l.push(10); l[0] = -1; l.push(11); l.shift(); l"#,
            "[1,2,3,4,5,6,7,8,9,10,11]",
        ),
        (
            r#"let l = store["l"]; l.push(#{ a: 1 }); l[10].a += 1; l[10].b = 2; l.extract(9)"#,
            r#"[9,{"a":2,"b":2}]"#,
        ),
        (
            r#"let l = store["l"]; l.push(5); [l == store["l"], l == store["l"] + [5], 5 in l, l.index_of(9)]"#,
            "[false,true,true,9]",
        ),
        (
            r#"let l = store["l"]; l.push(5); let s = 0; for x in l { s += x; } [s, sum(l), `${l}`.len()]"#,
            "[50,50,33]",
        ),
        (
            r#"let l = store["l"]; let f = |x| l.push(x); f.call(10); f.call(11); [l.len(), l[11], store.len("l")]"#,
            "[12,11,10]",
        ),
        (
            r#"store["l"].push(10); let a = store["l"]; store.append("l", 11); [a.len(), store["l"].extract(9)]"#,
            "[11,[9,10,11]]",
        ),
        (
            r#"let f = || 1; let l = store["l"]; l.push(f); store["f"] = l;"#,
            "error: store: `f` can hold text",
        ),
        (r#"store.update("l", |l| l + [|x| x])"#, "error: store: `l` can hold text"),
        (r#"store.update("l", |l, x| l)"#, "error: a closure was called with 1 argument, and takes another"),
        (
            r#"store["n"] = [1, [2]]; store.update("n", |l| { l.push(#{ z: [3] }); l }); store["m"] = store["n"]; store["m"]"#,
            r#"[1,[2],{"z":[3]}]"#,
        ),
        (r#"store.set("new", []); let l = store["new"]; l.push(1); l.push(l); l"#, "[1,[1]]"),
        (r#"store.get("l").push(1)"#, "error: `store`"),
    ]);
}

/// Appends a hundred events of 100 bytes in each request.
const FILL: &str = r#"for i in 0..100 {
    store.append("e", #{ id: i, kind: "created", text: "an event of a hundred bytes, more or less, as JSON writes it, at its end" });
}
store.len("e")"#;

/// Operations that change the list or read a part of it, while another variable has the unchanged list.
const STEPS: &[&str] = &[
    r#"store.append("e", #{ id: 1 })"#,
    r#"let held = store["e"]; store.append("e", #{ id: 1 }); held.len()"#,
    r#"store.update("e", [], |l| l + [#{ id: 1 }]).len()"#,
    r#"store.update("e", [], |l| { l.push(#{ id: 1 }); l }).len()"#,
    r#"store.update("e", [], |l| { l.append(#{ id: 1 }); l }).len()"#,
    r#"store.update("e", [], |l| { l += [#{ id: 1 }]; l }).len()"#,
    r#"store.update("e", [], |l| { l.extend([#{ id: 1 }, 2]); l }).len()"#,
    r#"let l = store["e"]; l.push(1); store["e"] = l; l.len()"#,
    r#"store["e"].push(1); store["other"] = store["e"]; store.slice("other", -1)"#,
    r#"store.slice("e", -20).len() + store.slice("e", 500, 520).len() + store.len("e")"#,
    r#"store["e"].extract(500, 20).len() + store["e"][777].id + store["e"].get(0).len()"#,
    r#"store["wide"] = #{ inside: store["e"] }; store["wide"].inside.len()"#,
];

/// The memory of the call is too small for a copy of the list.
#[test]
fn no_change_of_a_long_list_copies_it() {
    let within = Budget { memory: 192 << 10, ..Budget::default() };
    let scripts: Vec<&str> =
        [FILL, r#"store["e"].filter(|x| true).len()"#].iter().chain(STEPS).copied().collect();
    let (_folder, provision) = views(&scripts, within);
    for request in 1..=300 {
        assert_eq!(get(&provision, "/0"), format!("200 {}", request * 100));
    }
    let copied = get(&provision, "/1");
    assert!(copied.contains("used more than"), "{copied}");
    for (number, step) in STEPS.iter().enumerate() {
        let got = get(&provision, &format!("/{}", number + 2));
        assert!(got.starts_with("200 "), "{step}: {got}");
    }
}

#[test]
fn no_item_is_lost_when_several_threads_append() {
    let source = r#"
        fn registerRules() { app.get("/", add); app.get("/all", all); }
        fn add() {
            let before = store["l"] ?? [];
            let length = before.len();
            store.append("l", "a");
            store.update("l", [], |l| { l.push("b"); l });
            store.update("l", [], |l| l + ["c"]);
            if before.len() != length { throw "the list has changed"; }
            "done"
        }
        fn all() { let l = store["l"]; [l.len(), l.count("a"), l.count("b"), l.count("c")] }
    "#;
    let (_folder, provision) = load(source.to_owned(), &[]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..200).for_each(|_| assert_eq!(get(&provision, "/"), "200 done")));
        }
    });
    assert_eq!(get(&provision, "/all"), "200 [4800,1600,1600,1600]");
}
