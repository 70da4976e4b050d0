//! What the probes of one process share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lvs::{RegexConfig, ScriptRef, SslConfig};
use sys::pcre2::{CompileError, Regex};
use sys::script::{Child, Command, SpawnError, Spawner};
use sys::tls::{Client, Settings, TlsError};

use crate::ping::{Access, Echo};

/// One script of the program's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Words and user.
    pub command: Command,
    /// `</PATH`: success means that the file can be opened; nothing runs.
    pub open_only: bool,
}

/// What the probes of one process share: scripts, the TLS library with its client certificate, compiled patterns.
///
/// Made anew at each reload; nothing is loaded or compiled before a probe needs it.
#[derive(Debug, Default)]
pub struct Context {
    scripts: Vec<Script>,
    ssl: Option<SslConfig>,
    spawner: Option<Spawner>,
    tls: OnceLock<Result<Client, TlsError>>,
    regexes: Mutex<HashMap<RegexConfig, Arc<Regex>>>,
    ping: Mutex<Option<Access>>,
    numbers: Numbers,
}

impl Context {
    /// `scripts` is the table that [`ScriptRef`] numbers, `ssl` the `SSL` block.
    pub fn new(scripts: Vec<Script>, ssl: Option<SslConfig>) -> Self {
        Self { scripts, ssl, ..Self::default() }
    }

    /// Starts scripts through `spawner` and not from the loop's own thread.
    pub fn with_spawner(self, spawner: Spawner) -> Self {
        Self { spawner: Some(spawner), ..self }
    }

    /// The script of that number.
    pub fn script(&self, script: ScriptRef) -> Option<&Script> {
        self.scripts.get(usize::try_from(script.0).ok()?)
    }

    /// How PING_CHECK speaks ICMP here; `None` before the first one ran.
    pub fn ping_access(&self) -> Option<Access> {
        *self.ping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_ping_access(&self, access: Option<Access>) {
        *self.ping.lock().unwrap_or_else(PoisonError::into_inner) = access;
    }

    pub(crate) async fn spawn(&self, command: &Command) -> Result<Child, SpawnError> {
        match &self.spawner {
            Some(spawner) => spawner.spawn(command.clone()).await,
            None => sys::script::spawn(command),
        }
    }

    /// The TLS client; loads the library at the first call.
    pub(crate) fn tls(&self) -> Result<&Client, TlsError> {
        let made = self.tls.get_or_init(|| {
            Client::new(&self.ssl.as_ref().map_or_else(Settings::default, |ssl| Settings {
                authorities: ssl.ca.clone(),
                certificate: ssl.certificate.clone(),
                key: ssl.key.clone(),
                password: ssl.password.clone(),
            }))
        });
        made.as_ref().map_err(Clone::clone)
    }

    /// The compiled pattern; unknown option words are ignored, as in keepalived.
    pub(crate) fn regex(&self, config: &RegexConfig) -> Result<Arc<Regex>, CompileError> {
        let mut regexes = self.regexes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = regexes.get(config) {
            return Ok(regex.clone());
        }
        let options = config.options.iter().filter_map(|word| sys::pcre2::option(word)).fold(0, |all, bit| all | bit);
        let regex = Arc::new(Regex::new(&config.pattern, options, config.stack)?);
        regexes.insert(config.clone(), regex.clone());
        Ok(regex)
    }

    /// An id for a DNS query, not the neighbour of the last one.
    pub(crate) fn query_id(&self) -> u16 {
        let [low, high, ..] = self.numbers.next().wrapping_mul(0x9e37_79b1).to_be_bytes();
        u16::from_be_bytes([low, high])
    }

    /// An echo request's identity, unlike that of any other one under way here.
    pub(crate) fn echo(&self) -> Echo {
        let [a, b, c, d] = self.numbers.next().to_be_bytes();
        Echo { id: u16::from_be_bytes([a, b]), sequence: u16::from_be_bytes([c, d]) }
    }
}

/// Numbers that do not repeat for a long time, from a start that another process would not guess.
#[derive(Debug)]
struct Numbers(AtomicU32);

impl Default for Numbers {
    fn default() -> Self {
        use std::hash::{BuildHasher, Hasher};
        let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
        Self(AtomicU32::new(u32::try_from(random >> 32).unwrap_or(1)))
    }
}

impl Numbers {
    fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
