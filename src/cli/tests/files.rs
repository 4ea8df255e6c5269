//! Files of `h1mock serve FILE...`, and the colours of its output.

use super::*;

#[test]
fn files_stand_beside_ports_and_are_told_from_commands() {
    for (args, files, traffic, admin) in [
        (&["serve", "a", "b.rhai", "9000", "9074"][..], &["a", "b.rhai"][..], 9000, 9074),
        (&["serve", "check"], &["check"], 8000, 8074),
        (&["./check", "9000"], &["./check"], 9000, 8074),
        (&["a.rhai", "b"], &["a.rhai", "b"], 8000, 8074),
        (&["there"], &["there"], 8000, 8074),
        (&["m/a", "--admin-port=7"], &["m/a"], 8000, 7),
        (&["9000", "9074", "a.rhai", "m/b"], &["a.rhai", "m/b"], 9000, 9074),
        (&["9000", "a.rhai", "9074"], &["a.rhai"], 9000, 9074),
        (&["9000", "9074", "there"], &[], 9000, 9074),
        (&["serve", "./9000"], &["./9000"], 8000, 8074),
        (&["9000.rhai", ""], &["9000.rhai"], 8000, 8074),
    ] {
        let settings = served(args, &[]);
        let named: Vec<&str> = settings.files.iter().map(|file| file.to_str().unwrap()).collect();
        assert_eq!(
            (&*named, settings.traffic_port, settings.admin_port),
            (files, traffic, admin),
            "{args:?}"
        );
    }
}

#[test]
fn colours_are_off_by_no_color_unless_they_are_asked_for() {
    for (args, env, color) in [
        (&[][..], &[][..], Color::Auto),
        (&[], &[("NO_COLOR", "1")], Color::Never),
        (&[], &[("NO_COLOR", "")], Color::Auto),
        (&[], &[("TERM", "dumb")], Color::Never),
        (&["--color=always"], &[("NO_COLOR", "1")], Color::Always),
        (&[], &[("NO_COLOR", "1"), ("H1MOCK_COLOR", "auto")], Color::Auto),
        (&["--color", "never"], &[], Color::Never),
    ] {
        assert_eq!(served(args, env).color, color, "{args:?} {env:?}");
    }
    let expected = "failed to parse `--color`: `red` is none of `auto`, `always` and `never`";
    assert_error(&["--color=red"], &[], expected);
}
