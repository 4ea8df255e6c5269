//! Random tables with a fixed seed. The reference goes through all rules, in an order that it computes in its own way. Router and
//! reference were compared with Werkzeug 2.0.3 on a million requests and URLs of such tables.

use super::*;
use crate::routing::pattern::Token;
use crate::routing::quoting::encode_path;
use fastrand::Rng;

const STATIC: [&str; 6] = ["a", "b", "ab", "1", "a.b", "é"];
const CONVERTERS: [&str; 12] = [
    "",
    "int:",
    "int(min=2):",
    "int(signed=True):",
    "float:",
    "string(length=2):",
    "any(a,ab,'a.b'):",
    "any('a/b',b):",
    "uuid:",
    "path:",
    "path:",
    "string(maxlength=1):",
];
const VALUES: [&str; 10] =
    ["a", "ab", "1", "12", "-3", "1.5", "a.b", "a/b", "a//b", "12345678-1234-abcd-abcd-1234567890ab"];
const METHODS: [&str; 4] = ["GET", "POST", "GET,PUT", "OPTIONS"];

fn pick<'a>(random: &mut Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(..from.len())]
}

fn pattern(random: &mut Rng) -> String {
    let (mut text, mut variables) = ("/".to_owned(), 0);
    let segments = random.usize(..4);
    for segment in 0..segments {
        // Up to two variables with a text between them.
        for _ in 0..[1, 1, 1, 2, 2, 3][random.usize(..6)] {
            if random.u8(..5) < 2 {
                text.push_str(pick(random, &STATIC));
            } else {
                variables += 1;
                text.push_str(&format!("<{}v{variables}>", pick(random, &CONVERTERS)));
            }
        }
        let last = segment + 1 == segments;
        text.push_str(if !last || random.u8(..3) == 0 { "/" } else { "" });
    }
    text
}

fn random_rule(random: &mut Rng) -> (Rule, String) {
    let text = pattern(random);
    let flag = |random: &mut Rng| (random.u8(..8) == 0).then_some(false);
    let options = RuleOptions {
        strict_slashes: flag(random),
        merge_slashes: flag(random),
        defaults: flag(random).map(|_| ("d".to_owned(), Value::Int(1))).into_iter().collect(),
        ..RuleOptions::default()
    };
    let endpoint = pick(random, &["e", "f"]);
    (rule(&format!("{} {text}", pick(random, &METHODS)), endpoint, options), text)
}

/// Makes a path with a fair chance to match.
fn path_for(random: &mut Rng, pattern: &str) -> String {
    let mut path = String::new();
    for (at, part) in pattern.split(['<', '>']).enumerate() {
        path.push_str(if at % 2 == 1 { pick(random, &VALUES) } else { part });
    }
    match random.u8(..8) {
        0 => path.push('/'),
        1 => path = path.trim_end_matches('/').to_owned(),
        2 => path = path.replacen('/', "//", random.usize(1..4)),
        _ => {}
    }
    path
}

/// Compares by Werkzeug's order, in another way than the router.
fn before(a: &Rule, b: &Rule) -> std::cmp::Ordering {
    let key = |rule: &Rule| {
        let (mut item, mut lengths, mut weights, mut text) = (0_i64, Vec::new(), Vec::new(), false);
        for token in rule.tokens() {
            match token {
                Token::Variable(variable) => {
                    weights.push(match variable.converter.to_string().split('(').next() {
                        Some("int" | "float") => 50_i64,
                        Some("path") => 200,
                        _ => 100,
                    });
                    item += 1;
                    text = false;
                }
                other => {
                    item += i64::from(!text);
                    text = true;
                    if let Token::Text(part) = other {
                        lengths.push((item, -(part.chars().count() as i64)));
                    }
                }
            }
        }
        (!rule.variables().is_empty(), -(lengths.len() as i64), lengths, -(weights.len() as i64), weights)
    };
    key(a).cmp(&key(b))
}

