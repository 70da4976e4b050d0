//! The text of keepalived.conf. It is no stranger's, but a mistake in it must be told, never be a crash.

use conf::Options;
use conf::lexer::split_command;
use conf::lower::Offline;
use conf::preprocess::Memory;

/// A whole file, that may include itself.
pub fn conf_file(octets: &[u8]) {
    let mut loader = Memory::new().file("/etc/keepalived/keepalived.conf", octets).variable("HOME", "/root");
    let outcome = conf::parse("/etc/keepalived/keepalived.conf", &Options::default(), &mut loader, &Offline);
    let _ = outcome.exit_code();
}

/// One command line of a script.
pub fn conf_command(octets: &[u8]) {
    let _ = split_command(&String::from_utf8_lossy(octets));
}

/// Every keyword there is, and what preprocessing knows.
pub(super) fn keywords() -> Vec<&'static str> {
    let mut words: Vec<&'static str> = conf::table::rows().map(|(_, row)| row.keyword).collect();
    words.extend(["{", "}", "\"", "'", "\\", "#", "!", "$A", "${A}", "$A=1", "$A=\\", "@one", "@^one", "~SEQ(i,1,9)"]);
    words.extend(["~LST(i,1,2,3)", "include /etc/keepalived/keepalived.conf", "${_ENV HOME}", "$_PWD", "$_RANDOM"]);
    words.extend(["0", "-1", "255", "256", "4294967296", "1.5", "10.0.0.1/24", "10.0.0.1-9", "fe80::1", "on", "off"]);
    words
}
