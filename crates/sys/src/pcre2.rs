//! Perl-compatible regular expressions: the option words of keepalived.conf and searches that end.
//!
//! The `pcre2` crate offers seven of the 24 options that `regex_options` takes, so this is a face of our own over the
//! library's C interface. A search is bounded in time: a hostile page cannot hold the checker process.

#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use pcre2_sys as ffi;

/// Time that one search may take. Measured between slices of start positions, so the last slice may exceed it.
const BUDGET: Duration = Duration::from_millis(250);

/// A slice that took longer than this makes the next one smaller.
const LONG_SLICE: Duration = Duration::from_millis(5);

/// Start positions tried between two looks at the clock, at first.
const SLICE: usize = 16 * 1024;

/// Backtracking steps from one start position; the library's own default is ten times as much.
const STEPS: u32 = 1_000_000;

/// Octets (in KiB) that one search may allocate for backtracking.
const HEAP_KIB: u32 = 16 * 1024;

/// Words of `regex_options` and their bits.
const OPTIONS: [(&str, u32); 24] = [
    ("allow_empty_class", ffi::PCRE2_ALLOW_EMPTY_CLASS),
    ("alt_bsux", ffi::PCRE2_ALT_BSUX),
    ("auto_callout", ffi::PCRE2_AUTO_CALLOUT),
    ("caseless", ffi::PCRE2_CASELESS),
    ("dollar_endonly", ffi::PCRE2_DOLLAR_ENDONLY),
    ("dotall", ffi::PCRE2_DOTALL),
    ("dupnames", ffi::PCRE2_DUPNAMES),
    ("extended", ffi::PCRE2_EXTENDED),
    ("firstline", ffi::PCRE2_FIRSTLINE),
    ("match_unset_backref", ffi::PCRE2_MATCH_UNSET_BACKREF),
    ("multiline", ffi::PCRE2_MULTILINE),
    ("never_ucp", ffi::PCRE2_NEVER_UCP),
    ("never_utf", ffi::PCRE2_NEVER_UTF),
    ("no_auto_capture", ffi::PCRE2_NO_AUTO_CAPTURE),
    ("no_auto_possess", ffi::PCRE2_NO_AUTO_POSSESS),
    ("no_dotstar_anchor", ffi::PCRE2_NO_DOTSTAR_ANCHOR),
    ("no_start_optimize", ffi::PCRE2_NO_START_OPTIMIZE),
    ("ucp", ffi::PCRE2_UCP),
    ("ungreedy", ffi::PCRE2_UNGREEDY),
    ("utf", ffi::PCRE2_UTF),
    ("never_backslash_c", ffi::PCRE2_NEVER_BACKSLASH_C),
    ("alt_circumflex", ffi::PCRE2_ALT_CIRCUMFLEX),
    ("alt_verbnames", ffi::PCRE2_ALT_VERBNAMES),
    ("use_offset_limit", ffi::PCRE2_USE_OFFSET_LIMIT),
];

/// The bit of an option word of keepalived.conf; `None` for an unknown word.
pub fn option(word: &str) -> Option<u32> {
    OPTIONS.iter().find_map(|(name, bit)| (*name == word).then_some(*bit))
}

/// A compiled pattern.
#[derive(Debug)]
pub struct Regex {
    code: Code,
    /// What a search writes to; one search at a time.
    scratch: Mutex<Scratch>,
    /// It refers to where the search began, so a search may not be cut into slices.
    whole: bool,
}

/// A pattern that is none, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    /// The library's words.
    pub message: String,
    /// Octet of the pattern at which it was noticed.
    pub offset: usize,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "regex error at offset {}: {}", self.offset, self.message)
    }
}

impl std::error::Error for CompileError {}

/// A search that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchError {
    /// It took longer than a quarter of a second, or one start needed more than a million steps.
    TooLong,
    /// Anything else, in the library's words (a page that is not UTF-8 under option `utf`, for instance).
    Refused(String),
}

