//! One TLS connection over a non-blocking socket.

use std::ffi::{CString, c_char, c_int, c_long, c_uchar, c_uint, c_void};
use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use super::{Context, Peer, TlsError, library};
use crate::polled::Polled;

pub(super) const VERIFY_NONE: c_int = 0;
const VERIFY_PEER: c_int = 1;
const CTRL_SET_TLSEXT_HOSTNAME: c_int = 55;
const NAMETYPE_HOST_NAME: c_long = 0;
const VERIFIED: c_long = 0;

// Results of SSL_get_error.
const ERROR_SSL: c_int = 1;
const ERROR_WANT_READ: c_int = 2;
const ERROR_WANT_WRITE: c_int = 3;
const ERROR_SYSCALL: c_int = 5;
const ERROR_ZERO_RETURN: c_int = 6;

/// A TLS connection. Dropping it closes the socket without a word to the peer.
#[derive(Debug)]
pub struct Stream {
    ssl: Ssl,
    // dropped after `ssl`, which refers to the descriptor's number
    socket: Polled,
    verified: bool,
}

#[derive(Debug)]
struct Ssl {
    raw: NonNull<c_void>,
    context: Arc<Context>,
}

// SAFETY: an SSL object has no ties to a thread; `&mut self` lets one thread use it at a time.
unsafe impl Send for Ssl {}

impl Drop for Ssl {
    fn drop(&mut self) {
        // SAFETY: made by SSL_new and freed nowhere else. Its BIO does not own the descriptor (SSL_set_fd).
        unsafe { (self.context.library.ssl_free)(self.raw.as_ptr()) };
    }
}

/// One attempt of the library.
enum Step {
    Done(usize),
    Closed,
    WantRead,
    WantWrite,
}

impl Stream {
    pub(super) fn new(context: Arc<Context>, socket: Polled, peer: &Peer<'_>) -> Result<Self, TlsError> {
        let library = context.library;
        library.clear_errors();
        // SAFETY: a valid SSL_CTX.
        let raw = unsafe { (library.ssl_new)(context.raw.as_ptr()) };
        let raw = NonNull::new(raw).ok_or_else(|| TlsError::Protocol(library.error()))?;
        let stream = Self { ssl: Ssl { raw, context }, socket, verified: peer.verify_name.is_some() };
        let ssl = raw.as_ptr();
        // SAFETY: a valid SSL object and the number of an open socket, which `stream` owns longer than the object.
        let attached = unsafe {
            (library.ssl_set_connect_state)(ssl);
            (library.ssl_set_fd)(ssl, stream.socket.as_fd().as_raw_fd())
        };
        if attached != 1 {
            return Err(TlsError::Protocol(library.error()));
        }
        if let Some(name) = peer.server_name {
            let name = c_string(name)?;
            // SAFETY: SSL_set_tlsext_host_name is this control with a NUL-terminated name, which is copied.
            unsafe {
                (library.ssl_ctrl)(
                    ssl,
                    CTRL_SET_TLSEXT_HOSTNAME,
                    NAMETYPE_HOST_NAME,
                    name.as_ptr().cast_mut().cast::<c_void>(),
                )
            };
        }
        let mut protocols = Vec::new();
        for protocol in peer.protocols {
            protocols.extend(u8::try_from(protocol.len()));
            protocols.extend_from_slice(protocol.as_bytes());
        }
        if let (false, Ok(length)) = (protocols.is_empty(), c_uint::try_from(protocols.len())) {
            // SAFETY: pointer and length describe the list, which is copied.
            unsafe { (library.ssl_set_alpn_protos)(ssl, protocols.as_ptr(), length) };
        }
        if let Some(name) = peer.verify_name {
            stream.expect_name(name)?;
        }
        Ok(stream)
    }

