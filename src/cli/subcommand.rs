//! The subcommands: their words, operands and descriptions.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subcommand {
    Serve,
    New,
    Check,
    Routes,
    Try,
    Get,
    Probe,
    Wait,
    Report,
    Completions,
    Man,
}

/// Paragraph of the help: how to name a server.
const ADDRESS: &str =
    "ADDRESS is HOST:PORT, HOST or :PORT; without it the admin port on this machine is asked.";

/// Paragraph of the help: how a client subcommand finds a server that nobody named.
const BESIDE: &str = "The server on this machine is where the variables say, or else the arguments of process 1, if \
                      that is an h1mock server as in a container.";

use Subcommand::{Check, Completions, Get, Man, New, Probe, Report, Routes, Serve, Try, Wait};

impl Subcommand {
    /// All subcommands, in the order of the help.
    pub(super) const ALL: [Subcommand; 11] =
        [Serve, New, Check, Routes, Try, Get, Probe, Wait, Report, Completions, Man];

    pub(super) fn named(word: &str) -> Option<Subcommand> {
        Self::ALL.into_iter().find(|subcommand| subcommand.word() == word)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Serve => "serve",
            New => "new",
            Check => "check",
            Routes => "routes",
            Try => "try",
            Get => "get",
            Probe => "probe",
            Wait => "wait",
            Report => "report",
            Completions => "completions",
            Man => "man",
        }
    }

    /// Returns the operands.
    pub(super) fn operands(self) -> &'static str {
        match self {
            Serve => "[FILE...] [TRAFFIC_PORT] [ADMIN_PORT] [VERBOSE] [IPV6]",
            New => "NAME",
            Check => "FILE...",
            Routes => "FILE",
            Try => "FILE METHOD PATH",
            Get => "URL",
            Probe | Wait | Report => "[ADDRESS]",
            Completions => "bash|zsh|fish",
            Man => "",
        }
    }

    /// Returns the line for the list of commands.
    pub(super) fn summary(self) -> &'static str {
        match self {
            Serve => "Run the mock server (without a command, too)",
            New => "Write a provision to start from",
            Check => "Compile provisions and report what is wrong with them",
            Routes => "List the rules that a provision registers",
            Try => "Answer one request with a provision, without a server",
            Get => "Fetch a URL and print the body",
            Probe => "Ask a running server whether it is ready",
            Wait => "Wait until a server is ready, serves a provision or received requests",
            Report => "Print what a server says of its requests, rules and scripts",
            Completions => "Print a script with which a shell completes command lines",
            Man => "Print the man page",
        }
    }

    /// Returns the other paragraphs of the help, each one line; the help wraps them.
    pub(super) fn details(self) -> &'static [&'static str] {
        match self {
            Serve => &[
                "FILE is served from where it is, and loaded again when it, or a file that it reads, is saved. Several files \
                 of one folder serve together. Nothing is written into that folder. Without FILE, the provisions of \
                 --provision-dir and --config-dir serve.",
                "A non-empty VERBOSE or IPV6 switches it on; an empty argument counts as not given. A \
                 flag beats an argument, an argument beats a variable, a variable beats the default.",
                "Sizes take the units k, M and G (powers of 1024), times ms, s, m and h (seconds \
                 without one), switches as variables 1, true, yes, on or 0, false, no, off.",
                "Under the name of tar, test, touch, ls, cat, sh, bash or curl, as in the image, it is that tool \
                 (docs/applets.md).",
            ],
            New => &[
                "Writes NAME.rhai (NAME itself, if it ends in .rhai; `-` is standard output), a provision with comments, and prints \
                 how to serve it and which requests it answers. It overwrites no file.",
            ],
            Check => &[
                "Exit code 1 when a file fails; the messages are those of the admin interface. Warnings name what looks \
                 wrong in a file that loads: unknown names, wrong numbers of arguments, writes that are lost.",
                "--format json prints one JSON document, an object whose `files` has a row for each file. --format github prints \
                 commands by which GitHub Actions shows errors and warnings beside the lines of a pull request.",
            ],
            Routes => &[
                "With --overlay, the rules of all layers in the order in which a request tries them, each with its layer \
                 and the rule that takes all its requests.",
                "Where FILE is a folder, the rules of each provision in it. Exit code 1 when a file fails.",
            ],
            Try => &[
                "Prints the answer of FILE to a request as `curl -i` does. Notes go to standard error: what scripts log, the rule \
                 that served, and the delay and the faults of the answer, for which it does not wait.",
                "The request has the headers that curl sends; a body is a form unless `-H 'Content-Type: ...'` says \
                 otherwise. -H may be repeated; `-H 'Accept:'` leaves a header out.",
                "Exit code 0 with an answer, whatever its status; 1 when a script fails or the file does not load.",
            ],
            Get => &[
                "URL may lack its scheme (`localhost:8000/foo`), its host (`:8074/healthz`) or both \
                 and the port (`/foo`, on the traffic port of the server on this machine). Plain HTTP \
                 only; redirects are not followed.",
                "The body goes to standard output whatever the status. From status 400 on (without \
                 `--any-status`), and when there is no answer, a message goes to standard error and the exit code is 1.",
                "The admin token is sent to the server's own admin port, and nowhere else.",
                BESIDE,
            ],
            Probe => &[
                "Exit code 0 when `/readyz` answers 200, else 1 with the reason on standard error. \
                 ADDRESS is HOST:PORT, HOST or :PORT; without it the admin port on this machine is \
                 asked.",
                "For tcp://HOST:PORT it only connects, to whatever port: exit code 0 when it can within 5 seconds. \
                 It sends no request, so the mock counts none.",
                BESIDE,
            ],
            Wait => &[
                "--for takes METHOD PATH or PATH as rules write it; what follows a `?` are filters of the journal \
                 (docs/testing.md), `query=page=2` for a parameter of the request. Requests that came before \
                 count, too, unless --since says otherwise.",
                "Without options it waits for `/readyz` to answer 200. A server that does not listen \
                 yet is tried again. Exit code 0 when it came true, 1 when the time is over or the \
                 server refuses.",
                ADDRESS,
                BESIDE,
            ],
            Report => &[
                "Prints what `/app/v1/report` answers. Exit code 0; with --fail-on (or the server's own, in its container) \
                 3 where one of these holds: requests that no rule served (unmatched), rules that served no request \
                 (unused), scripts that failed (errors), provisions that did not load (loads). 1 when there is no report.",
                ADDRESS,
                BESIDE,
            ],
            Completions => &[
                "For this shell: `source <(h1mock completions bash)`, `source <(h1mock completions zsh)` (after compinit), \
                 `h1mock completions fish | source`. docs/cli.md says where they stay.",
            ],
            Man => &["To read it: `h1mock man | man -l -`."],
        }
    }

    /// Whether it talks to a running server.
    pub(super) fn is_client(self) -> bool {
        matches!(self, Get | Probe | Wait | Report)
    }
}