impl fmt::Display for SearchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the search takes too long: make the pattern simpler or the page smaller"),
            Self::Refused(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for SearchError {}

impl Regex {
    /// Compiles a pattern with the bits of [`option`].
    ///
    /// `jit_stack` is `regex_stack`: start and maximum in octets of the stack of compiled code; 32 KiB where absent.
    pub fn new(pattern: &str, options: u32, jit_stack: Option<(usize, usize)>) -> Result<Self, CompileError> {
        let code = Code::compile(pattern, options | ffi::PCRE2_USE_OFFSET_LIMIT)?;
        let scratch = Scratch::new(&code, jit_stack)
            .ok_or_else(|| CompileError { message: "not enough memory".into(), offset: 0 })?;
        let whole = options & ffi::PCRE2_FIRSTLINE != 0 || pattern.contains(r"\G");
        Ok(Self { code, scratch: Mutex::new(scratch), whole })
    }

    /// Whether the pattern matches somewhere in `subject`, beginning at `first` or later, and no later than `last`.
    pub fn is_match(&self, subject: &[u8], first: usize, last: Option<usize>) -> Result<bool, SearchError> {
        let last = last.unwrap_or(subject.len()).min(subject.len());
        if first > last {
            return Ok(false);
        }
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if self.whole {
            return scratch.search(&self.code, subject, first, last, 0);
        }
        let (began, mut start, mut slice, mut checked) = (Instant::now(), first, SLICE, 0);
        loop {
            let end = start.saturating_add(slice).min(last);
            let slice_began = Instant::now();
            if scratch.search(&self.code, subject, start, end, checked)? {
                return Ok(true);
            }
            if end == last {
                return Ok(false);
            }
            // The subject was found to be valid UTF-8 as a whole at the first slice.
            checked = ffi::PCRE2_NO_UTF_CHECK;
            start = next_character(subject, end + 1, self.code.utf());
            if start > last {
                return Ok(false);
            }
            if began.elapsed() > BUDGET {
                return Err(SearchError::TooLong);
            }
            if slice_began.elapsed() > LONG_SLICE {
                slice = (slice / 8).max(1);
            }
        }
    }
}

/// The first place from `start` on where a search may begin: not inside a UTF-8 sequence.
fn next_character(subject: &[u8], start: usize, utf: bool) -> usize {
    let inside = |octet: &&u8| utf && **octet & 0xc0 == 0x80;
    start + subject.get(start..).unwrap_or_default().iter().take_while(inside).count()
}

#[derive(Debug)]
struct Code(NonNull<ffi::pcre2_code_8>);

// SAFETY: compiled code is not changed by searches (pcre2api, "Multithreading"); it is freed once, by its owner.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Code {
    fn compile(pattern: &str, options: u32) -> Result<Self, CompileError> {
        let (mut error, mut offset) = (0, 0);
        // SAFETY: pointer and length describe `pattern`; the two numbers are valid for writing; a null context means
        // the defaults.
        let code = unsafe {
            ffi::pcre2_compile_8(
                pattern.as_ptr(),
                pattern.len(),
                options,
                &raw mut error,
                &raw mut offset,
                ptr::null_mut(),
            )
        };
        let code = NonNull::new(code).map(Self).ok_or_else(|| CompileError { message: message(error), offset })?;
        // SAFETY: `code` was just compiled. A refusal (no memory for code that may be executed) leaves the slower
        // interpreter, so the answer is of no interest.
        unsafe { ffi::pcre2_jit_compile_8(code.0.as_ptr(), ffi::PCRE2_JIT_COMPLETE) };
        Ok(code)
    }

    /// Whether it reads UTF-8, by option or by a `(*UTF)` in the pattern.
    fn utf(&self) -> bool {
        let mut options: u32 = 0;
        // SAFETY: PCRE2_INFO_ALLOPTIONS writes one u32.
        unsafe {
            ffi::pcre2_pattern_info_8(self.0.as_ptr(), ffi::PCRE2_INFO_ALLOPTIONS, (&raw mut options).cast::<c_void>())
        };
        options & ffi::PCRE2_UTF != 0
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: made by pcre2_compile and freed nowhere else.
        unsafe { ffi::pcre2_code_free_8(self.0.as_ptr()) };
    }
}

#[derive(Debug)]
struct Scratch {
    data: NonNull<ffi::pcre2_match_data_8>,
    context: NonNull<ffi::pcre2_match_context_8>,
    stack: Option<NonNull<ffi::pcre2_jit_stack_8>>,
}

// SAFETY: plain memory of the library without ties to a thread; a mutex lets one search use it at a time.
unsafe impl Send for Scratch {}

