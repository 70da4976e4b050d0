use super::*;

/// Status, raw body, content, completeness.
type Read = (Option<u16>, Vec<u8>, Vec<u8>, bool);

/// Takes a reply in pieces of every size and returns status, raw body, content, completeness; all must agree.
fn read(reply: &[u8]) -> Result<Read, Malformed> {
    let whole = read_in_pieces(reply, reply.len().max(1));
    for size in 1..reply.len().min(40) {
        assert_eq!(read_in_pieces(reply, size), whole, "pieces of {size} octets");
    }
    whole
}

fn read_in_pieces(reply: &[u8], size: usize) -> Result<Read, Malformed> {
    let (mut reader, mut raw, mut content) = (ReplyReader::new(), Vec::new(), Vec::new());
    for piece in reply.chunks(size) {
        let taken = reader.take(piece)?;
        raw.extend_from_slice(&piece[taken.raw]);
        for range in taken.content {
            content.extend_from_slice(&piece[range]);
        }
        if taken.complete {
            break;
        }
    }
    Ok((reader.status(), raw, content, reader.is_complete()))
}

#[test]
fn what_real_servers_say_is_understood() {
    let rows: &[(&str, &str, u16, &str, &str, bool)] = &[
        // name, reply, status, raw body, content, complete
        ("until the end", "HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello", "hello", false),
        ("a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", "hello", true),
        ("less than announced", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200, "hello", "hello", false),
        ("more than announced", "HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nhello", 200, "he", "he", true),
        ("no body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", "", true),
        ("204 has none", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "", true),
        ("304 has none", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", "", true),
        ("no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "", "", true),
        ("no reason but a blank", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 200, "", "", true),
        ("HTTP/2 in clear text", "HTTP/2 200\r\nContent-Length: 0\r\n\r\n", 200, "", "", true),
        ("line feeds alone", "HTTP/1.0 503 no\nContent-Length: 5\n\nhello", 503, "hello", "hello", true),
        ("many blanks", "HTTP/1.0   301   Moved\r\n\r\n", 301, "", "", false),
        ("an interim reply", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 no\r\n\r\nx", 404, "x", "x", false),
        ("a broken length", "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello!", 200, "hello!", "hello!", false),
        ("a broken header line", "HTTP/1.1 200 OK\r\n\x01nonsense\r\n: x\r\n\r\nhello", 200, "hello", "hello", false),
        (
            "chunks",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200,
            "5\r\nhello\r\n0\r\n\r\n",
            "hello",
            true,
        ),
        (
            "chunks with all that is allowed",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, Chunked\r\nContent-Length: 1\r\n\r\n\
             00A;name=\"value\"\r\n0123456789\r\n3 \r\nabc\r\n0;last\r\nTrailer: x\r\n\r\n",
            200,
            "00A;name=\"value\"\r\n0123456789\r\n3 \r\nabc\r\n0;last\r\nTrailer: x\r\n\r\n",
            "0123456789abc",
            true,
        ),
        (
            "chunks that end early",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
            200,
            "5\r\nhe",
            "he",
            false,
        ),
    ];
    for (name, reply, status, raw, content, complete) in rows {
        let expected = (Some(*status), raw.as_bytes().to_vec(), content.as_bytes().to_vec(), *complete);
        assert_eq!(read(reply.as_bytes()).unwrap(), expected, "{name}");
    }
}

#[test]
fn what_is_no_reply_is_refused() {
    let rows: &[(&str, &[u8], Malformed)] = &[
        ("another protocol", b"220 mail.example.org ESMTP\r\n", Malformed::StatusLine),
        ("octets of TLS", b"\x15\x03\x01\x00\x02\x02\x46", Malformed::StatusLine),
        ("no status", b"HTTP/1.1\r\n\r\n", Malformed::StatusLine),
        ("two digits", b"HTTP/1.1 20 OK\r\n\r\n", Malformed::StatusLine),
        ("four digits", b"HTTP/1.1 2000 OK\r\n\r\n", Malformed::StatusLine),
        ("letters", b"HTTP/1.1 2OO OK\r\n\r\n", Malformed::StatusLine),
        ("a sign", b"HTTP/1.1 -20 OK\r\n\r\n", Malformed::StatusLine),
        ("nothing before the status", b"HTTP/1.1200 OK\r\n\r\n", Malformed::StatusLine),
        ("no length of a chunk", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", Malformed::Chunk),
        ("garbage for a length", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", Malformed::Chunk),
        (
            "a length beyond 64 bits",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
            Malformed::Chunk,
        ),
        (
            "a chunk without its end",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n",
            Malformed::Chunk,
        ),
    ];
    for (name, reply, why) in rows {
        assert_eq!(read(reply), Err(*why), "{name}");
    }
}

#[test]
fn an_unfinished_head_has_no_body() {
    assert_eq!(read(b"HTTP/1.1 200 OK\r\nServer: x\r\n").unwrap(), (Some(200), vec![], vec![], false));
    assert_eq!(read(b"HTT").unwrap(), (None, vec![], vec![], false));
    assert_eq!(read(b"").unwrap(), (None, vec![], vec![], false));
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let endless = |start: &[u8], repeated: &[u8]| {
        let mut reader = ReplyReader::new();
        reader.take(start).unwrap();
        let piece = repeated.repeat(8 * 1024 / repeated.len());
        for _ in 0..20_000 {
            if let Err(why) = reader.take(&piece) {
                assert!(reader.head().len() <= LONGEST_HEAD + 1);
                return why;
            }
        }
        panic!("not refused");
    };
    assert_eq!(endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), Malformed::HeadTooLong);
    assert_eq!(endless(b"HTTP/1.1 ", b" "), Malformed::HeadTooLong);
    assert_eq!(endless(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"), Malformed::HeadTooLong);
    assert_eq!(endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), Malformed::BodyTooLong);
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(endless(chunked, b"1\r\nx\r\n"), Malformed::BodyTooLong);
    assert_eq!(endless(&[chunked, &b"1;"[..]].concat(), b"x"), Malformed::Chunk);
    assert_eq!(endless(&[chunked, &b"0\r\nX:"[..]].concat(), b"x"), Malformed::Chunk);
}

#[test]
fn the_head_is_kept_as_it_came() {
    let mut reader = ReplyReader::new();
    reader.take(b"HTTP/1.0 200 OK\r\nX: y\r\n\r\nhello").unwrap();
    assert_eq!(reader.head(), b"HTTP/1.0 200 OK\r\nX: y\r\n\r\n");
    assert_eq!((reader.framing(), reader.body_length()), (Framing::UntilClose, 5));
}
