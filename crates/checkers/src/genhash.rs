//! `genhash`: the digest that a `url` block wants, for the person who writes the block.
//!
//! Options, output and messages are those of keepalived's `genhash`; its digest is of the raw body, as in HTTP_GET.
//! Better here: a failure ends with code 1 (keepalived: 0), and a page whose lines end with LF alone has a digest.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lvs::{Endpoint, HttpConfig, HttpVersion, UrlConfig};
use md5::{Digest, Md5};
use tokio::time::{Instant, timeout_at};
use types::FwMark;

use crate::context::Context;
use crate::http::hexadecimal;
use crate::http::reply::ReplyReader;
use crate::http::{self, request};

/// The text of `genhash -h`.
pub const USAGE: &str = "\
Usage: genhash COMMAND [OPTIONS]
Commands:
   -s server-address -p port -u url
   -S -s server-address -p port -u url
   -h

Options:
Either long or short options are allowed.
   --use-ssl         -S       Use SSL connection to remote server.
   --use-sni         -I       Use SNI during SSL handshake (uses virtualhost setting; see -V).
   --server          -s       Use the specified remote server address.
   --port            -p       Use the specified remote server port.
   --url             -u       Use the specified remote server url.
   --use-virtualhost -V       Use the specified virtualhost in GET query.
   --verbose         -v       Use verbose mode output.
   --help            -h       Display this short inlined help screen.
   --fwmark          -m       Use the specified FW mark.
   --protocol        -P       Use the specified HTTP protocol - '1.0', 1.0c', '1.1'.
                                1.0c means 1.0 with 'Connection: close'
   --timeout         -t       Timeout in seconds
";

/// Long and short names, and whether a value follows.
const OPTIONS: [(&str, char, bool); 11] = [
    ("use-ssl", 'S', false),
    ("use-sni", 'I', false),
    ("server", 's', true),
    ("port", 'p', true),
    ("url", 'u', true),
    ("use-virtualhost", 'V', true),
    ("verbose", 'v', false),
    ("help", 'h', false),
    ("fwmark", 'm', true),
    ("protocol", 'P', true),
    ("timeout", 't', true),
];

/// What to print, and how to end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// For standard output.
    pub stdout: String,
    /// For standard error.
    pub stderr: String,
    /// Exit code.
    pub code: u8,
}

impl Output {
    fn failed(message: impl Into<String>) -> Self {
        Self { stdout: String::new(), stderr: message.into(), code: 1 }
    }
}

/// The whole of genhash: `arguments` without the program's name. Needs a runtime.
pub async fn run(arguments: &[String]) -> Output {
    match Order::parse(arguments) {
        Ok(order) => order.run().await,
        Err(message) => Output::failed(format!("{message}{USAGE}")),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    config: HttpConfig,
    verbose: bool,
}

impl Order {
    /// `Err` holds the line that stands before the usage, or nothing.
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let (mut server, mut port, mut url, mut host) = (None, None, None, None);
        let (mut tls, mut sni, mut verbose, mut mark) = (false, false, false, FwMark(0));
        let (mut version, mut timeout) = (HttpVersion::Http10, Duration::from_secs(5));
        let mut surplus = Vec::new();
        for (option, value) in split(arguments, &mut surplus)? {
            match option {
                'S' => tls = true,
                'I' => sni = true,
                'v' => verbose = true,
                's' => {
                    let address = value.parse::<IpAddr>();
                    server = Some(address.map_err(|_| format!("server should be an IP, not {value}\n"))?);
                }
                'p' => {
                    let number = value.parse::<u16>().ok().filter(|number| *number != 0);
                    port = Some(number.ok_or_else(|| format!("invalid port number '{value}'\n"))?);
                }
                'u' => url = Some(value),
                'V' => host = Some(value),
                'm' => mark = FwMark(value.parse().map_err(|_| format!("invalid fwmark '{value}'\n"))?),
                'P' => {
                    version = match value.to_ascii_lowercase().as_str() {
                        "1.0" => HttpVersion::Http10,
                        "1.0c" => HttpVersion::Http10Close,
                        "1.1" => HttpVersion::Http11,
                        _ => return Err(format!("invalid HTTP protocol version '{value}'\n")),
                    }
                }
                't' => {
                    let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                    timeout = Duration::from_secs(seconds.ok_or_else(|| format!("invalid timeout '{value}'\n"))?);
                }
                _ => return Err(String::new()),
            }
        }
        if !surplus.is_empty() {
            return Err(format!("Unexpected argument(s): {}\n", surplus.join(" ")));
        }
        let (Some(server), Some(port), Some(path)) = (server, port, url) else { return Err(String::new()) };
        let endpoint = Endpoint {
            destination: SocketAddr::new(server, port),
            bind_address: None,
            bind_port: None,
            bind_interface: None,
            mark,
            timeout,
        };
        let url =
            UrlConfig { path, host: host.clone(), digest: None, status: Vec::new(), regex: None, tls_compliant: false };
        let sni = host.filter(|_| sni);
        let config =
            HttpConfig { endpoint, tls, version, sni, fast_recovery: false, tls_compliant: false, urls: vec![url] };
        Ok(Self { config, verbose })
    }

    async fn run(&self) -> Output {
        let began = Instant::now();
        let [url] = self.config.urls.as_slice() else { return Output::failed(USAGE) };
        let mut transport = match http::connect(&self.config, &Context::default()).await {
            Ok(transport) => transport,
            Err(failure) if failure.detail.is_empty() => return Output::failed("Connection failed\n"),
            Err(failure) => return Output::failed(format!("Connection failed: {}\n", failure.detail)),
        };
        let deadline = Instant::now() + self.config.endpoint.timeout;
        let asked = request::request(&self.config, url);
        if !matches!(timeout_at(deadline, transport.write_all(asked.as_bytes())).await, Ok(Ok(()))) {
            return Output::failed("cannot send the request to remote webserver\n");
        }
        let (mut reader, mut digest, mut body) = (ReplyReader::new(), Md5::new(), Vec::new());
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(Ok(length @ 1..)) = timeout_at(deadline, transport.read(&mut buffer)).await {
            let piece = &buffer[..length];
            match reader.take(piece) {
                Err(why) => return Output::failed(format!("{why}\n")),
                Ok(taken) => {
                    digest.update(&piece[taken.raw.clone()]);
                    if self.verbose {
                        body.extend_from_slice(&piece[taken.raw]);
                    }
                    if taken.complete {
                        break;
                    }
                }
            }
        }
        if !reader.has_head() {
            return Output::failed("no data received from remote webserver\n");
        }
        let digest: [u8; 16] = digest.finalize().into();
        let stdout = match self.verbose {
            true => verbose(reader.head(), &body, &digest, &url.path, began.elapsed()),
            false => format!("{}\n", hexadecimal(&digest)),
        };
        Output { stdout, ..Output::default() }
    }
}

