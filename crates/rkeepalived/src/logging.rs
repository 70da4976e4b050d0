//! The log: syslog, terminal, file. Nothing here ever waits for a reader.
//!
//! Syslog datagrams are sent without blocking and counted when they are lost. Terminal and file have a thread of their
//! own behind a bounded queue, because a full pipe or disk blocks whoever writes to it, and that must not be the VRRP
//! loop.

use std::fmt::Write as _;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use types::Facility;

/// Syslog severity (RFC 5424 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Severity {
    /// LOG_ALERT.
    Alert = 1,
    /// LOG_ERR.
    Error = 3,
    /// LOG_WARNING.
    Warning = 4,
    /// LOG_NOTICE.
    Notice = 5,
    /// LOG_INFO.
    Info = 6,
    /// LOG_DEBUG.
    Debug = 7,
}

impl From<vrrp::log::Level> for Severity {
    fn from(level: vrrp::log::Level) -> Self {
        use vrrp::log::Level;
        match level {
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
            Level::Notice => Self::Notice,
            Level::Info | Level::Detail => Self::Info,
            Level::Debug => Self::Debug,
        }
    }
}

/// Where the log goes.
#[derive(Debug, Clone)]
pub(crate) struct Destinations {
    /// Name before each line: `Keepalived_vrrp`.
    pub(crate) ident: String,
    /// `None` with `-G`.
    pub(crate) syslog: Option<Facility>,
    /// `-n -l`.
    pub(crate) console: bool,
    /// `-g`.
    pub(crate) file: Option<PathBuf>,
    /// Number of `-D`.
    pub(crate) detail: u8,
}

/// Lines that the terminal and the file could not take.
static LOST: AtomicU64 = AtomicU64::new(0);
static DETAIL: AtomicU8 = AtomicU8::new(0);
static WRITER: Mutex<Option<Writer>> = Mutex::new(None);

/// Lines that may wait for the terminal or the file.
const QUEUE: usize = 2048;

