//! Large files by `send_file` arrive byte for byte and take little memory, whatever their clients and the files do meanwhile.

use crate::faults::process::{descriptors, status};
use crate::harness::{Client, Mock, eventually};
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/ping", || "pong");
    app.get("/file/<path:name>", |name| send_file(name));
    app.get("/held", || send_file("large.bin").delay(50));
    app.get("/partial", || send_file("large.bin").fault("partial"));
    app.get("/dribble", || send_file("large.bin").dribble(5, 100));
    app.get("/length/<name>", |name| `${send_file(name).content_length} ${send_file(name).data.len()}`);
    app.get("/head/<name>", |name| send_file(name).text.sub_string(0, 8));
    app.get("/replaced", || { let r = send_file("large.bin"); r.data = "small"; r });
    app.get("/status", || make_response(send_file("large.bin"), 203));
    app.after_request(|response| { response.headers["X-After"] = "yes"; response });
}
"#;

const LARGE: usize = 64 << 20;

/// Returns text that shows its position: every 8 bytes their place in the mebibyte, and each page the number of its mebibyte.
fn content(length: usize, mark: char) -> Vec<u8> {
    let digits: String = (0..1 << 17).map(|at| format!("{mark}{:07x}", at * 8)).collect();
    let (mut part, mut bytes) = (digits.into_bytes(), Vec::with_capacity(length + (1 << 20)));
    while bytes.len() < length {
        let number = format!("{:08x}", bytes.len() >> 20);
        part.chunks_mut(4096).for_each(|page| page[8..16].copy_from_slice(number.as_bytes()));
        bytes.extend_from_slice(&part);
    }
    bytes.truncate(length);
    bytes
}

fn serving(arguments: &[&str], files: &[(&str, &[u8])]) -> Mock {
    let mock = Mock::start_with(arguments, |folder| folder.write("provision/initial", PROVISION));
    for (name, bytes) in files {
        fs::write(mock.directory().join(name), bytes).unwrap();
    }
    mock
}

fn large(mock: &Mock) -> PathBuf {
    mock.directory().join("large.bin")
}

/// Sends a request, and reads the head of the answer.
fn begun(mock: &Mock, target: &str) -> Client {
    let mut client = Client::new(&mock.traffic);
    client.write(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let reply = client.read(true);
    assert_eq!((reply.status, reply.header("content-length")), (200, LARGE.to_string().as_str()));
    client
}

#[track_caller]
fn same(received: &[u8], expected: &[u8]) {
    let differs = received.iter().zip(expected).position(|(one, other)| one != other);
    assert_eq!((received.len(), differs), (expected.len(), None));
}

#[test]
fn a_large_file_arrives_byte_for_byte_and_the_connection_goes_on() {
    let bytes = content(LARGE + 1, 'a');
    let edge = &bytes[..64 << 10];
    let files = [("large.bin", &bytes[..]), ("edge.bin", edge), ("more.bin", &bytes[..edge.len() + 1])];
    let mock = serving(&[], &files);
    let mut client = Client::new(&mock.traffic);
    for (name, expected) in files {
        let reply = client.send("GET", &format!("/file/{name}"), &[], b"");
        let headers = ["content-type", "x-after", "connection"].map(|name| reply.header(name).to_owned());
        assert_eq!((reply.status, headers), (200, ["application/octet-stream", "yes", ""].map(Into::into)));
        same(&reply.body, expected);
        let head = client.send("HEAD", &format!("/file/{name}"), &[], b"");
        let length = expected.len().to_string();
        assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, &*length, 0));
    }
    let held = client.send("GET", "/held", &[], b"");
    same(&held.body, &bytes);
    assert_eq!(client.send("GET", "/status", &[], b"").status, 203);
    assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
    // All files are closed after their answers.
    let before = descriptors(&mock);
    assert_eq!(client.send("GET", "/file/large.bin", &[], b"").body.len(), bytes.len());
    eventually(|| if descriptors(&mock) <= before { Ok(()) } else { Err("a descriptor stays open") });
}

#[test]
fn slow_clients_cost_no_memory_for_what_they_have_not_taken() {
    let bytes = content(LARGE, 'b');
    let mock = serving(&[], &[("large.bin", &bytes)]);
    (0..50).for_each(|_| assert_eq!(mock.get("/ping").status, 200));
    let before = status(&mock, "VmHWM");
    let mut clients: Vec<Client> = (0..4).map(|_| begun(&mock, "/file/large.bin")).collect();
    let mut part = vec![0; 256 << 10];
    for (index, expected) in bytes.chunks(part.len()).enumerate() {
        for client in &mut clients {
            client.reader().read_exact(&mut part).unwrap();
            assert!(part == expected, "part {index}");
        }
        if index == 10 {
            // None of these clients occupies a worker.
            assert_eq!(mock.get("/ping").text(), "pong");
        }
    }
    let after = status(&mock, "VmHWM");
    assert!(after < before + 8_000, "{before} -> {after} kB");
    for client in &mut clients {
        assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
    }
}