    fn expect_name(&self, name: &str) -> Result<(), TlsError> {
        let (library, ssl) = (self.ssl.context.library, self.ssl.raw.as_ptr());
        let text = c_string(name)?;
        let text: *const c_char = text.as_ptr();
        // SAFETY: a valid SSL object, its own parameters and a NUL-terminated name, which is copied.
        let taken = unsafe {
            (library.ssl_set_verify)(ssl, VERIFY_PEER, None);
            match name.parse::<IpAddr>() {
                Ok(_) => (library.x509_verify_param_set1_ip_asc)((library.ssl_get0_param)(ssl), text),
                Err(_) => (library.ssl_set1_host)(ssl, text),
            }
        };
        if taken == 1 { Ok(()) } else { Err(TlsError::Protocol(library.error())) }
    }

    /// Agrees with the peer on everything. Nothing else may come before it.
    pub async fn handshake(&mut self) -> Result<(), TlsError> {
        let result = self.drive(|library, ssl| {
            // SAFETY: `drive` passes its valid SSL object.
            unsafe { (library.ssl_do_handshake)(ssl) }
        });
        match result.await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(TlsError::Socket(None)),
            Err(error) => Err(self.refusal(error)),
        }
    }

    /// Reads at least one octet; 0 at the end of the stream.
    pub async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TlsError> {
        let length = c_int::try_from(buffer.len()).unwrap_or(c_int::MAX);
        let result = self.drive(|library, ssl| {
            // SAFETY: `drive` passes its valid SSL object; pointer and length describe `buffer`.
            unsafe { (library.ssl_read)(ssl, buffer.as_mut_ptr().cast::<c_void>(), length) }
        });
        Ok(result.await?.unwrap_or(0))
    }

    /// Writes all of it.
    pub async fn write_all(&mut self, mut data: &[u8]) -> Result<(), TlsError> {
        while !data.is_empty() {
            let length = c_int::try_from(data.len()).unwrap_or(c_int::MAX);
            let result = self.drive(|library, ssl| {
                // SAFETY: `drive` passes its valid SSL object; pointer and length describe `data`. A repeated call has
                // the same arguments, as the library wants.
                unsafe { (library.ssl_write)(ssl, data.as_ptr().cast::<c_void>(), length) }
            });
            let written = result.await?.ok_or(TlsError::Socket(None))?;
            data = data.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// Says goodbye (close_notify). With `wait` it also waits for the peer's, which `tls_compliant` asks for.
    pub async fn shutdown(&mut self, wait: bool) -> Result<(), TlsError> {
        loop {
            let mut sent = false;
            let result = self.drive(|library, ssl| {
                // SAFETY: `drive` passes its valid SSL object.
                let answer = unsafe { (library.ssl_shutdown)(ssl) };
                sent |= answer == 0;
                if answer == 0 { 1 } else { answer } // 0: ours is sent, the peer's has not come; no error
            });
            result.await?;
            if !(sent && wait) {
                return Ok(());
            }
        }
    }

    /// The application protocol agreed on.
    pub fn protocol(&self) -> Option<String> {
        let (mut name, mut length): (*const c_uchar, c_uint) = (ptr::null(), 0);
        // SAFETY: a valid SSL object and two variables to write to. The name stays valid as long as the object does,
        // and is copied.
        unsafe {
            (self.ssl.context.library.ssl_get0_alpn_selected)(self.ssl.raw.as_ptr(), &raw mut name, &raw mut length);
            let length = usize::try_from(length).unwrap_or(0);
            (!name.is_null() && length > 0)
                .then(|| String::from_utf8_lossy(std::slice::from_raw_parts(name, length)).into_owned())
        }
    }

    /// The protocol version agreed on (`TLSv1.3`).
    pub fn version(&self) -> String {
        // SAFETY: a valid SSL object; the answer is a static string.
        unsafe { library::text((self.ssl.context.library.ssl_get_version)(self.ssl.raw.as_ptr())) }
    }

    /// How long the peer's certificate is still good: zero when it has expired, `None` when there is none.
    pub fn certificate_remaining(&self) -> Option<Duration> {
        let library = self.ssl.context.library;
        // SAFETY: a valid SSL object; the certificate is ours to free, and the time belongs to it. A null first time
        // means now.
        unsafe {
            let certificate = NonNull::new((library.ssl_get1_peer_certificate)(self.ssl.raw.as_ptr()))?;
            let (mut days, mut seconds) = (0, 0);
            let not_after = (library.x509_get0_not_after)(certificate.as_ptr());
            let known = (library.asn1_time_diff)(&raw mut days, &raw mut seconds, ptr::null(), not_after);
            (library.x509_free)(certificate.as_ptr());
            let total = i64::from(days) * 86_400 + i64::from(seconds);
            (known == 1).then(|| Duration::from_secs(u64::try_from(total).unwrap_or(0)))
        }
    }

    /// A refused certificate says so instead of "certificate verify failed".
    fn refusal(&self, error: TlsError) -> TlsError {
        let library = self.ssl.context.library;
        if !self.verified {
            return error;
        }
        // SAFETY: a valid SSL object; the text is a static string.
        unsafe {
            match (library.ssl_get_verify_result)(self.ssl.raw.as_ptr()) {
                VERIFIED => error,
                code => TlsError::Certificate(library::text((library.x509_verify_cert_error_string)(code))),
            }
        }
    }

    /// Repeats an operation until the library has done it: `Some` with its result, `None` at the end of the stream.
    async fn drive(
        &mut self,
        mut operation: impl FnMut(&library::Library, *mut c_void) -> c_int + Send,
    ) -> Result<Option<usize>, TlsError> {
        let (ssl, socket) = (&mut self.ssl, &self.socket);
        let mut attempt = || ssl.attempt(&mut operation);
        let mut step = attempt()?;
        loop {
            // The readiness is only believed until the library finds the socket dry once more.
            let waited = match step {
                Step::Done(result) => return Ok(Some(result)),
                Step::Closed => return Ok(None),
                Step::WantRead => {
                    socket
                        .read_with(|_| match attempt() {
                            Ok(Step::WantRead) => Err(io::ErrorKind::WouldBlock.into()),
                            other => Ok(other),
                        })
                        .await
                }
                Step::WantWrite => {
                    socket
                        .write_with(|_| match attempt() {
                            Ok(Step::WantWrite) => Err(io::ErrorKind::WouldBlock.into()),
                            other => Ok(other),
                        })
                        .await
                }
            };
            step = waited.map_err(|error| TlsError::Socket(error.raw_os_error()))??;
        }
    }
}

impl Ssl {
    fn attempt(
        &mut self,
        operation: &mut impl FnMut(&library::Library, *mut c_void) -> c_int,
    ) -> Result<Step, TlsError> {
        let library = self.context.library;
        library.clear_errors();
        let result = operation(library, self.raw.as_ptr());
        if let (1.., Ok(result)) = (result, usize::try_from(result)) {
            return Ok(Step::Done(result));
        }
        let system = io::Error::last_os_error();
        // SAFETY: a valid SSL object and the result of its last operation, on the same thread.
        match unsafe { (library.ssl_get_error)(self.raw.as_ptr(), result) } {
            ERROR_WANT_READ => Ok(Step::WantRead),
            ERROR_WANT_WRITE => Ok(Step::WantWrite),
            ERROR_ZERO_RETURN => Ok(Step::Closed),
            // 1.1 tells an end without close_notify so; 3 has an option for it
            ERROR_SYSCALL if result == 0 => Ok(Step::Closed),
            ERROR_SYSCALL => match system.raw_os_error() {
                Some(0) | None => Ok(Step::Closed),
                errno => Err(TlsError::Socket(errno)),
            },
            ERROR_SSL => Err(TlsError::Protocol(library.error())),
            other => Err(TlsError::Protocol(format!("{} (SSL_get_error {other})", library.error()))),
        }
    }
}

fn c_string(text: &str) -> Result<CString, TlsError> {
    CString::new(text).map_err(|_| TlsError::Protocol("a server name holds a NUL octet".into()))
}
