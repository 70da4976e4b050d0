//! Against a server of our own, and beside Debian's `genhash` where it is installed.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Serves the same reply again and again; returns its port.
async fn serve(reply: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut asked = [0; 4096];
            let _ = socket.read(&mut asked).await;
            let _ = socket.write_all(reply).await;
        }
    });
    port
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn output_is_that_of_genhash() {
    runtime().block_on(async {
        let port = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello").await;
        let quiet = run(&words(&format!("-s 127.0.0.1 -p {port} -u /x"))).await;
        assert_eq!((quiet.stdout.as_str(), quiet.code), ("5d41402abc4b2a76b9719d911017c592\n", 0));

        let verbose = run(&words(&format!("--server=127.0.0.1 --port {port} --url /x -v"))).await.stdout;
        let (before, time) = verbose.split_once("Global response time for [/x] = ").unwrap();
        // Captured from Debian's genhash 2.2.7.
        assert_eq!(
            before,
            "\
-----------------------[    HTTP Header Buffer    ]-----------------------
0000  48 54 54 50 2f 31 2e 31 - 20 32 30 30 20 4f 4b 0d   HTTP/1.1 200 OK.
0016  0a 43 6f 6e 74 65 6e 74 - 2d 4c 65 6e 67 74 68 3a   .Content-Length:
0032  20 35 0d 0a 58 3a 20 79 - 0d 0a 0d 0a                5..X: y....    \n\
-----------------------[ HTTP Header Ascii Buffer ]-----------------------
HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\n
-----------------------[        HTML Buffer        ]-----------------------
0000  68 65 6c 6c 6f          -                           hello           \n
-----------------------[    HTML hash resulting    ]-----------------------
0000  5d 41 40 2a bc 4b 2a 76 - b9 71 9d 91 10 17 c5 92   ]A@*.K*v.q......
-----------------------[ HTML hash final resulting ]-----------------------
5d41402abc4b2a76b9719d911017c592

"
        );
        assert!(time.ends_with(" usecs\n"), "{time}");
    });
}

#[test]
fn the_digest_is_of_the_raw_body_framing_included() {
    runtime().block_on(async {
        let port = serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").await;
        let output = run(&words(&format!("-s127.0.0.1 -p{port} -u/x -P1.1"))).await;
        // as Debian's genhash 2.2.7 says
        assert_eq!(output.stdout, "79e9489e3bd3f0cb0158215341de046d\n");
    });
}

#[test]
fn mistakes_are_told_before_the_usage() {
    let rows = [
        ("", ""),
        ("-h", ""),
        ("-s 127.0.0.1 -p 80", ""),
        ("-s", ""),
        ("-s nohost -p 80 -u /", "server should be an IP, not nohost\n"),
        ("-s 127.0.0.1 -p 99999 -u /", "invalid port number '99999'\n"),
        ("-s 127.0.0.1 -p abc -u /", "invalid port number 'abc'\n"),
        ("-s 127.0.0.1 -p 80 -u / -P 3", "invalid HTTP protocol version '3'\n"),
        ("-s 127.0.0.1 -p 80 -u / -m x", "invalid fwmark 'x'\n"),
        ("-s 127.0.0.1 -p 80 -u / -t x", "invalid timeout 'x'\n"),
        ("-s 127.0.0.1 -p 80 -u / extra", "Unexpected argument(s): extra\n"),
        ("-r -s 127.0.0.1", "Unknown option -r\n"),
    ];
    runtime().block_on(async {
        for (arguments, message) in rows {
            let output = run(&words(arguments)).await;
            assert_eq!((output.stderr, output.code), (format!("{message}{USAGE}"), 1), "{arguments}");
        }
    });
}

#[test]
fn failures_have_an_exit_code() {
    runtime().block_on(async {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        let output = run(&words(&format!("-s 127.0.0.1 -p {closed} -u /"))).await;
        assert!(output.stderr.starts_with("Connection failed") && output.code == 1, "{output:?}");
        let port = serve(b"").await;
        let output = run(&words(&format!("-s 127.0.0.1 -p {port} -u /"))).await;
        assert_eq!((output.stderr.as_str(), output.code), ("no data received from remote webserver\n", 1));
    });
}

#[test]
fn debian_genhash_agrees_where_it_is_installed() {
    if !std::path::Path::new("/usr/bin/genhash").exists() {
        println!("no genhash here: not compared");
        return;
    }
    let replies: [&[u8]; 5] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
        b"HTTP/1.0 404 no\r\n\r\nhello\r\n\r\nworld",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
    ];
    runtime().block_on(async {
        for reply in replies {
            let port = serve(reply).await;
            let arguments = words(&format!("-s 127.0.0.1 -p {port} -u /x -V www.example"));
            let ours = run(&arguments).await;
            let theirs = tokio::process::Command::new("/usr/bin/genhash").args(&arguments).output().await.unwrap();
            assert_eq!(ours.stdout, String::from_utf8(theirs.stdout).unwrap(), "{}", String::from_utf8_lossy(reply));
        }
    });
}