#[test]
fn a_file_that_is_replaced_is_sent_on_and_one_that_becomes_shorter_breaks_its_connection() {
    let (old, new) = (content(LARGE, 'o'), content(LARGE + 5, 'n'));
    let mock = serving(&[], &[("large.bin", &old)]);
    let mut client = begun(&mock, "/file/large.bin");
    fs::write(mock.folder.0.join("new"), &new).unwrap();
    fs::rename(mock.folder.0.join("new"), large(&mock)).unwrap();
    same(&mock.get("/file/large.bin").body, &new);
    let mut received = vec![0; LARGE];
    client.reader().read_exact(&mut received).unwrap();
    same(&received, &old);
    assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");

    fs::write(large(&mock), &old).unwrap();
    let mut client = begun(&mock, "/file/large.bin");
    File::options().write(true).open(large(&mock)).unwrap().set_len(1 << 20).unwrap();
    let (mut received, mut part) = (0, vec![0; 64 << 10]);
    let end = loop {
        match client.reader().read(&mut part) {
            Ok(0) => break None,
            Ok(count) => received += count,
            Err(error) => break Some(error.kind()),
        }
    };
    assert!(received < LARGE && end == Some(std::io::ErrorKind::ConnectionReset), "{received} {end:?}");
    mock.wait_for_log("the file of its answer has become shorter");
    assert_eq!(mock.get("/file/large.bin").body.len(), 1 << 20);
}

#[test]
fn a_stop_lets_a_large_file_come_to_its_end() {
    let bytes = content(LARGE, 's');
    let mut mock = serving(&[], &[("large.bin", &bytes)]);
    let mut client = begun(&mock, "/file/large.bin");
    mock.signal("TERM");
    // The mock no longer listens.
    eventually(|| match Client::connect(&mock.traffic, std::time::Duration::from_secs(1)) {
        Ok(_) => Err("it listens"),
        Err(_) => Ok(()),
    });
    let mut received = vec![0; LARGE];
    client.reader().read_exact(&mut received).unwrap();
    same(&received, &bytes);
    drop(client);
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn delays_and_faults_work_on_the_file() {
    let bytes = content(LARGE, 'c');
    let mock = serving(&["--max-buffered", "1M", "--max-body", "64k"], &[("large.bin", &bytes)]);
    let before = status(&mock, "VmHWM");
    let held = mock.get("/held");
    same(&held.body, &bytes);
    same(&mock.get("/dribble").body, &bytes);
    let mut client = begun(&mock, "/partial");
    same(&client.rest().unwrap(), &bytes[..LARGE / 2]);
    let after = status(&mock, "VmHWM");
    assert!(after < before + 8_000, "{before} -> {after} kB");
}

#[test]
fn the_journal_has_the_beginning_and_the_length() {
    let bytes = content(LARGE, 'j');
    let mock = serving(&["--journal-body", "20"], &[("large.bin", &bytes)]);
    assert_eq!(mock.get("/file/large.bin").body.len(), LARGE);
    let entry = mock.admin("GET /app/v1/requests/1", &[], b"").json();
    let text = String::from_utf8_lossy(&bytes[..20]);
    assert_eq!(
        (&entry["answer_body"], &entry["answer_body_length"]),
        (&text.into(), &LARGE.into()),
        "{entry}"
    );
    assert_eq!(entry["answer_body_cut"], true, "{entry}");
}

#[test]
fn scripts_read_what_is_sent_up_to_a_limit() {
    let bytes = content(LARGE, 'd');
    let mock = serving(&[], &[("large.bin", &bytes), ("some.bin", &bytes[..100_000])]);
    assert_eq!(mock.get("/length/some.bin").text(), "100000 100000");
    assert_eq!(mock.get("/head/some.bin").text(), "d0000000");
    assert_eq!(mock.get("/replaced").text(), "small");
    for target in ["/length/large.bin", "/head/large.bin"] {
        let reply = mock.get(target);
        let cause = "failed to read `large.bin`: larger than 16777216 bytes";
        assert!(reply.status == 500 && reply.text().contains(cause), "{}", reply.text());
    }
    let long = "x".repeat(300);
    for (name, cause) in [
        ("missing.bin", "failed to read `missing.bin`: not found"),
        (&long, "longer than 255 bytes"),
        ("../initial", "`../initial`"),
    ] {
        let reply = mock.get(&format!("/file/{name}"));
        assert!(reply.status == 500 && reply.text().contains(cause), "{name}: {}", reply.text());
    }
}

#[test]
fn more_files_at_once_than_may_be_open_are_read_into_memory() {
    let bytes = content(17 << 20, 'e');
    let names: Vec<String> = (0..7).map(|number| format!("{number}.bin")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &bytes[..16 << 20])).collect();
    let mut command = crate::harness::binary_under("ulimit -n 64");
    command.arg("--workers=2");
    let mock = Mock::start_command(command, &[], |folder| {
        folder.write("provision/initial", PROVISION);
        files
            .iter()
            .for_each(|(name, bytes)| fs::write(folder.0.join("provision").join(name), bytes).unwrap());
        fs::write(folder.0.join("provision/over.bin"), &bytes).unwrap();
    });
    let before = descriptors(&mock);
    let mut clients = Vec::new();
    for (name, _) in &files {
        for _ in 0..2 {
            let mut client = Client::new(&mock.traffic);
            client.write(format!("GET /file/{name} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
            assert_eq!(client.read(true).status, 200);
            clients.push(client);
        }
    }
    assert_eq!(descriptors(&mock), before + clients.len() + 5);
    let reply = mock.get("/file/over.bin");
    let cause = "failed to read `over.bin`: too many other files are being sent";
    assert!(reply.status == 500 && reply.text().contains(cause), "{}", reply.text());
    for client in &mut clients {
        let mut received = vec![0; 16 << 20];
        client.reader().read_exact(&mut received).unwrap();
        same(&received, files[0].1);
    }
    same(&mock.get("/file/over.bin").body, &bytes);
}