/// Starts logging in this process. Called once, before any other thread exists.
pub(crate) fn start(destinations: Destinations) {
    DETAIL.store(destinations.detail, Ordering::Relaxed);
    let syslog = destinations.syslog.map(|facility| Syslog {
        socket: connect_syslog(),
        facility,
        ident: destinations.ident.clone(),
        pid: std::process::id(),
        lost: 0,
    });
    let queue = (destinations.console || destinations.file.is_some()).then(|| {
        let (sender, receiver) = sync_channel(QUEUE);
        let (console, file) = (destinations.console, destinations.file.clone());
        // A small stack: with locked memory every page of it counts.
        let thread = std::thread::Builder::new()
            .name("log".into())
            .stack_size(64 * 1024)
            .spawn(move || write_lines(&receiver, console, file));
        if let Ok(thread) = thread
            && let Ok(mut writer) = WRITER.lock()
        {
            *writer = Some(Writer { sender: sender.clone(), thread });
        }
        sender
    });
    let layer = Lines { syslog: syslog.map(Mutex::new), queue };
    let most = if destinations.detail > 1 { Level::DEBUG } else { Level::INFO };
    let subscriber = tracing_subscriber::registry()
        .with(layer.with_filter(tracing_subscriber::filter::LevelFilter::from_level(most)));
    // Refused only when logging was started before; then the first one goes on.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Gives the terminal and the file a moment to take what was said, then goes on whether they did or not.
pub(crate) fn finish() {
    let writer = WRITER.lock().ok().and_then(|mut writer| writer.take());
    if let Some(Writer { sender, thread }) = writer {
        if sender.try_send(Message::Finish).is_err() {
            return;
        }
        let until = std::time::Instant::now() + Duration::from_millis(300);
        while !thread.is_finished() && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Says a line at a syslog severity.
pub(crate) fn say(severity: Severity, text: &str) {
    let number = severity as u8;
    match severity {
        Severity::Alert | Severity::Error => tracing::error!(severity = number, "{text}"),
        Severity::Warning => tracing::warn!(severity = number, "{text}"),
        Severity::Notice | Severity::Info => tracing::info!(severity = number, "{text}"),
        Severity::Debug => tracing::debug!(severity = number, "{text}"),
    }
}

/// Says a line only with `-D`.
pub(crate) fn detail(text: &str) {
    if DETAIL.load(Ordering::Relaxed) > 0 {
        say(Severity::Info, text);
    }
}

/// Says a line of the VRRP brain.
pub(crate) fn say_line(line: &vrrp::log::Line) {
    match line.level {
        vrrp::log::Level::Detail => detail(&line.text),
        level => say(level.into(), &line.text),
    }
}

/// Says at LOG_INFO: `info!("(%s) …")` with formatting.
macro_rules! info {
    ($($words:tt)*) => { $crate::logging::say($crate::logging::Severity::Info, &format!($($words)*)) };
}
/// Says at LOG_WARNING.
macro_rules! warning {
    ($($words:tt)*) => { $crate::logging::say($crate::logging::Severity::Warning, &format!($($words)*)) };
}
/// Says at LOG_ERR.
macro_rules! error {
    ($($words:tt)*) => { $crate::logging::say($crate::logging::Severity::Error, &format!($($words)*)) };
}
pub(crate) use {error, info, warning};

struct Writer {
    sender: SyncSender<Message>,
    thread: std::thread::JoinHandle<()>,
}

enum Message {
    Line { console: String, file: String },
    Finish,
}

struct Lines {
    syslog: Option<Mutex<Syslog>>,
    queue: Option<SyncSender<Message>>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let severity = words.severity.unwrap_or(match *event.metadata().level() {
            Level::ERROR => Severity::Error as u8,
            Level::WARN => Severity::Warning as u8,
            Level::INFO => Severity::Info as u8,
            Level::DEBUG | Level::TRACE => Severity::Debug as u8,
        });
        if let Some(syslog) = &self.syslog
            && let Ok(mut syslog) = syslog.lock()
        {
            syslog.send(severity, &words.text);
        }
        if let Some(queue) = &self.queue {
            let (console, file) = time_stamps();
            let line = Message::Line {
                console: format!("{console}: {}\n", words.text),
                file: format!("{file}: {}\n", words.text),
            };
            if queue.try_send(line).is_err() {
                LOST.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Message and fields of an event as one line.
#[derive(Default)]
struct Words {
    text: String,
    severity: Option<u8>,
}

impl Visit for Words {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "severity" => self.severity = Some(value as u8),
            name => _ = write!(self.text, " {name}={value}"),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => {
                let message = format!("{value:?}");
                self.text.insert_str(0, &message);
            }
            name => _ = write!(self.text, " {name}={value:?}"),
        }
    }
}

struct Syslog {
    socket: Option<UnixDatagram>,
    facility: Facility,
    ident: String,
    pid: u32,
    /// Lines that the daemon behind the socket did not take.
    lost: u64,
}

impl Syslog {
    fn send(&mut self, severity: u8, text: &str) {
        if self.socket.is_none() {
            self.socket = connect_syslog();
        }
        // A machine without a syslog daemon loses nothing: there is no such log.
        let Some(socket) = &self.socket else { return };
        let priority = self.facility.number() * 8 + severity;
        let note = match self.lost {
            0 => String::new(),
            lost => format!(" [{lost} earlier lines were lost: the log was not read]"),
        };
        let time = syslog_time();
        let line = format!("<{priority}>{time} {}[{}]: {text}{note}", self.ident, self.pid);
        match socket.send(line.as_bytes()) {
            Ok(_) => self.lost = 0,
            Err(refused) => {
                self.lost += 1;
                if refused.kind() != std::io::ErrorKind::WouldBlock {
                    self.socket = None;
                }
            }
        }
    }
}

fn connect_syslog() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect("/dev/log").ok()?;
    Some(socket)
}

fn write_lines(receiver: &Receiver<Message>, console: bool, file: Option<PathBuf>) {
    let mut file = file.and_then(|path| std::fs::OpenOptions::new().append(true).create(true).open(path).ok());
    let mut reported = 0;
    while let Ok(first) = receiver.recv() {
        // Everything that waits leaves in one write: a start of thousands of servers says thousands of lines.
        let (mut for_console, mut for_file, mut finish) = (String::new(), String::new(), false);
        for message in std::iter::once(first).chain(receiver.try_iter().take(QUEUE)) {
            match message {
                Message::Line { console, file } => {
                    for_console.push_str(&console);
                    for_file.push_str(&file);
                }
                Message::Finish => finish = true,
            }
        }
        if console {
            let lost = LOST.load(Ordering::Relaxed);
            if lost != reported {
                reported = lost;
                // Writing into a string cannot fail.
                let _ = writeln!(for_console, "{lost} lines of the log were lost: nobody read them in time");
            }
            let _ = std::io::stderr().write_all(for_console.as_bytes());
        }
        if let Some(file) = &mut file {
            let _ = file.write_all(for_file.as_bytes());
        }
        if finish {
            return;
        }
    }
}

/// `Fri Nov 20 16:00:31 2026` for the terminal and `Fri Nov 20 16:00:31.123456789 2026` for the file.
fn time_stamps() -> (String, String) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let local = sys::calendar::local_time(now.as_secs() as i64);
    let day = format!(
        "{} {} {:2} {:02}:{:02}:{:02}",
        local.weekday(),
        local.month_name(),
        local.day,
        local.hour,
        local.minute,
        local.second
    );
    (format!("{day} {}", local.year), format!("{day}.{:09} {}", now.subsec_nanos(), local.year))
}

/// `Nov 20 16:00:31`, as RFC 3164 has it.
fn syslog_time() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let local = sys::calendar::local_time(now.as_secs() as i64);
    format!("{} {:2} {:02}:{:02}:{:02}", local.month_name(), local.day, local.hour, local.minute, local.second)
}
