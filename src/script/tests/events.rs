//! `sse`: events that a strict parser reads as they were given.

use crate::script::tests::streams::attempt;
use crate::script::tests::trial::load;

/// Events as a client gets them: type, data and last ID; and the last time of `retry`.
#[derive(Debug, Default, PartialEq)]
struct Events {
    events: Vec<(String, String, String)>,
    retry: Option<u64>,
    comments: Vec<String>,
}

/// Interprets a stream by the rules of the HTML Standard, section 9.2.6, and refuses lines with an unknown field.
fn parse(text: &str) -> Events {
    let (mut parsed, mut event, mut data, mut id) =
        (Events::default(), String::new(), String::new(), String::new());
    assert!(!text.contains('\r'));
    for line in text.split_terminator('\n') {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" if line.is_empty() => {
                let (event, mut data) = (std::mem::take(&mut event), std::mem::take(&mut data));
                if data.pop().is_some() {
                    let event = if event.is_empty() { "message".to_owned() } else { event };
                    parsed.events.push((event, data, id.clone()));
                }
            }
            "" => parsed.comments.push(value.to_owned()),
            "event" => event = value.to_owned(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            "id" => id = value.to_owned(),
            "retry" => parsed.retry = value.parse().ok(),
            other => panic!("unknown field `{other}` in {text:?}"),
        }
    }
    parsed
}

#[test]
fn events_arrive_as_they_were_given() {
    for (event, sent, expected) in [
        ("\"plain\"", "data: plain\n\n", ("message", "plain", "")),
        ("\"\"", "data:\n\n", ("message", "", "")),
        ("\" a\\n  b\"", "data:  a\ndata:   b\n\n", ("message", " a\n  b", "")),
        ("\"a\\r\\nb\\rc\\n\"", "data: a\ndata: b\ndata: c\ndata:\n\n", ("message", "a\nb\nc\n", "")),
        ("\"\\n\\n\"", "data:\ndata:\ndata:\n\n", ("message", "\n\n", "")),
        // A token of a language model.
        ("\":\\n\\n\"", "data: :\ndata:\ndata:\n\n", ("message", ":\n\n", "")),
        ("\":ä\\n:\"", "data: :ä\ndata: :\n\n", ("message", ":ä\n:", "")),
        ("\"text\".to_blob()", "data: text\n\n", ("message", "text", "")),
        (
            "#{ data: #{ n: [1, 2.5, ()] }, retry: 10, id: 7, event: \"tick\", comment: \"hi\\nyou\" }",
            ": hi\n: you\nevent: tick\nid: 7\nretry: 10\ndata: {\"n\":[1,2.5,null]}\n\n",
            ("tick", "{\"n\":[1,2.5,null]}", "7"),
        ),
        ("#{ data: (), event: (), id: (), retry: () }", "data: null\n\n", ("message", "null", "")),
        ("#{ data: true, id: \"\" }", "id:\ndata: true\n\n", ("message", "true", "")),
        ("#{ data: 7, event: \"\" }", "event:\ndata: 7\n\n", ("message", "7", "")),
        ("#{ data: \"a: b\\n\\nc\" }", "data: a: b\ndata:\ndata: c\n\n", ("message", "a: b\n\nc", "")),
    ] {
        for view in [format!("sse([{event}])"), format!("sse(|n| if n == 0 {{ {event} }})")] {
            let source = format!("fn registerRules() {{ app.get(\"/\", || {view}); }}");
            let (_folder, provision) = load(source, &[]);
            let answer = attempt(&provision, "GET", "/", &[]).outcome.reply.answer;
            let text = String::from_utf8_lossy(answer.body.bytes()).into_owned();
            assert_eq!(text, sent, "{view}");
            assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
            assert_eq!(answer.header("cache-control"), Some("no-cache"));
            let (name, data, id) = expected;
            let parsed = parse(&text);
            assert_eq!(parsed.events, [(name.to_owned(), data.to_owned(), id.to_owned())], "{view}");
            assert_eq!(parsed.retry, sent.contains("retry").then_some(10));
        }
    }
    // A comment, an ID or a time alone is no event.
    for alone in ["comment: \"ping\"", "id: 1", "retry: 5", "event: \"a\""] {
        let source = format!(
            "fn registerRules() {{ app.get(\"/\", || sse([#{{ {alone} }}], #{{ headers: #{{ \"Cache-Control\": \"no-store\" }} }})); }}"
        );
        let (_folder, provision) = load(source, &[]);
        let answer = attempt(&provision, "GET", "/", &[]).outcome.reply.answer;
        assert_eq!(parse(&String::from_utf8_lossy(answer.body.bytes())).events, []);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}
