//! Client commands read the arguments of process 1, here in a pid namespace of their own.

use super::{Image, feed, isolated};
use crate::harness::skip_without;

/// Runs the mock as process 1, and `script` beside it, whose `$1` is the folder of links. Runs in a network of its own, where
/// all ports are free, since the test must name them. `None`: this machine can't do it.
fn beside_a_mock(script: &str) -> Option<super::Left> {
    let image = Image::new();
    let mut command = isolated(&["--pid", "--fork", "--net", "--mount-proc"])?;
    // The shell becomes the mock; the end of the script beside it ends the mock. The script begins when process 1 is the mock:
    // before that its arguments are those of the shell, without ports.
    let script = format!(
        "ip link set lo up || exit 77
         (tries=0; while [ $tries -lt 2000 ] && grep -qa '^/bin/sh' /proc/1/cmdline; do
            tries=$((tries + 1)); sleep 0.01; done
          \"$1\"/h1mock wait --timeout 20s; {script}; kill -TERM 1) &
         exec \"$1\"/h1mock --bind 127.0.0.1 18123 --admin-port=18124 >/dev/null 2>log"
    );
    command.args([&script, "sh"]).arg(image.folder.0.join("bin")).current_dir(image.path(""));
    command.env_remove("H1MOCK_ADMIN_PORT").env_remove("H1MOCK_TRAFFIC_PORT");
    let left = feed(command, b"");
    if left.code == 77 {
        skip_without(&format!("network namespace that can be used: {}", left.err));
    }
    (left.code != 77).then_some(left)
}

#[test]
fn the_ports_of_process_1_are_found() {
    let script = "\"$1\"/h1mock probe; echo probe $?; \"$1\"/h1mock wait --timeout 5s; echo wait $?; \
                  \"$1\"/curl -s -f :18124/readyz; echo readyz $?; \
                  \"$1\"/h1mock get /none >/dev/null; echo get $?; \"$1\"/curl -sf /none; echo curl $?; \
                  H1MOCK_ADMIN_PORT=9 \"$1\"/h1mock probe; echo variable $?";
    let Some(left) = beside_a_mock(script) else { return };
    let out = "probe 0\nwait 0\nreadyz 0\nget 1\ncurl 22\nvariable 1\n";
    let err = "h1mock: failed to get `http://127.0.0.1:18123/none`: 404 Not Found\n\
               h1mock: failed to connect to `127.0.0.1:9`: connection refused\n";
    // The mock ended as after SIGTERM.
    assert_eq!(left.all(), (143, out, err));
}
