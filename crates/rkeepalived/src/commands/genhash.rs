//! genhash mode: the MD5 digest of a page, for `digest` of HTTP_GET. What it does is the checkers' business, so that it
//! is the digest that a check sees.

use std::ffi::OsString;
use std::io::Write;

/// Whether we were called `genhash`, or `-T` / `--genhash` is the first word.
pub(crate) fn wanted(words: &[OsString]) -> bool {
    is_named_genhash(words) || words.get(1).is_some_and(|first| first == "-T" || first == "--genhash")
}

/// Runs it; the result is the exit status.
pub(crate) fn run(words: &[OsString]) -> i32 {
    let before = if is_named_genhash(words) { 1 } else { 2 };
    let arguments: Vec<String> = words.iter().skip(before).map(|word| word.to_string_lossy().into_owned()).collect();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(refused) => {
            eprintln!("cannot start: {refused}");
            return 1;
        }
    };
    let output = runtime.block_on(checkers::genhash::run(&arguments));
    // A reader that has gone is no failure of ours.
    let _ = std::io::stdout().write_all(output.stdout.as_bytes());
    let mut called = words.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if before == 2 {
        called += " --genhash";
    }
    let told = output.stderr.replace("Usage: genhash ", &format!("Usage: {called} "));
    let _ = std::io::stderr().write_all(told.as_bytes());
    i32::from(output.code)
}

fn is_named_genhash(words: &[OsString]) -> bool {
    let name = words.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.rsplit('/').next() == Some("genhash")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_name_or_the_first_option_chooses_it() {
        assert!(wanted(&words("/usr/bin/genhash -s 127.0.0.1")));
        assert!(wanted(&words("rkeepalived -T -s 127.0.0.1")));
        assert!(wanted(&words("rkeepalived --genhash")));
        assert!(!wanted(&words("rkeepalived -n -T")));
        assert!(!wanted(&words("/opt/genhash/rkeepalived -n")));
    }
}
