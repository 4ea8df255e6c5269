//! `tar x` of archives that no honest tool sends: written by hand, cut off, or noise.

use super::{Image, Left, gnu_tar, tree};
use std::fs;
use std::os::unix::fs::symlink;
use tar::{Builder, EntryType, Header};

/// Builds an archive of entries: type, name, target of a link, content.
fn archive(entries: &[(u8, &str, &str, &str)]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (kind, name, target, content) in entries {
        let mut header = header(*kind, name, content.len() as u64);
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn header(kind: u8, name: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(EntryType::new(kind));
    header.set_mode(0o644);
    header.set_size(size);
    header.set_mtime(1_000_000_000);
    header.set_cksum();
    header
}

/// Builds a record of a pax header.
fn record(key: &str, value: &str) -> String {
    let text = format!(" {key}={value}\n");
    let digits = (text.len() + 1).max(text.len() + 2).to_string().len();
    format!("{}{text}", text.len() + digits)
}

/// An image with a folder `dst` to extract into, and files beside it that must stay as they are.
fn image() -> Image {
    let image = Image::new();
    image.write("outside/secret", "secret");
    image.write("dst/there", "there");
    image
}

fn extract(image: &Image, archive: &[u8]) -> Left {
    let left = image.feed(&["tar", "-xf", "-", "-C", "dst"], archive);
    assert!(left.drained);
    assert_eq!(tree(&image.path("outside")), ["secret: secret"]);
    let beside = fs::read_dir(image.path("")).unwrap().count();
    assert_eq!(beside, 2, "something was written beside the folder");
    left
}

#[test]
fn entries_that_lead_out_are_refused_and_the_rest_is_extracted() {
    for (kind, name, target, message) in [
        (b'0', "/tmp/h1mock-evil", "", "its name is absolute"),
        (b'0', "../evil", "", "its name has `..`"),
        (b'0', "a/../../evil", "", "its name has `..`"),
        (b'5', "../evil/", "", "its name has `..`"),
        (b'0', "..", "", "its name has `..`"),
        (b'0', ".", "", "it has no name"),
        (b'0', "out/evil", "", "`out` is a link that leads out of the folder"),
        (b'5', "out/evil/", "", "`out` is a link that leads out of the folder"),
        (b'0', "up/evil", "", "a link on the way leads out of the folder"),
        (b'0', "there/evil", "", "`there` is not a directory"),
        (b'5', "there/", "", "`there` is not a directory"),
        (b'0', "loop/evil", "", "too many levels of symbolic links"),
        (b'2', "l", "/etc/passwd", "its target `/etc/passwd` is absolute and may lead out of the folder"),
        (b'2', "l", "../outside", "its target `../outside` leads out of the folder"),
        (b'2', "sub/l", "../../outside", "its target `../../outside` leads out of the folder"),
        (b'2', "in/l", "../../outside", "its target `../../outside` leads out of the folder"),
        (b'2', "l", "a/../../outside", "its target `a/../../outside` has `..` behind a name"),
        (b'1', "l", "../outside/secret", "its target `../outside/secret`: its name has `..`"),
        (b'1', "l", "/etc/passwd", "its target `/etc/passwd`: its name is absolute"),
        (b'1', "l", "out/secret", "its target `out/secret`: `out` is a link that leads out of the folder"),
        (b'1', "l", "out", "its target `out`: it is not a file"),
        (b'1', "l", "no", "its target `no`: no such file or directory"),
        (b'1', "l", "deep", "its target `deep`: it is not a file"),
        (b'3', "null", "", "it is a device"),
        (b'4', "disk", "", "it is a device"),
        (b'6', "pipe", "", "it is a FIFO"),
        (b'V', "label", "", "its type `V` is not supported"),
    ] {
        let image = image();
        fs::create_dir_all(image.path("dst/deep/er")).unwrap();
        symlink(image.path("outside"), image.path("dst/out")).unwrap();
        symlink("..", image.path("dst/up")).unwrap();
        symlink("loop", image.path("dst/loop")).unwrap();
        symlink("deep", image.path("dst/in")).unwrap();
        let before = tree(&image.path("dst"));
        let archive = archive(&[(b'0', "first", "", "1"), (kind, name, target, ""), (b'0', "last", "", "2")]);
        let left = extract(&image, &archive);
        let expected = format!("tar: failed to extract `{name}`: {message}\n");
        assert_eq!(left.all(), (1, "", expected.as_str()));
        let mut after = tree(&image.path("dst"));
        // `sub/l` may create its parent.
        after.retain(|line| line != "sub/");
        let mut expected = [before, vec!["first: 1".into(), "last: 2".into()]].concat();
        expected.sort();
        assert_eq!(after, expected, "{name} {target}");
    }
    assert!(!fs::exists("/tmp/h1mock-evil").unwrap());
}

#[test]
fn links_that_stay_inside_are_followed_and_created() {
    let image = image();
    fs::create_dir_all(image.path("dst/deep/er")).unwrap();
    symlink("deep/er", image.path("dst/in")).unwrap();
    symlink("../there", image.path("dst/deep/there")).unwrap();
    let archive = archive(&[
        (b'0', "in/a", "", "1"),
        (b'5', "in/", "", ""),
        (b'5', "in/new/", "", ""),
        (b'2', "in/l", "../../there", ""),
        (b'1', "hard", "in/a", ""),
        (b'1', "hard", "in/a", ""),
        (b'1', "hard", "hard", ""),
        (b'0', "deep/there", "", "2"),
        (b'2', "there", "hard", ""),
        (b'0', "old-folder/", "", ""),
        (b'7', "contiguous", "", "3"),
        (b'\0', "oldest", "", "4"),
    ]);
    assert_eq!(extract(&image, &archive).all(), (0, "", ""));
    let expected = [
        "contiguous: 3",
        "deep/",
        "deep/er/",
        "deep/er/a: 1",
        "deep/er/l -> ../../there",
        "deep/er/new/",
        "deep/there: 2",
        "hard: 1",
        "in -> deep/er",
        "old-folder/",
        "oldest: 4",
        "there -> hard",
    ];
    assert_eq!(tree(&image.path("dst")), expected);
}

#[test]
fn an_archive_cannot_build_its_own_way_out() {
    let image = image();
    let archive = archive(&[
        (b'2', "a", "b", ""),
        (b'2', "b", "..", ""),
        (b'5', "b/", "", ""),
        (b'0', "b/x", "", "x"),
        (b'2', "b", "../outside", ""),
        (b'0', "a/secret", "", "changed"),
        (b'5', "p/q/", "", ""),
        (b'2', "p/q/root", "../..", ""),
        (b'2', "p/q/root/l", "../outside", ""),
        (b'0', "p/q/root/y", "", "y"),
    ]);
    let left = extract(&image, &archive);
    assert_eq!(left.code, 1);
    let expected = [
        "a -> b",
        "b/",
        "b/secret: changed",
        "b/x: x",
        "p/",
        "p/q/",
        "p/q/root -> ../..",
        "there: there",
        "y: y",
    ];
    assert_eq!(tree(&image.path("dst")), expected);
}

#[test]
fn sparse_files_are_refused_in_both_forms() {
    for format in ["gnu", "pax"] {
        let image = image();
        fs::create_dir(image.path("outside/tmp")).unwrap();
        let source = image.path("outside/tmp");
        // A terabyte of holes must not be read.
        fs::File::create(source.join("sparse")).unwrap().set_len(1 << 40).unwrap();
        fs::write(source.join("tail"), "2").unwrap();
        let archive = gnu_tar(&source, &[&format!("--format={format}"), "-Scf", "-", "sparse", "tail"]);
        fs::remove_dir_all(&source).unwrap();
        let left = extract(&image, &archive);
        assert_eq!(left.code, 1);
        assert!(left.err.ends_with("sparse`: it is a sparse file, pack it without `-S`\n"), "{left:?}");
        assert_eq!(tree(&image.path("dst")), ["tail: 2", "there: there"], "{format}");
    }
}

#[test]
fn pax_records_set_name_and_size() {
    let image = image();
    let long = format!("{}/{}", "ä".repeat(60), "ö".repeat(100));
    let records = record("path", &long) + &record("size", "3") + &record("mtime", "1.5");
    let mut raw = Builder::new(Vec::new());
    raw.append(&header(b'g', "pax_global_header", 12), &b"12 comment=\n"[..]).unwrap();
    raw.append(&header(b'x', "pax", records.len() as u64), records.as_bytes()).unwrap();
    // The size in the header is wrong; the size in the record counts.
    let mut lying = header(b'0', "short", 0).as_bytes().to_vec();
    lying.extend(b"abc");
    lying.resize(1024, 0);
    raw.get_mut().extend(lying);
    raw.append(&header(b'0', "next", 1), &b"n"[..]).unwrap();
    let archive = raw.into_inner().unwrap();
    assert_eq!(extract(&image, &archive).all(), (0, "", ""));
    let folder = long.split('/').next().unwrap();
    assert_eq!(
        tree(&image.path("dst")),
        ["next: n", "there: there", &format!("{folder}/"), &format!("{long}: abc")]
    );
}

#[test]
fn archives_that_end_early_leave_no_half_files() {
    let image = image();
    let whole = archive(&[(b'0', "first", "", "1"), (b'0', "there", "", &"x".repeat(3000))]);
    let early = "tar: failed to read the archive: it ends early\n";
    let content = "tar: failed to extract `there`: it ends early\n";
    for (length, code) in
        [(0, 0), (100, 1), (512, 1), (700, 1), (1024, 0), (1300, 1), (1536, 1), (4000, 1), (4700, 1)]
    {
        let left = extract(&image, &whole[..length]);
        assert_eq!(left.code, code, "{length}: {left:?}");
        let said = left.err.replace("first", "there");
        assert!(
            code == 0 && said.is_empty() || said == early || said == format!("{content}{early}"),
            "{said}"
        );
        let there = image.read("dst/there");
        assert!(there == "there" || length == 4700, "{length}");
        assert!(tree(&image.path("dst")).iter().all(|line| !line.contains("h1mock")), "{length}");
    }
    // More than 8 GiB announced, in both of the known forms.
    let mut huge = Builder::new(Vec::new());
    huge.get_mut().extend(header(b'0', "huge", 9 << 30).as_bytes());
    let size = record("size", &(9_u64 << 30).to_string());
    let mut pax = Builder::new(Vec::new());
    pax.append(&header(b'x', "pax", size.len() as u64), size.as_bytes()).unwrap();
    pax.get_mut().extend(header(b'0', "huge", 0).as_bytes());
    for archive in [huge.get_ref(), pax.get_ref()] {
        let left = extract(&image, &[archive, &b"begin"[..]].concat());
        assert!(left.code == 1 && left.err.ends_with(early), "{left:?}");
        let left = image.feed(&["tar", "tvf", "-"], &[archive, &b"begin"[..]].concat());
        assert!(left.text().contains(" 9663676416 ") && left.err == early, "{left:?}");
    }
}

#[test]
fn input_that_is_no_archive_is_refused() {
    let image = image();
    let compressed = gnu_tar(&image.path(""), &["czf", "-", "dst"]);
    let endless = header(b'L', "././@LongLink", 1 << 40);
    for (bytes, message) in [
        (compressed, "it is compressed, there is no compression here"),
        (vec![b'x'; 2000], "numeric field was not a number"),
        ([&header(b'0', "a", 0).as_bytes()[..100], &[b'z'; 412]].concat(), ""),
        ([endless.as_bytes(), &[b'x'; 3 << 20][..]].concat(), "the headers of an entry are over 1 MiB"),
        (
            [header(b'L', "long", 0).as_bytes(), &[0; 1024][..]].concat(),
            "members found describing a future member",
        ),
    ] {
        let left = extract(&image, &bytes);
        assert!(left.err.starts_with(&format!("tar: failed to read the archive: {message}")), "{left:?}");
        assert_eq!(left.code, 1);
        assert_eq!(tree(&image.path("dst")), ["there: there"]);
    }
}

#[test]
fn names_cannot_fake_lines() {
    let image = image();
    let archive = archive(&[(b'0', "a\nb\u{1b}[31m/..", "", "")]);
    let expected = "tar: failed to extract `a\\nb\\u{1b}[31m/..`: its name has `..`\n";
    assert_eq!(extract(&image, &archive).all(), (1, "", expected));
    let listed = image.feed(&["tar", "tf", "-"], &archive);
    assert_eq!(listed.text(), "a\\nb\\u{1b}[31m/..\n");
}

/// Truncated, altered and invented archives: no panic (101), no signal, nothing outside, all of the input read.
#[test]
fn noise_does_no_harm() {
    let image = image();
    symlink(image.path("outside"), image.path("dst/out")).unwrap();
    let good = archive(&[
        (b'5', "sub/", "", ""),
        (b'0', "sub/a", "", &"x".repeat(700)),
        (b'2', "l", "sub/a", ""),
        (b'1', "h", "sub/a", ""),
        (b'L', "././@LongLink", "", &"n".repeat(300)),
        (b'0', "n", "", "1"),
        (b'x', "pax", "", &(record("path", "p") + &record("size", "1"))),
        (b'0', "q", "", "1"),
    ]);
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    let mut state = seed | 1;
    let mut random = |below: usize| {
        // xorshift
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for turn in 0..150 {
        let mut bytes = good.clone();
        match turn % 3 {
            0 => bytes.truncate(random(good.len())),
            1 => bytes = (0..random(5000)).map(|_| random(256) as u8).collect(),
            _ => {
                // Changes a field, and corrects the checksum of its header.
                let block = random(good.len() / 512) * 512;
                for _ in 0..=random(4) {
                    bytes[block + random(512)] = b"\0/.. 01257LKxgS\x80\xff"[random(17)];
                }
                bytes[block + 148..block + 156].fill(b' ');
                let sum: u32 = bytes[block..block + 512].iter().map(|byte| u32::from(*byte)).sum();
                bytes[block + 148..block + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        let left = extract(&image, &bytes);
        assert!([0, 1].contains(&left.code), "seed {seed}, turn {turn}: {left:?}");
        assert_eq!(
            fs::read_link(image.path("dst/out")).unwrap(),
            image.path("outside"),
            "seed {seed}, turn {turn}"
        );
    }
}