/// Options with their values, as getopt_long takes them: `-Sv`, `-p80`, `-p 80`, `--port=80`, `--port 80`, unambiguous
/// beginnings of long names. Words that are none go to `surplus`.
fn split(arguments: &[String], surplus: &mut Vec<String>) -> Result<Vec<(char, String)>, String> {
    let mut found = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            surplus.extend(words.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let candidates: Vec<_> = match OPTIONS.iter().find(|(full, ..)| *full == name) {
                Some(exact) => vec![exact],
                None => OPTIONS.iter().filter(|(full, ..)| full.starts_with(name)).collect(),
            };
            let [(_, short, wants_value)] = candidates.as_slice() else {
                return Err(format!("Unknown option --{name}\n"));
            };
            let value = match (*wants_value, attached) {
                (true, Some(value)) => value,
                (true, None) => words.next().cloned().ok_or_else(String::new)?,
                (false, None) => String::new(),
                (false, Some(_)) => return Err(format!("Option --{name} takes no value\n")),
            };
            found.push((*short, value));
        } else if let Some(cluster) = word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
            for (at, letter) in cluster.char_indices() {
                let Some((_, _, wants_value)) = OPTIONS.iter().find(|(_, short, _)| *short == letter) else {
                    return Err(format!("Unknown option -{letter}\n"));
                };
                if !wants_value {
                    found.push((letter, String::new()));
                    continue;
                }
                let value = match &cluster[at + letter.len_utf8()..] {
                    "" => words.next().cloned().ok_or_else(String::new)?,
                    attached => attached.to_owned(),
                };
                found.push((letter, value));
                break;
            }
        } else {
            surplus.push(word.clone());
        }
    }
    Ok(found)
}

fn verbose(head: &[u8], body: &[u8], digest: &[u8; 16], path: &str, took: Duration) -> String {
    let mut text = String::from("-----------------------[    HTTP Header Buffer    ]-----------------------\n");
    dump(&mut text, head);
    text.push_str("-----------------------[ HTTP Header Ascii Buffer ]-----------------------\n");
    text.push_str(&String::from_utf8_lossy(head));
    text.push('\n');
    if !body.is_empty() {
        text.push_str("-----------------------[        HTML Buffer        ]-----------------------\n");
        dump(&mut text, body);
    }
    text.push_str("\n-----------------------[    HTML hash resulting    ]-----------------------\n");
    dump(&mut text, digest);
    text.push_str("-----------------------[ HTML hash final resulting ]-----------------------\n");
    let (digest, took) = (hexadecimal(digest), took.as_micros());
    // Writing to a string cannot fail.
    let _ = write!(text, "{digest}\n\nGlobal response time for [{path}] = {took} usecs\n");
    text
}

/// Decimal offset, sixteen octets in hexadecimal with a hyphen in the middle, and what of them is printable.
fn dump(text: &mut String, octets: &[u8]) {
    for (number, line) in octets.chunks(16).enumerate() {
        let _ = write!(text, "{:04}  ", number * 16);
        for column in 0..16 {
            if column == 8 {
                text.push_str("- ");
            }
            let _ = match line.get(column) {
                Some(octet) => write!(text, "{octet:02x} "),
                None => write!(text, "   "),
            };
        }
        let printable = |octet: &u8| if octet.is_ascii_graphic() || *octet == b' ' { char::from(*octet) } else { '.' };
        let printed: String = line.iter().map(printable).collect();
        let _ = writeln!(text, "  {printed:<16}");
    }
}

#[cfg(test)]
mod tests;
