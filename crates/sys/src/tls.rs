//! TLS for checks of real servers: OpenSSL, loaded while the program runs.
//!
//! The library is opened with `dlopen` when the first TLS check needs it. So only the checker process of a
//! configuration with such checks maps it, building needs no development package, and a director without TLS checks
//! needs no OpenSSL at all. It is OpenSSL and not a stricter library because real servers are old: security level 0,
//! every protocol version the library still has, legacy renegotiation, RSA keys of any size.
//!
//! By default nothing is verified, as in keepalived: a check asks whether the service answers, not whether the
//! certificate is good. [`Peer::verify_name`] asks for more.
//!
//! This module speaks over a connected [`Polled`] socket without blocking; it decides nothing about time.

#![allow(unsafe_code)]

mod library;
mod stream;

pub use stream::Stream;

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::fmt;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use types::Secret;

use crate::polled::Polled;
use library::{Library, library};

/// Settings that all TLS checks of a process share (the `SSL` block).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// File with the authorities that are trusted when a peer is verified; the system's own where absent.
    pub authorities: Option<String>,
    /// File with the client's certificate and its chain, PEM.
    pub certificate: Option<String>,
    /// File with the client's private key, PEM.
    pub key: Option<String>,
    /// Password of the private key.
    pub password: Option<Secret>,
}

/// What one connection asks of its peer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Peer<'a> {
    /// Server name indication.
    pub server_name: Option<&'a str>,
    /// Application protocols offered, best first (`h2`, `http/1.1`).
    pub protocols: &'a [&'a str],
    /// The certificate must be valid, come from a trusted authority and carry this name.
    pub verify_name: Option<&'a str>,
}

/// Why TLS failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsError {
    /// The library could not be loaded.
    Library(String),
    /// A file of the `SSL` block was refused.
    File {
        /// Keyword of the block: `ca`, `certificate`, `key`.
        keyword: &'static str,
        /// The file.
        path: String,
        /// The library's words.
        message: String,
    },
    /// The peer's certificate did not pass.
    Certificate(String),
    /// Anything else, in the library's words.
    Protocol(String),
    /// The socket failed (errno), or ended within the handshake (none).
    Socket(Option<i32>),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Library(message) => {
                write!(f, "cannot load OpenSSL: {message} - install the package libssl3 (or libssl1.1) for SSL_GET")
            }
            Self::File { keyword, path, message } => {
                write!(f, "SSL {keyword} {path}: {message}")
            }
            Self::Certificate(message) => write!(f, "certificate refused: {message}"),
            Self::Protocol(message) => f.write_str(message),
            Self::Socket(Some(errno)) => write!(f, "{}", std::io::Error::from_raw_os_error(*errno)),
            Self::Socket(None) => f.write_str("connection closed by the server"),
        }
    }
}

impl std::error::Error for TlsError {}

/// A client context: the library with its settings. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client(Arc<Context>);

#[derive(Debug)]
struct Context {
    library: &'static Library,
    raw: NonNull<c_void>,
}

// SAFETY: an SSL_CTX is reference-counted and locked by the library; after `Client::new` we only read it.
unsafe impl Send for Context {}
// SAFETY: as above.
unsafe impl Sync for Context {}

impl Client {
    /// Loads the library if need be and makes a context.
    pub fn new(settings: &Settings) -> Result<Self, TlsError> {
        let library = library()?;
        // SAFETY: TLS_client_method returns a static method; SSL_CTX_new takes it.
        let raw = unsafe { (library.ssl_ctx_new)((library.tls_client_method)()) };
        let raw = NonNull::new(raw).ok_or_else(|| TlsError::Protocol(library.error()))?;
        let context = Context { library, raw };
        context.be_lenient();
        context.load(settings)?;
        Ok(Self(Arc::new(context)))
    }

    /// A connection over `socket`, which must be connected. The handshake is [`Stream::handshake`].
    pub fn stream(&self, socket: Polled, peer: &Peer<'_>) -> Result<Stream, TlsError> {
        Stream::new(self.0.clone(), socket, peer)
    }

    /// Version of the loaded library, as it tells it (`OpenSSL 3.0.17 1 Jul 2025`).
    pub fn version(&self) -> String {
        // SAFETY: OpenSSL_version(0) returns a static NUL-terminated string.
        unsafe { library::text((self.0.library.openssl_version)(0)) }
    }
}

// Numbers of openssl/ssl.h that the C macros hide; the same in 1.1 and 3.
const CTRL_MODE: c_int = 33;
const CTRL_SET_SESSION_CACHE_MODE: c_int = 44;
const CTRL_SET_MIN_PROTO_VERSION: c_int = 123;
const MODE_ENABLE_PARTIAL_WRITE: c_long = 1;
const MODE_RELEASE_BUFFERS: c_long = 0x10;
const OP_LEGACY_SERVER_CONNECT: u64 = 1 << 2;
const OP_IGNORE_UNEXPECTED_EOF: u64 = 1 << 7;
const FILETYPE_PEM: c_int = 1;

