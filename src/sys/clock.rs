//! The time.

use super::Sys;

impl Sys {
    /// The machine's time, in its time zone.
    pub fn local_time(&self) -> jiff::Zoned {
        jiff::Zoned::now()
    }

    /// Seconds since 1970.
    pub fn timestamp(&self) -> i64 {
        self.local_time().timestamp().as_second()
    }
}
