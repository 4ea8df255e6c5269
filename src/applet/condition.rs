//! `test EXPRESSION`, also as `[ EXPRESSION ]`: exit code 0 for true, 1 for false. kubectl runs `test -d` before it copies.

use super::{Failure, Streams};
use rustix::fs::{Access, access};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

const TAKEN: &str = "`test` takes -d, -e, -f, -h, -L, -n, -r, -s, -w, -x, -z with one word, `=` and `!=` between two, \
                     and `!` in front";

pub(super) fn run(args: &[OsString], _: &mut Streams) -> Result<u8, Failure> {
    let args: Vec<&OsStr> = args.iter().map(OsString::as_os_str).collect();
    holds(&args).map(|holds| u8::from(!holds))
}

pub(super) fn bracket(args: &[OsString], io: &mut Streams) -> Result<u8, Failure> {
    match args.split_last() {
        Some((last, args)) if last == "]" => run(args, io),
        _ => Err(Failure::usage("missing `]`")),
    }
}

fn holds(args: &[&OsStr]) -> Result<bool, Failure> {
    match args {
        [] => Ok(false),
        [word] => Ok(!word.is_empty()),
        [left, operator, right] if *operator == "=" => Ok(left == right),
        [left, operator, right] if *operator == "!=" => Ok(left != right),
        [not, rest @ ..] if *not == "!" => holds(rest).map(|holds| !holds),
        [operator, word] => unary(operator, word),
        _ => Err(refused(args)),
    }
}

fn unary(operator: &OsStr, word: &OsStr) -> Result<bool, Failure> {
    let path = Path::new(word);
    let may = |how| access(path, how).is_ok();
    Ok(match operator.to_str().unwrap_or_default() {
        "-d" => path.is_dir(),
        "-e" => path.exists(),
        "-f" => path.is_file(),
        "-h" | "-L" => path.is_symlink(),
        "-n" => !word.is_empty(),
        "-r" => may(Access::READ_OK),
        "-s" => fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0),
        "-w" => may(Access::WRITE_OK),
        "-x" => may(Access::EXEC_OK),
        "-z" => word.is_empty(),
        _ => return Err(refused(&[operator, word])),
    })
}

fn refused(args: &[&OsStr]) -> Failure {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    Failure::usage(format!("failed to understand `{}`: {TAKEN}", args.join(" ")))
}
