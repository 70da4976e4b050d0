//! The shared objects and the functions that we use of them.

use std::ffi::{CStr, CString, c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};
use std::sync::OnceLock;

use super::TlsError;

/// Names that are tried, newest first. The library brings its libcrypto along, and `dlsym` looks there too.
#[cfg(target_pointer_width = "64")]
const VERSIONS: &[&str] = &["libssl.so.3", "libssl.so.1.1"];
/// The options of a context are `unsigned long` in 1.1 and 64 bits wide in 3: one type serves both only here not.
#[cfg(not(target_pointer_width = "64"))]
const VERSIONS: &[&str] = &["libssl.so.3"];

/// Called by the library when it checks a certificate; we never set one.
pub(super) type VerifyCallback = extern "C" fn(c_int, *mut c_void) -> c_int;
/// Asks for the password of a private key: buffer, its size, 1 for writing, our own pointer.
pub(super) type PasswordCallback = extern "C" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int;

/// One table of functions: field, C names (the first that exists is taken), type. Most are of 1.1 and 3 alike.
macro_rules! functions {
    ($($field:ident: [$($name:literal),+] fn($($argument:ty),*) $(-> $result:ty)?;)+) => {
        /// The functions, named as in C.
        #[derive(Debug)]
        pub(super) struct Library {
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) $(-> $result)?,)+
        }

        impl Library {
            fn resolve(object: &Object) -> Result<Self, String> {
                Ok(Self {
                    $($field: {
                        let address = object.function(&[$($name),+])?;
                        // SAFETY: the C declaration of the function of this name has this type, in 1.1 and in 3.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($argument),*) $(-> $result)?>(address) }
                    },)+
                })
            }
        }
    };
}

functions! {
    openssl_version: ["OpenSSL_version"] fn(c_int) -> *const c_char;
    err_get_error: ["ERR_get_error"] fn() -> c_ulong;
    err_clear_error: ["ERR_clear_error"] fn();
    err_error_string_n: ["ERR_error_string_n"] fn(c_ulong, *mut c_char, usize);
    x509_free: ["X509_free"] fn(*mut c_void);
    x509_get0_not_after: ["X509_get0_notAfter"] fn(*const c_void) -> *const c_void;
    x509_verify_cert_error_string: ["X509_verify_cert_error_string"] fn(c_long) -> *const c_char;
    x509_verify_param_set1_ip_asc: ["X509_VERIFY_PARAM_set1_ip_asc"] fn(*mut c_void, *const c_char) -> c_int;
    asn1_time_diff: ["ASN1_TIME_diff"] fn(*mut c_int, *mut c_int, *const c_void, *const c_void) -> c_int;
    tls_client_method: ["TLS_client_method"] fn() -> *const c_void;
    ssl_ctx_new: ["SSL_CTX_new"] fn(*const c_void) -> *mut c_void;
    ssl_ctx_free: ["SSL_CTX_free"] fn(*mut c_void);
    ssl_ctx_ctrl: ["SSL_CTX_ctrl"] fn(*mut c_void, c_int, c_long, *mut c_void) -> c_long;
    ssl_ctx_set_options: ["SSL_CTX_set_options"] fn(*mut c_void, u64) -> u64;
    ssl_ctx_set_cipher_list: ["SSL_CTX_set_cipher_list"] fn(*mut c_void, *const c_char) -> c_int;
    ssl_ctx_set_security_level: ["SSL_CTX_set_security_level"] fn(*mut c_void, c_int);
    ssl_ctx_set_verify: ["SSL_CTX_set_verify"] fn(*mut c_void, c_int, Option<VerifyCallback>);
    ssl_ctx_load_verify_locations: ["SSL_CTX_load_verify_locations"] fn(*mut c_void, *const c_char, *const c_char) -> c_int;
    ssl_ctx_set_default_verify_paths: ["SSL_CTX_set_default_verify_paths"] fn(*mut c_void) -> c_int;
    ssl_ctx_use_certificate_chain_file: ["SSL_CTX_use_certificate_chain_file"] fn(*mut c_void, *const c_char) -> c_int;
    ssl_ctx_use_private_key_file: ["SSL_CTX_use_PrivateKey_file"] fn(*mut c_void, *const c_char, c_int) -> c_int;
    ssl_ctx_set_default_passwd_cb: ["SSL_CTX_set_default_passwd_cb"] fn(*mut c_void, Option<PasswordCallback>);
    ssl_ctx_set_default_passwd_cb_userdata: ["SSL_CTX_set_default_passwd_cb_userdata"] fn(*mut c_void, *mut c_void);
    ssl_new: ["SSL_new"] fn(*mut c_void) -> *mut c_void;
    ssl_free: ["SSL_free"] fn(*mut c_void);
    ssl_ctrl: ["SSL_ctrl"] fn(*mut c_void, c_int, c_long, *mut c_void) -> c_long;
    ssl_set_fd: ["SSL_set_fd"] fn(*mut c_void, c_int) -> c_int;
    ssl_set_connect_state: ["SSL_set_connect_state"] fn(*mut c_void);
    ssl_set_verify: ["SSL_set_verify"] fn(*mut c_void, c_int, Option<VerifyCallback>);
    ssl_set1_host: ["SSL_set1_host"] fn(*mut c_void, *const c_char) -> c_int;
    ssl_get0_param: ["SSL_get0_param"] fn(*mut c_void) -> *mut c_void;
    ssl_set_alpn_protos: ["SSL_set_alpn_protos"] fn(*mut c_void, *const c_uchar, c_uint) -> c_int;
    ssl_get0_alpn_selected: ["SSL_get0_alpn_selected"] fn(*const c_void, *mut *const c_uchar, *mut c_uint);
    ssl_do_handshake: ["SSL_do_handshake"] fn(*mut c_void) -> c_int;
    ssl_read: ["SSL_read"] fn(*mut c_void, *mut c_void, c_int) -> c_int;
    ssl_write: ["SSL_write"] fn(*mut c_void, *const c_void, c_int) -> c_int;
    ssl_shutdown: ["SSL_shutdown"] fn(*mut c_void) -> c_int;
    ssl_get_error: ["SSL_get_error"] fn(*const c_void, c_int) -> c_int;
    ssl_get_version: ["SSL_get_version"] fn(*const c_void) -> *const c_char;
    ssl_get_verify_result: ["SSL_get_verify_result"] fn(*const c_void) -> c_long;
    ssl_get1_peer_certificate: ["SSL_get1_peer_certificate", "SSL_get_peer_certificate"] fn(*const c_void) -> *mut c_void;
}