fn reference(router: &Router, method: &str, path: &str) -> Found {
    let path = format!("/{}", path.trim_start_matches('/'));
    let mut order: Vec<usize> = (0..router.rules().len()).collect();
    order.sort_by(|&a, &b| before(&router.rules()[a], &router.rules()[b]));
    let mut allow = Vec::new();
    for index in order {
        let rule = &router.rules()[index];
        let Some(matched) = rule.matches(&path) else { continue };
        if !rule.methods().iter().any(|served| served == method) {
            allow.extend_from_slice(rule.methods());
            continue;
        }
        let redirect = matched.redirect.or_else(|| router.default_redirect(index, method, &matched.values));
        return match redirect {
            Some(path) => Found::Redirect { path },
            None => Found::Rule { index, values: matched.values },
        };
    }
    allow.sort();
    allow.dedup();
    if allow.is_empty() { Found::NotFound } else { Found::MethodNotAllowed { allow } }
}

#[test]
fn the_router_finds_the_rule_that_a_search_through_all_rules_finds() {
    let mut random = Rng::with_seed(8074);
    let mut seen = [0; 4];
    for _ in 0..4_000 {
        let size = random.usize(1..12);
        let (rules, patterns): (Vec<_>, Vec<_>) = (0..size).map(|_| random_rule(&mut random)).unzip();
        let router = Router::new(rules);
        for _ in 0..10 {
            let of = random.usize(..size);
            let path = path_for(&mut random, &patterns[of]);
            let method = pick(&mut random, &["GET", "HEAD", "POST", "OPTIONS", "PATCH"]);
            let expected = reference(&router, method, &path);
            assert_eq!(router.find(method, &path), expected, "{patterns:?} {method} {path}");
            seen[match expected {
                Found::Rule { .. } => 0,
                Found::Redirect { .. } => 1,
                Found::MethodNotAllowed { .. } => 2,
                Found::Moved { .. } | Found::NotFound => 3,
            }] += 1;
        }
    }
    // The test is only worth something if all outcomes are frequent.
    assert!(seen.iter().all(|count| *count > 500), "{seen:?}");
}

#[test]
fn a_url_that_url_for_builds_leads_back_to_its_rule() {
    let mut random = Rng::with_seed(8000);
    for _ in 0..2_000 {
        let (rule, pattern) = random_rule(&mut random);
        let router = Router::new(vec![rule.clone()]);
        let path = path_for(&mut random, &pattern);
        let method = &rule.methods()[0];
        let Found::Rule { values, .. } = router.find(method, &path) else { continue };
        let named: Vec<_> =
            rule.variables().into_iter().map(str::to_owned).zip(values.iter().cloned()).collect();
        let url = router.url_for(rule.endpoint(), &named).unwrap_or_default();
        let again = router.find(method, &decode_path(&url));
        assert_eq!(again, Found::Rule { index: 0, values }, "{pattern} {path} {url}");
    }
}

#[test]
fn the_router_never_panics() {
    let mut random = Rng::with_seed(1);
    let pieces = [
        "/",
        "//",
        "<",
        ">",
        "<x>",
        "<int:",
        "(",
        ")",
        ":",
        "=",
        ",",
        "\"",
        "'",
        "any(",
        "a",
        "é",
        "\u{0}",
        "%",
        "%2",
        "%ff",
        "*",
        "?",
        "\n",
        "-",
        "1",
        ".",
        "<path:p>",
        "<any(a,'é'):y>",
        "min",
        "\u{fffd}",
        "..",
        "<string(length=2):z>",
    ];
    let text = |random: &mut Rng, most: usize| -> String {
        (0..random.usize(..most)).map(|_| pick(random, &pieces)).collect()
    };
    for _ in 0..5_000 {
        let texts: Vec<String> = (0..4).map(|_| format!("/{}", text(&mut random, 9))).collect();
        let rules = texts.iter().filter_map(|text| Rule::parse(text, "e", RuleOptions::default()).ok());
        let router = Router::new(rules.collect());
        router.shadowed();
        for _ in 0..10 {
            let path = decode_path(&text(&mut random, 12)).into_owned();
            router.find(pick(&mut random, &["GET", "", "é"]), &path);
            router.allowed(&encode_path(&path), None);
            router.url_for("e", &[("x".to_owned(), Value::Text(path))]);
        }
    }
}
