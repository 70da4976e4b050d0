//! Sends one alert mail.

use std::time::Duration;

use notify::{Alert, Dialogue, Mail, Step};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::logging::{detail, error};

/// Longest reply line that is read.
const LONGEST_LINE: u64 = 2048;

/// Speaks the dialogue to its end; every step is bounded by `smtp_connect_timeout`.
pub(super) async fn send(mail: Mail, alert: Alert) {
    let server = mail.server;
    match converse(&mail, &alert).await {
        Ok(()) => detail(&format!("mail '{}' was handed to SMTP server {server}", alert.subject)),
        Err(refused) => error!("mail '{}' was not sent: {refused}", alert.subject),
    }
}

async fn converse(mail: &Mail, alert: &Alert) -> Result<(), String> {
    let server = mail.server;
    let stream = step(mail.timeout, TcpStream::connect(server))
        .await
        .map_err(|refused| format!("cannot connect to SMTP server {server}: {refused}"))?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::with_capacity(512, reader);
    let seconds = sys::clock::wall_micros() / 1_000_000;
    let mut dialogue = Dialogue::new(mail, alert, &sys::calendar::local_time(seconds as i64).rfc5322());
    loop {
        let mut line = Vec::new();
        let read = step(mail.timeout, (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line))
            .await
            .map_err(|refused| format!("no reply from SMTP server {server}: {refused}"))?;
        if read == 0 {
            return Err(format!("SMTP server {server} closed the connection"));
        }
        let line = String::from_utf8_lossy(&line);
        let send = match dialogue.reply(line.trim_end()) {
            Step::Wait => continue,
            Step::Done => return Ok(()),
            Step::Garbage(what) => return Err(format!("SMTP server {server} does not speak SMTP: {what:?}")),
            Step::Refused { send, command, code } => {
                let _ = step(mail.timeout, writer.write_all(send.as_bytes())).await;
                return Err(format!(
                    "Error processing {command} cmd on SMTP server {server}. SMTP status code = {code}"
                ));
            }
            Step::Send(send) => send,
        };
        step(mail.timeout, writer.write_all(send.as_bytes()))
            .await
            .map_err(|refused| format!("cannot write to SMTP server {server}: {refused}"))?;
    }
}

async fn step<T>(limit: Duration, work: impl Future<Output = std::io::Result<T>>) -> std::io::Result<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut)),
    }
}
