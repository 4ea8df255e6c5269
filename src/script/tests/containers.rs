//! Calls each native on values that a script reaches in each possible way: reading changes nothing, and a change works or is an error.

use crate::directory::fixture::Folder;
use crate::provisioning::provision::Provision;
use crate::script::flask::request::tests::request;
use crate::script::tests::trial::{answer, load};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

/// A value of a script, and natives to call on it.
struct Subject {
    literal: &'static str,
    calls: &'static [&'static str],
}

const SUBJECTS: &[Subject] = &[
    Subject {
        literal: r#"[3, "b", [1, 2], #{ id: 1 }]"#,
        calls: &[
            "len()",
            "is_empty()",
            "get(0)",
            "get(9)",
            "contains(3)",
            "index_of(\"b\")",
            "map(|x| 1)",
            "filter(|x| x == 3)",
            "find(|x| x == 3)",
            "some(|x| x == 3)",
            "all(|x| x == 3)",
            "reduce(|s, x| 1)",
            "reduce(|s, x| s, 0)",
            "reduce_rev(|s, x| 1)",
            "extract(1)",
            "extract(1, 2)",
            "extract(0..2)",
            "extract(0..=2)",
            "index(3)",
            "count(3)",
            "copy()",
            "to_string()",
            "to_debug()",
            "push(1)",
            "append(1)",
            "append([1])",
            "extend([1])",
            "insert(1, 7)",
            "pop()",
            "shift()",
            "remove(0)",
            "clear()",
            "truncate(1)",
            "chop(1)",
            "reverse()",
            "pad(6, 0)",
            "set(0, 9)",
            "split(2)",
            "splice(0, 1, [8])",
            "drain(0..1)",
            "drain(0, 1)",
            "retain(0..1)",
            "retain(|x| x == 3)",
            "drain(|x| x == 3)",
            "dedup()",
            "find_map(|x| if x == 3 { 1 })",
            "zip([1, 2], |a, b| b)",
            "len().to_string().trim()",
            "map(|x| 1).len()",
            "filter(|x| true).push(1)",
            "copy().push(1)",
            "extract(0, 2).pop()",
        ],
    },
    Subject {
        literal: r#"[3, 1, 2]"#,
        calls: &[
            "sort()",
            "sort_desc()",
            "sort(|a, b| a - b)",
            "sort_by(|a, b| a - b)",
            "order()",
            "order_desc()",
            "order_by(|a, b| a - b)",
            "for_each(|i| this += 1)",
            "order().len()",
        ],
    },
    Subject {
        literal: r#"#{ a: 1, b: [1, 2], c: #{ d: "x" } }"#,
        calls: &[
            "len()",
            "is_empty()",
            "contains(\"a\")",
            "get(\"a\")",
            "get(\"z\", 5)",
            "keys()",
            "values()",
            "items()",
            "copy()",
            "to_string()",
            "to_json()",
            "filter(|k| k == \"a\")",
            "remove(\"a\")",
            "set(\"a\", 9)",
            "clear()",
            "mixin(#{ z: 1 })",
            "fill_with(#{ z: 1 })",
            "pop(\"a\")",
            "pop(\"z\", 1)",
            "setdefault(\"z\", 1)",
            "update(#{ z: 1 })",
            "drain(|k| k == \"a\")",
            "retain(|k| k == \"a\")",
            "keys().len()",
            "values().pop()",
            "copy().clear()",
            "b.len()",
            "b.push(3)",
            "c.d.split(\"\").len()",
            "c.set(\"d\", 1)",
            "c.d.trim()",
            "b.pop()",
            "c.d.to_upper().trim()",
        ],
    },
    Subject {
        literal: r#"" a,b ""#,
        calls: &[
            "len()",
            "split(\",\").len()",
            "split(\",\")[0].trim()",
            "strip().split(\",\").len()",
            "encode()",
            "encode().len()",
            "to_chars().len()",
            "to_upper()",
            "to_upper().trim()",
            "upper()",
            "lower().trim()",
            "contains(\"a\")",
            "startswith(\" \")",
            "starts_with(\" \")",
            "index_of(\",\")",
            "sub_string(1)",
            "sub_string(1, 2)",
            "strip()",
            "lstrip().len()",
            "replace(\"a\", \"b\")",
            "trim()",
            "make_upper()",
            "clear()",
            "truncate(1)",
            "pop()",
            "pad(9, 'x')",
            "split_whitespace()",
            "bytes",
            "len",
            "find(\"a\")",
            "split().len()",
            "split_at(1)",
            "to_int",
            "chars().len()",
        ],
    },
];

