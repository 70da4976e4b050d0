//! Patterns of file names, as the C library has them.

/// Most alternatives that braces may make.
const ALTERNATIVES: usize = 4096;

/// csh-style braces resolved: `{a,b}/{,x}c` gives `a/c`, `a/xc`, `b/c`, `b/xc`. Without a complete pair the pattern itself.
pub fn alternatives(pattern: &str) -> Vec<String> {
    let mut made = Vec::new();
    let mut todo = vec![pattern.to_owned()];
    while let Some(pattern) = todo.pop() {
        match first_group(&pattern) {
            Some((open, commas, close)) if todo.len() + made.len() < ALTERNATIVES => {
                let mut starts = vec![open + 1];
                starts.extend(commas.iter().map(|comma| comma + 1));
                let ends = commas.iter().copied().chain([close]);
                let members: Vec<String> = starts
                    .iter()
                    .zip(ends)
                    .map(|(start, end)| {
                        format!("{}{}{}", &pattern[..open], &pattern[*start..end], &pattern[close + 1..])
                    })
                    .collect();
                todo.extend(members.into_iter().rev());
            }
            _ => made.push(pattern),
        }
    }
    made
}

/// The first `{`, the commas of its level and its `}`. `{}` is text, as in csh.
fn first_group(pattern: &str) -> Option<(usize, Vec<usize>, usize)> {
    let octets = pattern.as_bytes();
    let open = (0..octets.len()).find(|at| octets[*at] == b'{' && octets.get(at + 1) != Some(&b'}'))?;
    let mut depth = 0;
    let mut commas = Vec::new();
    for (at, octet) in octets.iter().enumerate().skip(open) {
        match octet {
            b'{' => depth += 1,
            b',' if depth == 1 => commas.push(at),
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((open, commas, at));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a name (one part of a path) matches a pattern of `*`, `?`, `[a-z]`, `[!a-z]` and `\x`.
///
/// A leading dot is matched only by a dot. Takes at most the product of both lengths.
pub fn matches(pattern: &str, name: &str) -> bool {
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where to go on when a `*` has to take one letter more.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let step = match pattern.get(p) {
            None if n == name.len() => return true,
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some('?') if n < name.len() => Some(p + 1),
            Some('[') if n < name.len() => match class(&pattern, p, name[n]) {
                Some((true, after)) => Some(after),
                Some((false, _)) => None,
                None => (name[n] == '[').then_some(p + 1),
            },
            Some('\\') if p + 1 < pattern.len() => {
                name.get(n).filter(|letter| **letter == pattern[p + 1]).map(|_| p + 2)
            }
            Some(letter) => name.get(n).filter(|other| *other == letter).map(|_| p + 1),
            None => None,
        };
        match (step, star) {
            (Some(after), _) => {
                p = after;
                n += 1;
            }
            (None, Some((after, taken))) if taken < name.len() => {
                star = Some((after, taken + 1));
                p = after;
                n = taken + 1;
            }
            _ => return false,
        }
    }
}

/// Whether the class at `open` has the letter, and where the pattern goes on; `None` if the class is not closed.
fn class(pattern: &[char], open: usize, letter: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(open + 1), Some('!' | '^'));
    let first = open + 1 + usize::from(negated);
    let mut at = first;
    let mut found = false;
    loop {
        let low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((found != negated, at + 1));
        }
        match (pattern.get(at + 1), pattern.get(at + 2)) {
            (Some('-'), Some(high)) if *high != ']' => {
                found |= (low..=*high).contains(&letter);
                at += 3;
            }
            _ => {
                found |= low == letter;
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_resolved_as_csh_does() {
        for (pattern, made) in [
            ("a", &["a"][..]),
            ("{a,b}c", &["ac", "bc"]),
            ("{foo/{,cat,dog},bar}", &["foo/", "foo/cat", "foo/dog", "bar"]),
            ("{a,b}{1,2}", &["a1", "a2", "b1", "b2"]),
            ("{a", &["{a"]),
            ("{}", &["{}"]),
            ("x{a}", &["xa"]),
        ] {
            assert_eq!(alternatives(pattern), made, "{pattern}");
        }
        assert!(alternatives(&"{a,b}".repeat(40)).len() <= ALTERNATIVES + 41);
    }

    #[test]
    fn names_match_as_glob_3_says() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            (".*", ".conf", true),
            ("*", "", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[x", "[x", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbY", false),
            (r"\*", "*", true),
            (r"\*", "x", false),
            ("*a*a*a*a*a*b", &"a".repeat(200), false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
