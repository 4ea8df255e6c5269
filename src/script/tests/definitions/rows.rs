//! The tables of `docs/provisions.md`: what each call gives, with an example.

const REFERENCE: &str = include_str!("../../../../docs/provisions.md");

/// Headers of columns that say what a call does by themselves. Others stand before their text: `Methods: GET`.
const PLAIN_HEADERS: [&str; 6] = ["Gives", "Meaning", "Effect", "Answer", "Requests that go on", ""];

/// One call of a table, `store.get("k", default)`.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub section: &'static str,
    /// The part before the last dot: `store`; empty for a function.
    pub receiver: String,
    pub name: String,
    /// The arguments as they are written; `None` for a property.
    pub arguments: Option<Vec<String>>,
    /// The line of the doc comment; may be empty.
    pub text: String,
    /// The expression of the table with its value, or else the call.
    pub example: String,
}

/// Returns the calls of all tables.
pub(super) fn rows() -> Vec<Row> {
    let (mut rows, mut section, mut fenced) = (Vec::new(), "", false);
    let mut headers: Option<Vec<String>> = None;
    for line in REFERENCE.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            section = heading;
        }
        let Some(line) = line.strip_prefix('|') else {
            headers = None;
            continue;
        };
        let cells = cells(line);
        match &headers {
            None => headers = Some(cells),
            // A table of Python's words is no reference.
            Some(headers) if headers[0] == "Python" || cells[0].starts_with("---") => {}
            Some(headers) => rows.extend(calls(section, headers, &cells)),
        }
    }
    rows
}

/// Splits a line of a table. In a cell, `\|` means `|`.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim_end().trim_end_matches('|').replace("\\|", "\u{0}");
    line.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
}

fn calls(section: &'static str, headers: &[String], cells: &[String]) -> Vec<Row> {
    let column = |wanted: &str| headers.iter().position(|header| header == wanted);
    let cell = |place: Option<usize>| place.and_then(|place| cells.get(place)).map_or("", String::as_str);
    let spans: Vec<&str> = cells[0].split('`').skip(1).step_by(2).collect();
    let described = (1..headers.len()).find(|place| headers[*place] != "Example");
    let header = described.map_or("", |place| headers[place].as_str());
    let text = match (cell(described), PLAIN_HEADERS.contains(&header) || header.starts_with("Of ")) {
        ("", _) => String::new(),
        (text, true) => without_links(text),
        (text, false) => format!("{header}: {}", without_links(text)),
    };
    let example = cell(column("Example"));
    let properties = headers[0] == "Property";
    let mut found: Vec<Row> = Vec::new();
    for span in spans {
        for (receiver, name, arguments) in parts(span) {
            let is_continuation = receiver.is_empty() && !found.is_empty() && !span.contains('(');
            let receiver = match found.last() {
                Some(row) if is_continuation || span.starts_with('.') => row.receiver.clone(),
                _ if properties && receiver.is_empty() => "request".to_owned(),
                _ => receiver,
            };
            if receiver.is_empty() && arguments.is_none() {
                continue;
            }
            let arguments = match found.last() {
                Some(row) if is_continuation => row.arguments.clone(),
                _ => arguments,
            };
            let example = if example.contains("` → `") { example.to_owned() } else { format!("`{span}`") };
            found.push(Row { section, receiver, name, arguments, text: text.clone(), example });
        }
    }
    found
}

/// Replaces `[text](target)` by `text`.
fn without_links(text: &str) -> String {
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").filter(|(label, _)| !label.contains(['[', '`']));
        let Some((label, (_, behind))) = link.and_then(|(label, tail)| Some((label, tail.split_once(')')?)))
        else {
            plain += before;
            plain.push('[');
            rest = after;
            continue;
        };
        plain += before;
        plain += label;
        rest = behind;
    }
    plain + rest
}

/// Splits a call, or a chain of calls, into receiver, name and arguments: `r.status(201).header("a", 1)` has two.
fn parts(span: &str) -> Vec<(String, String, Option<Vec<String>>)> {
    let mut found = Vec::new();
    let (mut rest, mut receiver) = (span.trim_start_matches('.'), String::new());
    loop {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        if name.is_empty() || name.starts_with(|letter: char| letter.is_ascii_digit()) {
            return found;
        }
        if let Some(inside) = behind.strip_prefix('(') {
            let Some((arguments, behind)) = arguments(inside) else { return found };
            found.push((receiver.clone(), name.to_owned(), Some(arguments)));
            let Some(behind) = behind.strip_prefix('.') else { return found };
            if name == "scope" {
                receiver = "store".to_owned();
            }
            rest = behind;
        } else if let Some(behind) = behind.strip_prefix('.') {
            receiver = if receiver.is_empty() { name.to_owned() } else { format!("{receiver}.{name}") };
            rest = behind;
        } else {
            if behind.is_empty() {
                found.push((receiver, name.to_owned(), None));
            }
            return found;
        }
    }
}

/// Splits arguments at the commas outside of brackets, up to the bracket that closes the call. Returns the text behind it, too.
fn arguments(inside: &str) -> Option<(Vec<String>, &str)> {
    let (mut depth, mut quoted, mut start, mut found) = (0_usize, false, 0, Vec::new());
    for (at, letter) in inside.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => {
                found.push(inside[start..at].trim().to_owned());
                found.retain(|argument| !argument.is_empty());
                return Some((found, &inside[at + 1..]));
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(inside[start..at].trim().to_owned());
                start = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// Returns the heading of the section that first has `name` between backticks or as a part of it.
pub(super) fn section_with(name: &str) -> Option<&'static str> {
    let (mut section, mut fenced) = (None, false);
    for line in REFERENCE.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        if let Some(heading) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            section = Some(heading);
        }
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let mut code = line.split('`').skip(1).step_by(2);
        if code.any(|code| code.split(|letter| !is_word(letter)).any(|word| word == name))
            && section.is_some()
        {
            return section;
        }
    }
    None
}

/// Returns the anchor of a heading, as GitHub makes it.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter.to_ascii_lowercase() }).collect()
}