/// Ways to reach the value: the expression, and the expression that reads it afterwards.
const PLACES: &[(&str, &str)] = &[
    ("store[\"SUBJECT\"]", "store[\"SUBJECT\"]"),
    ("store.get(\"SUBJECT\")", "store[\"SUBJECT\"]"),
    ("store.scope(\"s\")[\"SUBJECT\"]", "store.scope(\"s\")[\"SUBJECT\"]"),
    ("store[\"inside\"].SUBJECT", "store[\"inside\"].SUBJECT"),
    ("store[\"inside\"][\"SUBJECT\"]", "store[\"inside\"].SUBJECT"),
    ("store[\"list\"][NUMBER]", "store[\"list\"][NUMBER]"),
    ("store.get(\"list\")[NUMBER]", "store[\"list\"][NUMBER]"),
    ("CONST_SUBJECT", "CONST_SUBJECT"),
    ("let_SUBJECT", "let_SUBJECT"),
    ("INSIDE.SUBJECT", "INSIDE.SUBJECT"),
    ("INSIDE[\"SUBJECT\"]", "INSIDE.SUBJECT"),
    ("LIST[NUMBER]", "LIST[NUMBER]"),
    ("LISTS[0][NUMBER]", "LISTS[0][NUMBER]"),
    ("library::LIST[NUMBER]", "library::LIST[NUMBER]"),
    ("request.json.SUBJECT", "request.json.SUBJECT"),
    ("request.json[\"SUBJECT\"]", "request.json.SUBJECT"),
    ("request.get_json().SUBJECT", "request.json.SUBJECT"),
];

/// Forms of the call: native `CALL` on expression `PLACE`.
const FORMS: &[&str] =
    &["PLACE.CALL", "(|| PLACE.CALL).call()", "{ let f = || PLACE.CALL; f.call() }", "`${PLACE.CALL}`"];

/// The views and the rules of a provision with a view for each case.
struct Source {
    views: String,
    rules: String,
    /// Path and description of each case.
    cases: Vec<(String, String)>,
}

impl Source {
    fn add(
        &mut self,
        case: String,
        place: &str,
        call: &str,
        before: &str,
        after: &str,
        form: &str,
    ) -> String {
        let path = format!("/{}", self.cases.len());
        let name = format!("view{}", self.cases.len());
        let expression = form.replace("PLACE", place).replace("CALL", call);
        // A `let` outside of a closure would be shared with it.
        writeln!(
            self.views,
            "fn {name}() {{ {before} let result = {expression}; to_debug(result) + \" / \" + to_debug({after}) }}"
        )
        .unwrap();
        writeln!(self.rules, "app.get(\"{path}\", {name});").unwrap();
        self.cases.push((path.clone(), case));
        path
    }
}

/// Builds the views for one call. The map has for each path that of its reference: the same call on a local variable.
fn source(number: usize, subject: &Subject, call: &str) -> (Source, HashMap<String, String>) {
    let mut source = Source { views: String::new(), rules: String::new(), cases: Vec::new() };
    let mut references = HashMap::new();
    let set_up = format!("let v = {};", subject.literal);
    for form in FORMS {
        // The variable is the view's own, not shared with a closure.
        let local = form.replace("(|| PLACE.CALL).call()", "PLACE.CALL");
        let local = local.replace("{ let f = || PLACE.CALL; f.call() }", "PLACE.CALL");
        let case = format!("{call} of {}, {form}", subject.literal);
        let reference = source.add(case.clone(), "v", call, &set_up, "v", &local);
        for (place, after) in PLACES {
            let fill = |text: &str| {
                text.replace("SUBJECT", &format!("v{number}")).replace("NUMBER", &number.to_string())
            };
            let import = if place.contains("library") { "import \"library\" as library;" } else { "" };
            if !import.is_empty() && form.contains("||") {
                continue;
            }
            let (set_up, case) = (format!("{import} prepare();"), format!("{} {case}", fill(place)));
            let path = source.add(case, &fill(place), call, &set_up, &fill(after), form);
            references.insert(path, reference.clone());
        }
    }
    (source, references)
}

