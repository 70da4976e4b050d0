//! Passwords stay out of everything that is printed.

use std::borrow::Cow;

/// Keywords whose value nobody but the daemon should see.
const SECRET: [&str; 3] = ["auth_pass", "password", "key"];

/// A line with the values of secret keywords replaced by `***`, to the end of the line.
///
/// The path of an SSL key is hidden too: the line alone does not tell the two kinds of `key` apart.
pub fn without_secrets(line: &str) -> Cow<'_, str> {
    let secret = SECRET.iter().flat_map(|keyword| {
        line.match_indices(keyword).filter_map(|(at, keyword)| {
            let (before, after) = (&line[..at], &line[at + keyword.len()..]);
            let starts =
                !before.ends_with(|letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/' | '.'));
            let ends = after.starts_with(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '{'));
            let value = after.trim_start();
            (starts && ends && !value.is_empty()).then(|| line.len() - value.len())
        })
    });
    match secret.min() {
        Some(value) => Cow::Owned(format!("{}***", &line[..value])),
        None => Cow::Borrowed(line),
    }
}

/// Most octets of a line that a message repeats.
const REPEATED: usize = 240;

/// A line as messages repeat it: without secrets, and not endless.
pub(crate) fn repeated(line: &str) -> String {
    let shown = without_secrets(line);
    if shown.len() <= REPEATED {
        return shown.into_owned();
    }
    format!("{}…", &shown[..shown.floor_char_boundary(REPEATED)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secret_keywords_are_not_shown() {
        for (line, shown) in [
            ("    auth_pass abc", "    auth_pass ***"),
            ("authentication { auth_type PASS auth_pass abc }", "authentication { auth_type PASS auth_pass ***"),
            ("auth_pass\tabc # old: def", "auth_pass\t***"),
            ("auth_pass\"abc\"", "auth_pass***"),
            ("key 1 hex:0011", "key ***"),
            ("password x key y", "password ***"),
            ("auth_password x", "auth_password x"),
            ("virtual_router_id 5", "virtual_router_id 5"),
            ("auth_pass", "auth_pass"),
            ("notify /bin/monkey x", "notify /bin/monkey x"),
        ] {
            assert_eq!(without_secrets(line), shown);
        }
    }
}
