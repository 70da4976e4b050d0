//! Giving memory back.

#![allow(unsafe_code)]

use std::io;

/// Gives back the pages of our own program code that are in memory: most of it ran once, at the start (command line,
/// configuration, first dump), and will not run again. Whatever is needed comes back from the page cache at its next use.
///
/// Only mappings that are executable and not writable are touched: nothing in them can differ from the file. Does nothing in a
/// process whose memory is locked. Returns the octets that were mapped.
pub fn release_code_pages() -> io::Result<usize> {
    let program = std::fs::read_link("/proc/self/exe")?;
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let mut released = 0;
    for line in maps.lines() {
        // `START-END PERMISSIONS OFFSET DEVICE INODE PATH`
        let mut words = line.split_whitespace();
        let (Some(range), Some("r-xp")) = (words.next(), words.next()) else { continue };
        if words.nth(3).is_none_or(|path| program.as_os_str() != path) {
            continue;
        }
        let Some((start, end)) = range.split_once('-') else { continue };
        let (Ok(start), Ok(end)) = (usize::from_str_radix(start, 16), usize::from_str_radix(end, 16)) else { continue };
        // SAFETY: the range is a whole mapping that the kernel has just told, private, file-backed, executable and not
        // writable, so its pages equal the file's; MADV_DONTNEED drops them and the next access, be it the instruction after
        // this call, reads them anew.
        match unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) } {
            0 => released += end - start,
            _ => return Err(io::Error::last_os_error()),
        }
    }
    Ok(released)
}

/// Gives back what the allocator holds and does not use: after a large configuration was read and handed over.
pub fn trim_heap() {
    // SAFETY: malloc_trim takes a plain number and may be called at any time.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_still_runs_after_its_pages_were_given_back() {
        let released = release_code_pages().unwrap();
        assert!(released > 0);
        trim_heap();
        let text: String = (0..100).map(|number| format!("{number:x}")).collect();
        assert!(text.starts_with("0123456789abcdef"));
    }
}