impl Scratch {
    fn new(code: &Code, jit_stack: Option<(usize, usize)>) -> Option<Self> {
        // SAFETY: null contexts mean the defaults; `code` is valid; each result is checked before its use.
        unsafe {
            let data = NonNull::new(ffi::pcre2_match_data_create_from_pattern_8(code.0.as_ptr(), ptr::null_mut()))?;
            let Some(context) = NonNull::new(ffi::pcre2_match_context_create_8(ptr::null_mut())) else {
                ffi::pcre2_match_data_free_8(data.as_ptr());
                return None;
            };
            ffi::pcre2_set_match_limit_8(context.as_ptr(), STEPS);
            ffi::pcre2_set_heap_limit_8(context.as_ptr(), HEAP_KIB);
            let stack = jit_stack.and_then(|(start, maximum)| {
                NonNull::new(ffi::pcre2_jit_stack_create_8(start, maximum.max(start), ptr::null_mut()))
            });
            if let Some(stack) = stack {
                ffi::pcre2_jit_stack_assign_8(context.as_ptr(), None, stack.as_ptr().cast::<c_void>());
            }
            Some(Self { data, context, stack })
        }
    }

    fn search(
        &mut self,
        code: &Code,
        subject: &[u8],
        first: usize,
        last: usize,
        options: u32,
    ) -> Result<bool, SearchError> {
        // SAFETY: the code was compiled with PCRE2_USE_OFFSET_LIMIT; subject, start and length belong together, and
        // `first` is no larger than the length; data and context are ours alone through `&mut self`.
        let result = unsafe {
            ffi::pcre2_set_offset_limit_8(self.context.as_ptr(), last);
            ffi::pcre2_match_8(
                code.0.as_ptr(),
                subject.as_ptr(),
                subject.len(),
                first,
                options,
                self.data.as_ptr(),
                self.context.as_ptr(),
            )
        };
        match result {
            0.. => Ok(true),
            ffi::PCRE2_ERROR_NOMATCH => Ok(false),
            ffi::PCRE2_ERROR_MATCHLIMIT | ffi::PCRE2_ERROR_DEPTHLIMIT | ffi::PCRE2_ERROR_HEAPLIMIT => {
                Err(SearchError::TooLong)
            }
            // The stack of compiled code is small; the interpreter takes its memory from the heap, within its limit.
            ffi::PCRE2_ERROR_JIT_STACKLIMIT => self.search(code, subject, first, last, options | ffi::PCRE2_NO_JIT),
            error => Err(SearchError::Refused(message(error))),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: each was made in `new` and is freed nowhere else.
        unsafe {
            ffi::pcre2_match_data_free_8(self.data.as_ptr());
            ffi::pcre2_match_context_free_8(self.context.as_ptr());
            if let Some(stack) = self.stack {
                ffi::pcre2_jit_stack_free_8(stack.as_ptr());
            }
        }
    }
}

/// The library's words for an error.
fn message(error: i32) -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: pointer and length describe `buffer`; the text is NUL-terminated within it.
    let length = unsafe { ffi::pcre2_get_error_message_8(error, buffer.as_mut_ptr(), buffer.len()) };
    match usize::try_from(length) {
        Ok(length) => String::from_utf8_lossy(&buffer[..length.min(buffer.len())]).into_owned(),
        Err(_) => format!("PCRE2 error {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, options: &[&str], subject: &str) -> bool {
        let options = options.iter().map(|word| option(word).unwrap()).fold(0, |all, bit| all | bit);
        Regex::new(pattern, options, None).unwrap().is_match(subject.as_bytes(), 0, None).unwrap()
    }

    #[test]
    fn each_option_word_has_its_effect() {
        let rows: &[(&str, &str, &str, bool, bool)] = &[
            // option, pattern, subject, without, with
            ("caseless", "abc", "ABC", false, true),
            ("dotall", "a.b", "a\nb", false, true),
            ("multiline", "^b", "a\nb", false, true),
            ("dollar_endonly", "a$", "a\n", true, false),
            ("extended", "a b", "ab", false, true),
            ("firstline", "b", "a\nb", true, false),
            ("match_unset_backref", r"(a)?b\1", "b", false, true),
            ("utf", "^.$", "é", false, true),
            ("alt_bsux", r"\u0041", "A", false, true),
            ("alt_circumflex", "(?m)^$", "a\n", false, true),
        ];
        for (word, pattern, subject, without, with) in rows {
            let plain = Regex::new(pattern, 0, None).is_ok_and(|r| r.is_match(subject.as_bytes(), 0, None) == Ok(true));
            assert_eq!(plain, *without, "{word} unset");
            assert_eq!(matches(pattern, &[word], subject), *with, "{word} set");
        }
        // (?<n>a)(?<n>b) needs dupnames; [] needs allow_empty_class
        assert!(Regex::new("(?<n>a)(?<n>b)", 0, None).is_err());
        assert!(matches("(?<n>a)(?<n>b)", &["dupnames"], "ab"));
        assert!(Regex::new("[]", 0, None).is_err());
        assert!(!matches("[]", &["allow_empty_class"], "ab"));
        assert!(Regex::new("(*UTF)a", option("never_utf").unwrap(), None).is_err());
        assert!(Regex::new("(*UCP)a", option("never_ucp").unwrap(), None).is_err());
        assert!(Regex::new(r"\C", option("never_backslash_c").unwrap(), None).is_err());
        assert!(Regex::new(r"(a)\1", option("no_auto_capture").unwrap(), None).is_err());
        assert!(matches(r"^\w$", &["utf", "ucp"], "é"));
        for word in [
            "no_auto_possess",
            "no_dotstar_anchor",
            "no_start_optimize",
            "auto_callout",
            "ungreedy",
            "alt_verbnames",
            "use_offset_limit",
        ] {
            assert!(matches("a.*b", &[word], "xaxxb"), "{word}");
        }
        assert_eq!(option("no_such_word"), None);
    }

    #[test]
    fn anchors_mean_the_ends_of_the_page() {
        assert!(matches("ready$", &[], "all is ready"));
        assert!(matches("^all", &[], "all is ready"));
        assert!(!matches("^is", &[], "all is ready"));
    }

    #[test]
    fn a_match_begins_within_the_offsets() {
        let regex = Regex::new("b", 0, None).unwrap();
        let page = b"aaabaaab";
        for (first, last, found) in [
            (0, None, true),
            (3, None, true),
            (4, Some(6), false),
            (4, Some(7), true),
            (8, None, false),
            (9, None, false),
            (0, Some(2), false),
        ] {
            assert_eq!(regex.is_match(page, first, last).unwrap(), found, "{first} {last:?}");
        }
        // what stands before the first offset is seen by look-behind, and is not the beginning of the page
        assert!(Regex::new("(?<=a)b", 0, None).unwrap().is_match(page, 3, None).unwrap());
        assert!(!Regex::new("^b", 0, None).unwrap().is_match(page, 3, None).unwrap());
    }

    #[test]
    fn a_large_page_is_searched_to_its_end() {
        let mut page = vec![b'x'; 5 * SLICE];
        page.extend_from_slice(b"ready");
        assert!(Regex::new("ready$", 0, None).unwrap().is_match(&page, 0, None).unwrap());
        assert!(!Regex::new("absent", 0, None).unwrap().is_match(&page, 0, None).unwrap());
        let utf = option("utf").unwrap();
        let page = "é".repeat(SLICE) + "ü";
        assert!(Regex::new("ü", utf, None).unwrap().is_match(page.as_bytes(), 0, None).unwrap());
    }

    #[test]
    fn a_pattern_that_would_search_for_ever_is_given_up() {
        let page = vec![b'a'; 1 << 20];
        for pattern in ["(a+)+b$", "(a|a)*c", "(?:a*)*d"] {
            assert_eq!(
                Regex::new(pattern, option("no_start_optimize").unwrap(), None).unwrap().is_match(&page, 0, None).err(),
                Some(SearchError::TooLong),
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_broken_pattern_tells_its_place() {
        let error = Regex::new("a(b", 0, None).unwrap_err();
        assert_eq!(error.to_string(), "regex error at offset 3: missing closing parenthesis");
    }

    #[test]
    fn a_page_that_is_not_utf_8_is_refused_under_utf() {
        let regex = Regex::new("a", option("utf").unwrap(), None).unwrap();
        assert!(matches!(regex.is_match(b"\xff\xfea", 0, None), Err(SearchError::Refused(_))));
    }

    #[test]
    fn a_small_stack_of_ones_own_is_enough_for_a_simple_pattern() {
        let regex = Regex::new("a+b", 0, Some((1024, 4096))).unwrap();
        assert!(regex.is_match(b"xaab", 0, None).unwrap());
    }
}
