//! Local date and time, for log lines and mails.

/// A local time, as localtime_r(3) gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalTime {
    /// Year, such as 2026.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
    /// Hour, 0 to 23.
    pub hour: u8,
    /// Minute.
    pub minute: u8,
    /// Second, 0 to 60.
    pub second: u8,
    /// Days since Sunday.
    day_of_week: u8,
    /// Seconds east of UTC.
    pub offset: i64,
}

impl LocalTime {
    /// `Mon`…
    pub fn weekday(&self) -> &'static str {
        ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][usize::from(self.day_of_week % 7)]
    }

    /// `Jan`…
    pub fn month_name(&self) -> &'static str {
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            [usize::from(self.month.clamp(1, 12) - 1)]
    }

    /// `Fri, 20 Nov 2026 16:00:31 +0100` (RFC 5322 §3.3).
    pub fn rfc5322(&self) -> String {
        let (sign, offset) = if self.offset < 0 { ('-', -self.offset) } else { ('+', self.offset) };
        format!(
            "{}, {} {} {} {:02}:{:02}:{:02} {sign}{:02}{:02}",
            self.weekday(),
            self.day,
            self.month_name(),
            self.year,
            self.hour,
            self.minute,
            self.second,
            offset / 3600,
            offset % 3600 / 60,
        )
    }
}

/// The local time at `seconds` since the epoch.
#[allow(unsafe_code)]
pub fn local_time(seconds: i64) -> LocalTime {
    // SAFETY: an all-zero `tm` is a valid value of the struct (integers and a pointer that is never read here).
    let mut broken_down: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live, properly aligned values of the types that localtime_r(3) wants; on failure it
    // leaves the zeroed value, which is a valid (if early) date.
    unsafe { libc::localtime_r(&raw const seconds, &raw mut broken_down) };
    LocalTime {
        year: broken_down.tm_year + 1900,
        month: (broken_down.tm_mon + 1) as u8,
        day: broken_down.tm_mday as u8,
        hour: broken_down.tm_hour as u8,
        minute: broken_down.tm_min as u8,
        second: broken_down.tm_sec as u8,
        day_of_week: broken_down.tm_wday as u8,
        offset: broken_down.tm_gmtoff,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_prints_as_mail_wants_it() {
        let time =
            LocalTime { year: 2026, month: 11, day: 5, hour: 6, minute: 7, second: 8, day_of_week: 4, offset: -12_600 };
        assert_eq!(time.rfc5322(), "Thu, 5 Nov 2026 06:07:08 -0330");
    }

    #[test]
    fn the_offset_agrees_with_the_broken_down_time() {
        let time = local_time(1_000_000_000 - local_time(1_000_000_000).offset);
        assert_eq!((time.year, time.month, time.day, time.hour, time.minute, time.second), (2001, 9, 9, 1, 46, 40));
    }
}
