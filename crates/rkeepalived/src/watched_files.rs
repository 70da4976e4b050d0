//! Tracked files: a number in each, read when somebody has written it.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use inotify::{EventStream, Inotify, WatchDescriptor, WatchMask};

use crate::logging::{error, warning};

/// Most of a file that is read: a number needs no more.
const LONGEST: u64 = 64;

/// Files under watch. Directories are watched, because editors and `mv` replace files.
pub(crate) struct WatchedFiles {
    paths: Vec<PathBuf>,
    events: Option<EventStream<Vec<u8>>>,
    directories: HashMap<WatchDescriptor, PathBuf>,
    changed: HashSet<usize>,
    values: Vec<Option<Option<i64>>>,
}

impl WatchedFiles {
    /// Watches `paths`; every one of them counts as changed at first.
    pub(crate) fn new(paths: Vec<String>) -> io::Result<Self> {
        let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
        let mut directories = HashMap::new();
        let mut events = None;
        if !paths.is_empty() {
            let inotify = Inotify::init()?;
            let mask = WatchMask::CLOSE_WRITE
                | WatchMask::MOVED_TO
                | WatchMask::MOVED_FROM
                | WatchMask::DELETE
                | WatchMask::CREATE;
            let wanted: HashSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
            for directory in wanted {
                match inotify.watches().add(directory, mask) {
                    Ok(watch) => _ = directories.insert(watch, directory.to_owned()),
                    Err(refused) => error!(
                        "cannot watch {}: {refused}; its files are read only at start and reload",
                        directory.display()
                    ),
                }
            }
            events = Some(inotify.into_event_stream(vec![0; 4096])?);
        }
        let (changed, values) = ((0..paths.len()).collect(), vec![None; paths.len()]);
        Ok(Self { paths, events, directories, changed, values })
    }

    /// Waits until a file may have changed. Cancelling loses nothing.
    pub(crate) async fn changed(&mut self) {
        loop {
            if !self.changed.is_empty() {
                return;
            }
            let Some(events) = &mut self.events else { return std::future::pending().await };
            match events.next().await {
                Some(Ok(event)) => {
                    let path =
                        self.directories.get(&event.wd).zip(event.name).map(|(directory, name)| directory.join(name));
                    for (number, watched) in self.paths.iter().enumerate() {
                        // An event without a name is an overrun: anything may have changed.
                        if path.as_ref().is_none_or(|path| path == watched) {
                            self.changed.insert(number);
                        }
                    }
                }
                Some(Err(_)) | None => self.events = None,
            }
        }
    }

    /// Reads what may have changed; the files whose number did, with it (`None`: missing or empty).
    pub(crate) fn read_changed(&mut self) -> Vec<(usize, Option<i64>)> {
        let mut news = Vec::new();
        for number in std::mem::take(&mut self.changed) {
            let (Some(path), Some(known)) = (self.paths.get(number), self.values.get_mut(number)) else { continue };
            let value = match read(path) {
                Ok(value) => value,
                Err(text) => {
                    warning!("track file {} holds no number but {text:?}: ignored", path.display());
                    continue;
                }
            };
            if *known != Some(value) {
                *known = Some(value);
                news.push((number, value));
            }
        }
        news.sort_unstable_by_key(|(number, _)| *number);
        news
    }
}

/// The number in a file, in any base; `None` where it is missing or empty.
fn read(path: &Path) -> Result<Option<i64>, String> {
    use std::io::Read;
    let mut text = String::new();
    let Ok(file) = std::fs::File::open(path) else { return Ok(None) };
    if file.take(LONGEST).read_to_string(&mut text).is_err() {
        return Err(String::from("octets that are no text"));
    }
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    number(text).map(Some).ok_or_else(|| text.chars().take(20).collect())
}

fn number(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let magnitude = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(&digits[1..], 8)
    } else {
        digits.parse()
    };
    magnitude.ok().filter(|magnitude| *magnitude >= 0).map(|magnitude| if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_any_base() {
        for (text, value) in
            [("5", Some(5)), ("-20", Some(-20)), ("0x10", Some(16)), ("010", Some(8)), ("x", None), ("--1", None)]
        {
            assert_eq!(number(text), value, "{text}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_written_replaced_or_removed_is_told_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("value");
        let mut files = WatchedFiles::new(vec![path.to_str().unwrap().to_owned()]).unwrap();
        assert_eq!(files.read_changed(), [(0, None)]);
        std::fs::write(&path, "7\n").unwrap();
        files.changed().await;
        assert_eq!(files.read_changed(), [(0, Some(7))]);
        std::fs::write(directory.path().join("new"), "8").unwrap();
        std::fs::rename(directory.path().join("new"), &path).unwrap();
        files.changed().await;
        assert_eq!(files.read_changed(), [(0, Some(8))]);
        std::fs::remove_file(&path).unwrap();
        files.changed().await;
        assert_eq!(files.read_changed(), [(0, None)]);
    }
}
