//! Checkers of a `real_server`.

use super::super::row::{Area::*, Section, row};
#[allow(unused_imports)]
use super::super::status::*;

/// Rows in the order of the manual; a section whose words stand in several blocks names them all.
#[rustfmt::skip]
pub(super) const SECTIONS: &[Section] = &[
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET",
            "virtual_server/real_server/SSL_GET",
            "virtual_server/real_server/TCP_CHECK",
            "virtual_server/real_server/SMTP_CHECK",
            "virtual_server/real_server/DNS_CHECK",
            "virtual_server/real_server/UDP_CHECK",
            "virtual_server/real_server/PING_CHECK",
        ],
        rows: &[
            row("connect_ip", "IP", "real server address", "2.2.7", Checker, HONOURED, "Endpoint::destination", "Address to check"),
            row("connect_port", "1..65535", "real server port", "2.2.7", Checker, HONOURED, "Endpoint::destination", "Port to check"),
            row("bindto", "IP", "kernel choice", "2.2.7", Checker, HONOURED, "Endpoint::bind_address", "Local address"),
            row("bind_port", "1..65535", "ephemeral", "2.2.7", Checker, HONOURED, "Endpoint::bind_port", "Local port"),
            row("bind_if", "IFNAME", "none", "2.2.7", Checker, HONOURED, "Endpoint::bind_interface", "Local interface (SO_BINDTODEVICE; needed for link-local)"),
            row("connect_timeout", "TIMER 0.000001..4294", "real server", "2.2.7", Checker, HONOURED, "Endpoint::timeout", "Timeout of connection and of each read"),
            row("fwmark", "0..4294967295", "0", "2.2.7", Checker, HONOURED, "Endpoint::mark", "SO_MARK of check packets"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET",
            "virtual_server/real_server/SSL_GET",
            "virtual_server/real_server/TCP_CHECK",
            "virtual_server/real_server/SMTP_CHECK",
            "virtual_server/real_server/UDP_CHECK",
            "virtual_server/real_server/PING_CHECK",
        ],
        rows: &[
            row("retry", "0..4294967295", "1", "2.2.7", Checker, HONOURED, "CheckerConfig::retry", "Failed retries before declaring failure"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET",
            "virtual_server/real_server/SSL_GET",
        ],
        rows: &[
            row("delay_before_retry", "TIMER ≥0", "3", "2.2.7", Checker, HONOURED, "CheckerConfig::delay_before_retry", "Pause between retries"),
            row("nb_get_retry", "0..4294967295", "-", "2.2.7", Deprecated, HONOURED, "", "Maps to retry").means("retry"),
            row("virtualhost", "STRING", "real server", "2.2.7", Checker, HONOURED, "ProbeConfig", "Host header"),
            row("http_protocol", "1.0|1.1|1.0C|1.0c", "1.0", "2.2.7", Checker, HONOURED, "ProbeConfig", "Request version; 1.0C adds Connection: close"),
            row("enable_sni", "[BOOL]", "off", "2.2.7", Checker, HONOURED, "ProbeConfig", "Send TLS server name (SSL_GET)"),
            row("sni_name", "[NAME]", "virtualhost of url, checker, virtual server", "2.4.3+", Checker, HONOURED, "ProbeConfig", "Server name to send; implies enable_sni"),
            row("fast_recovery", "[BOOL]", "off", "2.2.7", Checker, HONOURED, "ProbeConfig", "Make next url request at once, not after delay_loop, while first round or recovery is in progress"),
            row("url", "{ … }", "-", "2.2.7", Checker, HONOURED, "ProbeConfig", "One request; all must succeed; one url is requested per delay_loop, in turn"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET",
            "virtual_server/real_server/SSL_GET",
            "virtual_server/real_server/TCP_CHECK",
            "virtual_server/real_server/SMTP_CHECK",
            "virtual_server/real_server/DNS_CHECK",
            "virtual_server/real_server/UDP_CHECK",
            "virtual_server/real_server/PING_CHECK",
            "virtual_server/real_server/MISC_CHECK",
        ],
        rows: &[
            row("warmup", "TIMER ≥0", "delay_loop", "2.2.7", Checker, HONOURED, "CheckerConfig::warmup", "Random start window"),
            row("delay_loop", "TIMER ≥0.000001", "real server", "2.2.7", Checker, HONOURED, "CheckerConfig::delay_loop", "Interval between checks"),
            row("alpha", "[BOOL]", "real server", "2.2.7", Checker, HONOURED, "CheckerConfig::alpha", "Server down until this check first succeeds"),
            row("log_all_failures", "[BOOL]", "checker_log_all_failures", "2.2.7", Checker, HONOURED, "CheckerConfig::log_all_failures", "Log every failure, not only transitions"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET/http_protocol",
            "virtual_server/real_server/SSL_GET/http_protocol",
        ],
        rows: &[
            row("1.0", "none", "1.0", "2.2.7", Checker, HONOURED, "ProbeConfig", "Value of http_protocol"),
            row("1.1", "none", "1.0", "2.2.7", Checker, HONOURED, "ProbeConfig", "Value of http_protocol"),
            row("1.0C", "none", "1.0", "2.2.7", Checker, HONOURED, "ProbeConfig", "Value of http_protocol"),
            row("1.0c", "none", "1.0", "2.2.7", Checker, HONOURED, "ProbeConfig", "Value of http_protocol"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET/url",
            "virtual_server/real_server/SSL_GET/url",
        ],
        rows: &[
            row("path", "STRING", "required", "2.2.7", Checker, HONOURED, "UrlConfig", "Request path"),
            row("digest", "32 hex digits", "none", "2.2.7", Checker, HONOURED, "UrlConfig", "MD5 of the body that must match"),
            row("status_code", "CODE | FROM-TO … within 100..599", "200-299", "2.2.7", Checker, HONOURED, "UrlConfig", "Accepted status codes"),
            row("virtualhost", "STRING", "checker virtualhost", "2.2.7", Checker, HONOURED, "UrlConfig", "Host header for this url"),
            row("regex", "\"PATTERN\" (PCRE2)", "none", "2.2.7", Checker, HONOURED, "RegexConfig", "Body must match"),
            row("regex_no_match", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "Body must not match"),
            row("regex_options", "OPTION …", "none", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2 options; unknown words silently ignored"),
            row("regex_min_offset", "0..", "0", "2.2.7", Checker, HONOURED, "RegexConfig", "Ignore matches starting earlier"),
            row("regex_max_offset", "1..", "none", "2.2.7", Checker, HONOURED, "RegexConfig", "Ignore matches starting later"),
            row("regex_stack", "START MAX", "JIT default", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2 JIT stack sizes; largest of all urls is used"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/HTTP_GET/url/regex_options",
            "virtual_server/real_server/SSL_GET/url/regex_options",
        ],
        rows: &[
            row("allow_empty_class", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_ALLOW_EMPTY_CLASS"),
            row("alt_bsux", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_ALT_BSUX"),
            row("auto_callout", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_AUTO_CALLOUT"),
            row("caseless", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_CASELESS"),
            row("dollar_endonly", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_DOLLAR_ENDONLY"),
            row("dotall", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_DOTALL"),
            row("dupnames", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_DUPNAMES"),
            row("extended", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_EXTENDED"),
            row("firstline", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_FIRSTLINE"),
            row("match_unset_backref", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_MATCH_UNSET_BACKREF"),
            row("multiline", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_MULTILINE"),
            row("never_ucp", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NEVER_UCP"),
            row("never_utf", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NEVER_UTF"),
            row("no_auto_capture", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NO_AUTO_CAPTURE"),
            row("no_auto_possess", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NO_AUTO_POSSESS"),
            row("no_dotstar_anchor", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NO_DOTSTAR_ANCHOR"),
            row("no_start_optimize", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NO_START_OPTIMIZE"),
            row("ucp", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_UCP"),
            row("ungreedy", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_UNGREEDY"),
            row("utf", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_UTF"),
            row("never_backslash_c", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_NEVER_BACKSLASH_C"),
            row("alt_circumflex", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_ALT_CIRCUMFLEX"),
            row("alt_verbnames", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_ALT_VERBNAMES"),
            row("use_offset_limit", "none", "off", "2.2.7", Checker, HONOURED, "RegexConfig", "PCRE2_USE_OFFSET_LIMIT"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/SSL_GET"],
        rows: &[
            row("tls_compliant", "[BOOL]", "off", "2.2.8", Checker, HONOURED, "ProbeConfig", "Perform full TLS shutdown (close notification) instead of quiet shutdown"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/SSL_GET/url"],
        rows: &[
            row("tls_compliant", "[BOOL]", "checker", "2.2.8", Checker, HONOURED, "UrlConfig", "As checker level tls_compliant, for this url"),
        ],
    },
    Section {
        paths: &[
            "virtual_server/real_server/TCP_CHECK",
            "virtual_server/real_server/SMTP_CHECK",
            "virtual_server/real_server/UDP_CHECK",
            "virtual_server/real_server/PING_CHECK",
            "virtual_server/real_server/MISC_CHECK",
        ],
        rows: &[
            row("delay_before_retry", "TIMER ≥0", "1", "2.2.7", Checker, HONOURED, "CheckerConfig::delay_before_retry", "Pause between retries"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/DNS_CHECK"],
        rows: &[
            row("retry", "0..4294967295", "3", "2.2.7", Checker, HONOURED, "CheckerConfig::retry", "Failed retries before declaring failure"),
            row("delay_before_retry", "TIMER ≥0", "delay_loop", "2.2.7", Checker, HONOURED, "CheckerConfig::delay_before_retry", "Pause between retries"),
            row("type", "A|NS|CNAME|SOA|MX|TXT|AAAA|RRSIG|DNSKEY", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type"),
            row("name", "DOMAIN", "root (.)", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query name"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/SMTP_CHECK"],
        rows: &[
            row("helo_name", "STRING", "smtpchecker.keepalived.org", "2.2.7", Checker, HONOURED, "ProbeConfig", "Name for HELO"),
            row("host", "{ … }", "-", "2.2.7", Deprecated, HONOURED, "", "Extra address to check; use several SMTP_CHECK blocks").means("SMTP_CHECK"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/SMTP_CHECK/host"],
        rows: &[
            row("connect_ip", "IP", "real server address", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("connect_ip"),
            row("connect_port", "1..65535", "real server port", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("connect_port"),
            row("bindto", "IP", "kernel choice", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("bindto"),
            row("bind_port", "1..65535", "ephemeral", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("bind_port"),
            row("bind_if", "IFNAME", "none", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("bind_if"),
            row("connect_timeout", "TIMER 0.000001..4294", "real server", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("connect_timeout"),
            row("fwmark", "0..4294967295", "0", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("fwmark"),
            row("retry", "0..4294967295", "1", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("retry"),
            row("delay_before_retry", "TIMER ≥0", "1", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("delay_before_retry"),
            row("warmup", "TIMER ≥0", "delay_loop", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("warmup"),
            row("delay_loop", "TIMER ≥0.000001", "real server", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("delay_loop"),
            row("alpha", "[BOOL]", "real server", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("alpha"),
            row("log_all_failures", "[BOOL]", "checker_log_all_failures", "2.2.7", Deprecated, HONOURED, "", "Inside host block; maps to SMTP_CHECK option").means("log_all_failures"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/DNS_CHECK/type"],
        rows: &[
            row("A", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("NS", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("CNAME", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("SOA", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("MX", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("TXT", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("AAAA", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("RRSIG", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
            row("DNSKEY", "none", "SOA", "2.2.7", Checker, HONOURED, "ProbeConfig", "Query type value"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/UDP_CHECK"],
        rows: &[
            row("payload", "HEX …", "32 bytes of filler text", "2.2.7", Checker, HONOURED, "ProbeConfig", "Datagram to send"),
            row("require_reply", "[HEX with x wildcards …]", "off", "2.2.7", Checker, HONOURED, "ProbeConfig", "A reply is needed, optionally matching"),
            row("min_reply_length", "0..65535", "0", "2.2.7", Checker, HONOURED, "ProbeConfig", "Shortest acceptable reply"),
            row("max_reply_length", "0..65535", "255", "2.2.7", Checker, HONOURED, "ProbeConfig", "Longest acceptable reply"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/MISC_CHECK"],
        rows: &[
            row("retry", "0..4294967295", "0", "2.2.7", Checker, HONOURED, "CheckerConfig::retry", "Failed retries before declaring failure"),
            row("misc_path", "\"COMMAND [ARGS]\"", "required", "2.2.7", Script, HONOURED, "ProbeConfig", "Program; exit 0 is success"),
            row("misc_timeout", "SECONDS 0..4294", "delay_loop", "2.2.7", Checker, HONOURED, "ProbeConfig", "Kill and fail after this time"),
            row("misc_dynamic", "none", "off", "2.2.7", Checker, HONOURED, "ProbeConfig", "Exit 2..255 sets weight to code minus 2"),
            row("user", "USER [GROUP|:GROUP]", "script_user", "2.2.7", Script, HONOURED, "ProbeConfig", "Run as this user and group"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/FILE_CHECK"],
        rows: &[
            row("track_file", "NAME", "required", "2.2.7", Checker, HONOURED, "Tracker", "Name of the track_file block"),
            row("weight", "-2147483647..2147483647 [reverse|noreverse]", "from track_file", "2.2.7", Checker, HONOURED, "ProbeConfig", "Multiplier; 0 means down when value is non-zero"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/FILE_CHECK/weight"],
        rows: &[
            row("reverse", "none", "-", "2.2.7", Checker, HONOURED, "ProbeConfig", "Negate the value"),
            row("noreverse", "none", "-", "2.2.7", Checker, HONOURED, "ProbeConfig", "Cancel reverse of the track_file"),
        ],
    },
    Section {
        paths: &["virtual_server/real_server/BFD_CHECK"],
        rows: &[
            row("name", "NAME", "required", "2.2.7", Checker, BFD_CHECK, "ProbeConfig", "BFD instance name"),
            row("alpha", "[BOOL]", "real server", "2.2.7", Checker, BFD_CHECK, "CheckerConfig::alpha", "Server down until session is up"),
        ],
    },
];
