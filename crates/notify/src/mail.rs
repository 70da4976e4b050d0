//! Alert mails: the message and the SMTP dialogue, one line at a time.

use crate::Mail;

/// A mail about something that happened; `Display` of neither part carries a line end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What follows `[ROUTER_ID] ` in the subject.
    pub subject: String,
    /// The body's one line.
    pub body: String,
}

impl Alert {
    /// Entering a state of `VRRP Instance NAME` or `VRRP Group NAME`.
    pub fn vrrp(group: bool, name: &str, event: crate::VrrpEvent) -> Option<Self> {
        use crate::VrrpEvent::{Backup, Deleted, Fault, Master, Stop};
        let kind = if group { "VRRP Group" } else { "VRRP Instance" };
        let (what, body) = match event {
            Master => (
                "Entering MASTER state",
                if group {
                    "=> All VRRP group instances are now in MASTER state <="
                } else {
                    "=> VRRP Instance is now owning VRRP VIPs <="
                },
            ),
            Backup | Fault => (
                if event == Backup { "Entering BACKUP state" } else { "Entering FAULT state" },
                match (group, event) {
                    (true, Backup) => "=> All VRRP group instances are now in BACKUP state <=",
                    (true, _) => "=> All VRRP group instances are now in FAULT state <=",
                    (false, _) => "=> VRRP Instance is no longer owning VRRP VIPs <=",
                },
            ),
            Stop => ("Stopping", if group { "=> VRRP group stopping <=" } else { "=> VRRP Instance stopping <=" }),
            Deleted => ("Deleted", "=> VRRP Deleted at reload <="),
            _ => return None,
        };
        Some(Self { subject: format!("{kind} {name} - {what}"), body: body.into() })
    }
}

/// What the dialogue wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send these octets and wait for a reply.
    Send(String),
    /// Send these octets, then close: the mail was refused with this code, by the command named.
    Refused {
        /// `QUIT`.
        send: String,
        /// Which command was refused.
        command: &'static str,
        /// The server's code.
        code: u16,
    },
    /// Everything was accepted; close.
    Done,
    /// The reply goes on; read another line.
    Wait,
    /// The server speaks something else; close.
    Garbage(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Helo,
    From,
    Recipient(usize),
    Data,
    Body,
    Quit,
}

impl Stage {
    fn command(self) -> &'static str {
        match self {
            Self::Greeting => "connect",
            Self::Helo => "HELO",
            Self::From => "MAIL",
            Self::Recipient(_) => "RCPT",
            Self::Data => "DATA",
            Self::Body => "BODY",
            Self::Quit => "QUIT",
        }
    }

    fn wanted(self) -> u16 {
        match self {
            Self::Greeting => 220,
            Self::Data => 354,
            Self::Quit => 221,
            _ => 250,
        }
    }
}

/// The plain SMTP dialogue of one alert: greeting, HELO, MAIL, RCPT for each, DATA, message, QUIT.
#[derive(Debug)]
pub struct Dialogue {
    stage: Stage,
    from: String,
    recipients: Vec<String>,
    helo: String,
    message: String,
}

impl Dialogue {
    /// `date` is the RFC 5322 date of the mail.
    pub fn new(mail: &Mail, alert: &Alert, date: &str) -> Self {
        let recipients = mail.recipients.join(",\r\n ");
        let message = format!(
            "Date: {date}\r\nFrom: {}\r\nSubject: [{}] {}\r\nX-Mailer: Keepalived\r\nTo: {recipients}\r\n\r\n{}\r\n\r\n.\r\n",
            mail.from,
            mail.router_id,
            alert.subject,
            stuffed(&alert.body),
        );
        Self {
            stage: Stage::Greeting,
            from: envelope(&mail.from).to_owned(),
            recipients: mail.recipients.iter().map(|recipient| envelope(recipient).to_owned()).collect(),
            helo: mail.helo.clone(),
            message,
        }
    }