fn provision(source: &Source) -> (Folder, Arc<Provision>) {
    let all = |item: fn((usize, &Subject)) -> String, between: &str| {
        SUBJECTS.iter().enumerate().map(item).collect::<Vec<_>>().join(between)
    };
    let constants =
        all(|(n, s)| format!("const CONST_v{n} = {}; let let_v{n} = {};", s.literal, s.literal), "\n");
    let inside = all(|(n, s)| format!("v{n}: {}", s.literal), ", ");
    let list = all(|(_, s)| s.literal.to_owned(), ", ");
    let prepare =
        all(|(n, s)| format!("store[\"v{n}\"] = {}; scope[\"v{n}\"] = {};", s.literal, s.literal), "\n");
    let text = format!(
        "{constants}\nconst INSIDE = #{{ {inside} }};\nconst LIST = [{list}];\nconst LISTS = [[{list}]];\n{}
        fn prepare() {{ let scope = store.scope(\"s\"); {prepare} store[\"inside\"] = #{{ {inside} }}; store[\"list\"] = [{list}]; }}
        fn registerRules() {{ {} }}",
        source.views, source.rules
    );
    load(text, &[("library", &format!("const LIST = [{list}];"))])
}

#[test]
fn reading_never_writes_and_a_write_is_done_or_an_error() {
    let json: Vec<String> = SUBJECTS
        .iter()
        .enumerate()
        .map(|(n, s)| format!("\"v{n}\": {}", plain(s.literal).replace("#{", "{")))
        .collect();
    let json = format!("{{{}}}", json.join(", "));
    let headers = [("Content-Type", "application/json")];
    let (mut wrong, mut errors, mut cases) = (Vec::new(), 0, 0);
    for (number, subject) in SUBJECTS.iter().enumerate() {
        for call in subject.calls {
            let (source, references) = source(number, subject, call);
            let (_folder, provision) = provision(&source);
            let get = |path: &str| answer(&provision, request("GET", path, &headers, json.as_bytes()));
            for (path, case) in &source.cases {
                let Some(reference) = references.get(path) else { continue };
                let (expected, got) = (cause(&get(reference)), cause(&get(path)));
                let refused =
                    got.starts_with("500 ") && (got.contains("`store`") || got.contains("is read-only"));
                cases += 1;
                errors += usize::from(refused);
                if got != expected && !(refused && may_change(call)) {
                    wrong.push(format!("{case}\n    expected {expected}\n    got      {got}"));
                }
            }
        }
    }
    println!("{cases} cases, {errors} refused");
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
    assert!(cases > 5_000 && errors > 500, "{cases} {errors}");
}

/// Removes line and column of the error from an answer.
fn cause(answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default();
    match line.split_once(": line ") {
        Some((_, place)) => format!("500 {}", place.split_once(": ").unwrap_or_default().1),
        None => answer.to_owned(),
    }
}

/// Whether a native in `call` changes its receiver, or would with other arguments.
fn may_change(call: &str) -> bool {
    const CHANGERS: &str = "push append extend insert pop shift remove clear truncate chop reverse pad set split splice drain retain \
        dedup sort sort_desc sort_by for_each mixin fill_with setdefault update trim replace make_upper";
    let called: Vec<&str> = call.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    CHANGERS.split(' ').any(|name| called.contains(&name))
}

/// Returns a literal in the notation of `to_debug`.
fn plain(literal: &str) -> String {
    literal.replace("#{ id: 1 }", "#{\"id\": 1}").replace(
        "#{ a: 1, b: [1, 2], c: #{ d: \"x\" } }",
        "#{\"a\": 1, \"b\": [1, 2], \"c\": #{\"d\": \"x\"}}",
    )
}

/// After a chain Rhai may call the setter with `()`, where a native has taken the value.
#[test]
fn nothing_can_be_assigned_after_a_value_was_read() {
    let views = [
        (
            r#"store["k"] = "x"; let n = store["k"].to_upper().trim(); store["k"] = (); [store["k"]]"#,
            "[null]",
        ),
        (
            r#"let l = json.loads("{\"a\":{\"b\":1},\"z\":\"q\"}"); let n = l.z.to_upper().trim(); l.a.b = (); l.z = (); l"#,
            r#"{"a":{"b":null},"z":null}"#,
        ),
        (
            r#"store["m"] = #{ a: "x,y" }; let n = store["m"].a.split(",").map(|p| store["m"].a.split(",").len()); store["m"].a = (); [n, store["m"]]"#,
            r#"[[2,2],{"a":null}]"#,
        ),
        (
            r#"store["n"] = 1; store["n"] += 4; store["l"] = [1]; store["l"].push(2); store["l"][0] = 9; store["l"] += [3]; [store["n"], store["l"]]"#,
            "[5,[9,2,3]]",
        ),
        (
            r#"let r = make_response("x"); r.mimetype = "text/csv"; let u = r.mimetype.split("/").len(); r.mimetype"#,
            "\"text/csv\"",
        ),
    ];
    let functions: Vec<String> = views
        .iter()
        .enumerate()
        .map(|(n, (view, _))| format!("fn v{n}() {{ jsonify({{ {view} }}) }}"))
        .collect();
    let rules: String = (0..views.len()).map(|n| format!("app.get(\"/{n}\", v{n});")).collect();
    let source = format!("{}\nfn registerRules() {{ {rules} }}", functions.join("\n"));
    let (_folder, provision) = load(source, &[]);
    for (n, (view, expected)) in views.iter().enumerate() {
        let got = answer(&provision, request("GET", &format!("/{n}"), &[], b""));
        assert_eq!(got, format!("200 {expected}\n"), "{view}");
    }
}
