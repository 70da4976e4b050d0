//! What is asked: keepalived's octets.

use lvs::{HttpConfig, HttpVersion, UrlConfig};

/// The request for one url, as keepalived 2.2.7 sends it (captured: order and spelling of the lines).
pub fn request(config: &HttpConfig, url: &UrlConfig) -> String {
    text(&url.path, config.version, &super::host(config, url))
}

/// The request text from its parts.
pub fn text(path: &str, version: HttpVersion, host: &str) -> String {
    let (number, connection) = match version {
        HttpVersion::Http10 => ("1.0", ""),
        HttpVersion::Http10Close => ("1.0", "Connection: close\r\n"),
        HttpVersion::Http11 => ("1.1", "Connection: close\r\n"),
    };
    format!("GET {path} HTTP/{number}\r\nUser-Agent: KeepAliveClient\r\n{connection}Host: {host}\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    // Captured from Debian's genhash 2.2.7.
    #[test]
    fn the_octets_are_those_of_keepalived() {
        let rows = [
            (HttpVersion::Http10, "GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: 127.0.0.1:18099\r\n\r\n"),
            (
                HttpVersion::Http11,
                "GET /x HTTP/1.1\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: 127.0.0.1:18099\r\n\r\n",
            ),
            (
                HttpVersion::Http10Close,
                "GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: 127.0.0.1:18099\r\n\r\n",
            ),
        ];
        for (version, expected) in rows {
            assert_eq!(text("/x", version, "127.0.0.1:18099"), expected);
        }
    }
}