    /// The server said `line` (without its line end).
    pub fn reply(&mut self, line: &str) -> Step {
        let (code, rest) = match line.split_at_checked(3) {
            Some((code, rest)) if code.bytes().all(|b| b.is_ascii_digit()) => (code, rest),
            _ => return Step::Garbage(line.chars().take(80).collect()),
        };
        if rest.starts_with('-') {
            return Step::Wait;
        }
        let code: u16 = code.parse().unwrap_or(0);
        if self.stage == Stage::Quit {
            return Step::Done;
        }
        if code != self.stage.wanted() {
            let command = self.stage.command();
            self.stage = Stage::Quit;
            return Step::Refused { send: "QUIT\r\n".into(), command, code };
        }
        let (next, send) = match self.stage {
            Stage::Greeting => (Stage::Helo, format!("HELO {}\r\n", self.helo)),
            Stage::Helo => (Stage::From, format!("MAIL FROM:<{}>\r\n", self.from)),
            Stage::From => self.recipient(0),
            Stage::Recipient(n) => self.recipient(n + 1),
            Stage::Data => (Stage::Body, self.message.clone()),
            Stage::Body | Stage::Quit => (Stage::Quit, "QUIT\r\n".into()),
        };
        self.stage = next;
        Step::Send(send)
    }

    fn recipient(&self, n: usize) -> (Stage, String) {
        match self.recipients.get(n) {
            Some(recipient) => (Stage::Recipient(n), format!("RCPT TO:<{recipient}>\r\n")),
            None => (Stage::Data, "DATA\r\n".into()),
        }
    }
}

/// The address in `Display Name <address>`, or the whole where there is no such part.
fn envelope(address: &str) -> &str {
    match (address.rfind('<'), address.rfind('>')) {
        (Some(open), Some(close)) if open < close => &address[open + 1..close],
        _ => address.trim(),
    }
}

/// A line that begins with a dot gets another one (RFC 5321 §4.5.2).
fn stuffed(body: &str) -> String {
    if body.starts_with('.') { format!(".{body}") } else { body.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VrrpEvent;

    fn mail() -> Mail {
        Mail {
            recipients: vec!["ops@example.org".into(), "Night Shift <night@example.org>".into()],
            from: "lvs@example.org".into(),
            server: "127.0.0.1:25".parse().unwrap(),
            helo: "host.example.org".into(),
            timeout: std::time::Duration::from_secs(30),
            router_id: "LVS01".into(),
            no_faults: false,
            no_checkers: false,
        }
    }

    #[test]
    fn the_dialogue_is_the_plain_one_with_addresses_only_in_the_envelope() {
        let alert = Alert::vrrp(false, "VI_1", VrrpEvent::Master).unwrap();
        let mut dialogue = Dialogue::new(&mail(), &alert, "Fri, 20 Nov 2026 16:00:00 +0000");
        let send = |text: &str| Step::Send(text.into());
        assert_eq!(dialogue.reply("220-hello"), Step::Wait);
        assert_eq!(dialogue.reply("220 mx"), send("HELO host.example.org\r\n"));
        assert_eq!(dialogue.reply("250 ok"), send("MAIL FROM:<lvs@example.org>\r\n"));
        assert_eq!(dialogue.reply("250 ok"), send("RCPT TO:<ops@example.org>\r\n"));
        assert_eq!(dialogue.reply("250 ok"), send("RCPT TO:<night@example.org>\r\n"));
        assert_eq!(dialogue.reply("250 ok"), send("DATA\r\n"));
        assert_eq!(
            dialogue.reply("354 go on"),
            send(
                "Date: Fri, 20 Nov 2026 16:00:00 +0000\r\nFrom: lvs@example.org\r\n\
                 Subject: [LVS01] VRRP Instance VI_1 - Entering MASTER state\r\nX-Mailer: Keepalived\r\n\
                 To: ops@example.org,\r\n Night Shift <night@example.org>\r\n\r\n\
                 => VRRP Instance is now owning VRRP VIPs <=\r\n\r\n.\r\n"
            )
        );
        assert_eq!(dialogue.reply("250 queued"), send("QUIT\r\n"));
        assert_eq!(dialogue.reply("221 bye"), Step::Done);
    }

    #[test]
    fn a_refusal_names_the_command_and_the_code() {
        let alert = Alert { subject: "x".into(), body: "y".into() };
        let mut dialogue = Dialogue::new(&mail(), &alert, "now");
        dialogue.reply("220 mx");
        dialogue.reply("250 ok");
        let refused = Step::Refused { send: "QUIT\r\n".into(), command: "MAIL", code: 550 };
        assert_eq!(dialogue.reply("550 no"), refused);
        assert_eq!(dialogue.reply("221"), Step::Done);
    }

    #[test]
    fn garbage_ends_the_dialogue() {
        let alert = Alert { subject: "x".into(), body: "y".into() };
        for line in ["", "hé", "SSH-2.0", "22"] {
            assert!(matches!(Dialogue::new(&mail(), &alert, "now").reply(line), Step::Garbage(_)), "{line}");
        }
    }
}