impl Context {
    /// Talks to whatever a real server may be.
    fn be_lenient(&self) {
        let (library, raw) = (self.library, self.raw.as_ptr());
        // SAFETY: `raw` is a valid SSL_CTX; the control numbers take integers and no pointer; the cipher list is a
        // literal; a null verify callback means the library's own.
        unsafe {
            (library.ssl_ctx_ctrl)(raw, CTRL_SET_MIN_PROTO_VERSION, 0, ptr::null_mut());
            (library.ssl_ctx_ctrl)(raw, CTRL_MODE, MODE_ENABLE_PARTIAL_WRITE | MODE_RELEASE_BUFFERS, ptr::null_mut());
            (library.ssl_ctx_ctrl)(raw, CTRL_SET_SESSION_CACHE_MODE, 0, ptr::null_mut());
            (library.ssl_ctx_set_options)(raw, OP_LEGACY_SERVER_CONNECT | OP_IGNORE_UNEXPECTED_EOF);
            (library.ssl_ctx_set_cipher_list)(raw, c"ALL:@SECLEVEL=0".as_ptr());
            (library.ssl_ctx_set_security_level)(raw, 0);
            (library.ssl_ctx_set_verify)(raw, stream::VERIFY_NONE, None);
        }
        self.library.clear_errors();
    }

    fn load(&self, settings: &Settings) -> Result<(), TlsError> {
        let (library, raw) = (self.library, self.raw.as_ptr());
        let password = settings.password.as_ref().map(|secret| secret.expose().to_vec()).unwrap_or_default();
        // SAFETY: `answer_password` has the callback's type, and `password` outlives the calls below that may use it;
        // both are taken back at the end. Without a callback the library would ask at the terminal.
        unsafe {
            (library.ssl_ctx_set_default_passwd_cb)(raw, Some(answer_password));
            (library.ssl_ctx_set_default_passwd_cb_userdata)(raw, (&raw const password).cast_mut().cast::<c_void>());
        }
        let result = self.load_files(settings);
        // SAFETY: as above; the callback then finds no password.
        unsafe { (library.ssl_ctx_set_default_passwd_cb_userdata)(raw, ptr::null_mut()) };
        result
    }

    fn load_files(&self, settings: &Settings) -> Result<(), TlsError> {
        let (library, raw) = (self.library, self.raw.as_ptr());
        let file = |keyword, path: &Option<String>, load: &dyn Fn(*const c_char) -> c_int| {
            let Some(path) = path else { return Ok(()) };
            library.clear_errors();
            let refused = |message| TlsError::File { keyword, path: path.clone(), message };
            let Ok(name) = CString::new(path.as_str()) else {
                return Err(refused("the name holds a NUL octet".into()));
            };
            match load(name.as_ptr()) {
                1 => Ok(()),
                _ if !Path::new(path).exists() => Err(refused("no such file".into())),
                _ => Err(refused(library.error())),
            }
        };
        // SAFETY (all closures): `raw` is a valid SSL_CTX, `name` a NUL-terminated string; a null directory is allowed.
        file("ca", &settings.authorities, &|name| unsafe {
            (library.ssl_ctx_load_verify_locations)(raw, name, ptr::null())
        })?;
        if settings.authorities.is_none() {
            // SAFETY: as above. A system without authorities only fails where a peer is verified.
            unsafe { (library.ssl_ctx_set_default_verify_paths)(raw) };
            library.clear_errors();
        }
        // SAFETY: as above.
        file("certificate", &settings.certificate, &|name| unsafe {
            (library.ssl_ctx_use_certificate_chain_file)(raw, name)
        })?;
        // SAFETY: as above.
        file("key", &settings.key, &|name| unsafe { (library.ssl_ctx_use_private_key_file)(raw, name, FILETYPE_PEM) })?;
        Ok(())
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by SSL_CTX_new; streams hold references of their own.
        unsafe { (self.library.ssl_ctx_free)(self.raw.as_ptr()) };
    }
}

/// Gives the library the password of the private key; 0 where there is none or it does not fit.
extern "C" fn answer_password(buffer: *mut c_char, size: c_int, _writing: c_int, password: *mut c_void) -> c_int {
    // SAFETY: `load` passes a pointer to its vector, or null.
    let Some(password) = (unsafe { password.cast::<Vec<u8>>().as_ref() }) else { return 0 };
    let (Ok(size), Ok(length)) = (usize::try_from(size), c_int::try_from(password.len())) else { return 0 };
    if password.len() > size {
        return 0;
    }
    // SAFETY: the library's buffer holds `size` octets, and the password fits.
    unsafe { ptr::copy_nonoverlapping(password.as_ptr(), buffer.cast::<u8>(), password.len()) };
    length
}

#[cfg(test)]
mod tests;