impl Library {
    /// The oldest error of the library's queue in its own words; the queue is empty afterwards.
    pub(super) fn error(&self) -> String {
        let mut buffer: [c_char; 256] = [0; 256];
        // SAFETY: ERR_get_error takes nothing; ERR_error_string_n writes at most the given length, NUL included.
        let text = unsafe {
            let error = (self.err_get_error)();
            if error == 0 {
                return "no reason given".into();
            }
            (self.err_error_string_n)(error, buffer.as_mut_ptr(), buffer.len());
            text(buffer.as_ptr())
        };
        self.clear_errors();
        // error:0A00010B:SSL routines::wrong version number
        match text.rsplit(':').next() {
            Some(reason) if !reason.is_empty() => reason.to_owned(),
            _ => text,
        }
    }

    /// Empties the library's error queue, which belongs to the thread.
    pub(super) fn clear_errors(&self) {
        // SAFETY: takes nothing.
        unsafe { (self.err_clear_error)() };
    }
}

/// A copy of a C string.
///
/// # Safety
/// `string` is null or NUL-terminated.
pub(super) unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: as the caller vouches.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// The library, loaded at the first call and kept for the life of the process.
///
/// A failure is kept too: installing the package takes effect at the next start of the process.
pub(super) fn library() -> Result<&'static Library, TlsError> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    LIBRARY.get_or_init(|| load(VERSIONS)).as_ref().map_err(|message| TlsError::Library(message.clone()))
}

/// Loads the first that is there.
pub(super) fn load(versions: &[&str]) -> Result<Library, String> {
    let mut refusals = Vec::new();
    for version in versions {
        match Object::open(version).and_then(|object| Library::resolve(&object)) {
            Ok(library) => return Ok(library),
            Err(refusal) => refusals.push(refusal),
        }
    }
    Err(refusals.join("; "))
}

/// An open shared object. Never closed: the library registers handlers that outlive any owner.
struct Object(*mut c_void);

impl Object {
    fn open(name: &str) -> Result<Self, String> {
        let file = CString::new(name).map_err(|error| error.to_string())?;
        // SAFETY: a NUL-terminated name. The library's constructors are those of OpenSSL and touch nothing of ours.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        // SAFETY: dlerror returns null or a NUL-terminated string, copied at once.
        if handle.is_null() { Err(unsafe { text(libc::dlerror()) }) } else { Ok(Self(handle)) }
    }

    fn function(&self, names: &[&str]) -> Result<*mut c_void, String> {
        for name in names {
            let symbol = CString::new(*name).map_err(|error| error.to_string())?;
            // SAFETY: a handle that dlopen gave and a NUL-terminated name.
            let address = unsafe { libc::dlsym(self.0, symbol.as_ptr()) };
            if !address.is_null() {
                return Ok(address);
            }
        }
        Err(format!("function {} is missing", names.join(" or ")))
    }
}
