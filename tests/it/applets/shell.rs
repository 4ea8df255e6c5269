//! `sh -c`, as users of the original type it.

use super::Image;
use crate::harness::Mock;

#[test]
fn one_command_runs() {
    let image = Image::new();
    image.write("provision/initial", "");
    image.write("a b", "x");
    for shell in ["sh", "bash"] {
        assert_eq!(image.run(&[shell, "-c", "touch provision/new"]).all(), (0, "", ""));
        assert_eq!(image.run(&[shell, "-c", "ls provision"]).all(), (0, "initial\nnew\n", ""));
        assert_eq!(image.run(&[shell, "-c", "exec cat 'a b'"]).all(), (0, "x", ""));
        assert_eq!(image.run(&[shell, "-c", "h1mock --version"]).all(), (0, "h1mock 1.0.0\n", ""));
        assert_eq!(image.run(&[shell, "-c", "[ -d provision ]"]).all(), (0, "", ""));
        assert_eq!(image.run(&[shell, "-c", "test -d no"]).all(), (1, "", ""));
        assert_eq!(image.run(&[shell, "-c", "sh -c \"ls 'a b'\""]).all(), (0, "a b\n", ""));
        assert_eq!(image.feed(&[shell, "-c", "cat"], b"in").all(), (0, "in", ""));
    }
}

#[test]
fn there_is_no_shell() {
    let image = Image::new();
    let instead = "there is no shell in this image; run one of h1mock, tar, test, touch, ls, cat, curl directly, e.g. \
                   `kubectl exec POD -- ls /app/provision`\n";
    let message = |shell: &str, what: &str| format!("{shell}: {what}: {instead}");
    for shell in ["sh", "bash"] {
        for command in ["ls; ls", "echo hello", "ls | cat", "cd / && ls"] {
            let expected = message(shell, &format!("failed to run `{command}`"));
            assert_eq!(image.run(&[shell, "-c", command]).all(), (2, "", expected.as_str()));
        }
        let expected = message(shell, "failed to start a shell");
        assert_eq!(image.run(&[shell]).all(), (2, "", expected.as_str()));
        assert_eq!(image.run(&[shell, "-i"]).all(), (2, "", expected.as_str()));
    }
    let expected = "tar: missing argument: `tar cf - PATH...`\n";
    assert_eq!(image.run(&["sh", "-c", "tar cf -"]).all(), (2, "", expected));
}

#[test]
fn retries_of_kubectl_continue_the_same_archive() {
    let image = Image::new();
    image.write("provision/b", &"b".repeat(3000));
    image.write("provision/a", "a");
    let whole = image.run(&["tar", "cf", "-", "provision"]).out;
    for from in [0, 1, 2, 513, 70_000] {
        let left = image.run(&["sh", "-c", &format!("tar cf - provision | tail -c+{from}")]);
        let expected = whole.get(from.max(1) - 1..).unwrap_or_default();
        assert!(left.code == 0 && left.err.is_empty() && left.out == expected, "{from}: {left:?}");
    }
}

#[test]
fn touch_and_curl_of_the_original_notes_work() {
    let mock = Mock::start();
    let image = Image::new();
    let initial = mock.directory().join("initial");
    let generation = mock.active().1;
    let left = image.run(&["sh", "-c", &format!("touch {}", initial.display())]);
    assert_eq!(left.all(), (0, "", ""));
    crate::harness::eventually(|| match mock.active().1 {
        now if now == generation + 1 => Ok(()),
        now => Err(now),
    });
    let left = image.run(&["sh", "-c", &format!("curl -XGET -v http://{}/any/path/", mock.traffic)]);
    assert_eq!(left.code, 0);
    assert!(left.err.contains("< HTTP/1.1 404 Not Found\n"), "{}", left.err);
    assert!(left.text().contains("help here for mock provisions</a>"), "{}", left.text());
}
