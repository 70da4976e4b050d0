//! genhash mode: the MD5 digest of a page, for `digest` of HTTP_GET.

use std::ffi::OsString;

/// Whether we were called `genhash`, or `-T` / `--genhash` is the first word.
pub(crate) fn wanted(words: &[OsString]) -> bool {
    let name = words.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.rsplit('/').next() == Some("genhash")
        || words.get(1).is_some_and(|first| first == "-T" || first == "--genhash")
}

/// Runs it; the result is the exit status.
pub(crate) fn run(_words: &[OsString]) -> i32 {
    eprintln!("genhash is not part of this version yet");
    1
}
