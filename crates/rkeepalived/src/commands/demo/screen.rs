//! What is told, line by line, and below it on a terminal a small picture of now.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use types::Instant;

use super::VIRTUAL_ADDRESS;
use super::node::Node;

/// Columns of the strip of answers (the picture fits into 80); each stands for [`COLUMN`].
const COLUMNS: u32 = 30;
const COLUMN: Duration = Duration::from_millis(50);
/// How often the picture is drawn anew.
const REFRESH: Duration = Duration::from_millis(100);
/// Lines of the picture.
const HEIGHT: u32 = 2;

/// Standard output.
#[derive(Debug)]
pub(super) struct Screen {
    began: Instant,
    terminal: bool,
    drawn: Option<Instant>,
}

impl Screen {
    /// Its clock starts now.
    pub(super) fn new() -> Self {
        Self { began: sys::clock::now(), terminal: std::io::stdout().is_terminal(), drawn: None }
    }

    /// A line with the time.
    pub(super) fn say(&mut self, text: &str) {
        let line = format!("{:8.3} s  {text}", sys::clock::now().since(self.began).as_secs_f64());
        self.print(&line);
    }

    /// A line, or several.
    pub(super) fn print(&mut self, text: &str) {
        self.erase();
        println!("{text}");
        let _ = std::io::stdout().flush();
    }

    /// One line that shows who holds the address.
    pub(super) fn states(&mut self, nodes: &[Node]) {
        let mut line = String::new();
        for node in nodes {
            let held = if node.state == "MASTER" { format!("◀ {VIRTUAL_ADDRESS}") } else { String::new() };
            // Writing into a string cannot fail.
            let _ = write!(line, "[{} {} {held:15}]  ", node.host.name(), self.coloured(node.state));
        }
        self.say(line.trim_end());
    }

    /// The picture: the nodes, and when the client had answers.
    pub(super) fn picture<'a>(&mut self, nodes: &[Node], answers: impl Iterator<Item = &'a Instant>) {
        let now = sys::clock::now();
        if !self.terminal || self.drawn.is_some_and(|drawn| now.since(drawn) < REFRESH) {
            return;
        }
        let mut strip = vec!['·'; COLUMNS as usize];
        for answer in answers {
            let age = (now.since(*answer).as_nanos() / COLUMN.as_nanos()) as usize;
            if let Some(column) = (COLUMNS as usize).checked_sub(age + 1) {
                strip[column] = '▆';
            }
        }
        let strip: String = strip.into_iter().collect();
        let mut text = String::new();
        for (number, node) in nodes.iter().enumerate() {
            let before = match number {
                0 => format!("client {strip} ── switch ┬─"),
                _ => " ".repeat(7 + COLUMNS as usize + 11) + "└─",
            };
            let held = if node.state == "MASTER" { format!("◀ {VIRTUAL_ADDRESS}") } else { String::new() };
            // Writing into a string cannot fail.
            let _ = writeln!(text, "{before} {} {} {held}", node.host.name(), self.coloured(node.state));
        }
        self.erase();
        print!("{text}");
        let _ = std::io::stdout().flush();
        self.drawn = Some(now);
    }

    /// Removes the picture.
    pub(super) fn erase(&mut self) {
        if self.drawn.take().is_some() {
            print!("\x1b[{HEIGHT}A\x1b[J");
        }
    }

    fn coloured(&self, state: &str) -> String {
        match (self.terminal, state) {
            (true, "MASTER") => format!("\x1b[1;32m{state:8}\x1b[0m"),
            (true, "off") => format!("\x1b[31m{state:8}\x1b[0m"),
            _ => format!("{state:8}"),
        }
    }
}
