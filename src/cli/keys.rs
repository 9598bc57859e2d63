//! Keys of the terminal, one by one.

use crate::exec::{Keys, Pressed};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{
    FlushArg, LocalFlags, SetArg, SpecialCharacterIndices, Termios, tcflush, tcgetattr, tcsetattr,
};
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// How often it is looked whether the run is to end.
const TICK: Duration = Duration::from_millis(50);

/// Every key is read at once, none is shown, and Ctrl-C is a key; until this is dropped.
struct Raw<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Raw<'a> {
    fn new(terminal: BorrowedFd<'a>) -> nix::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut now = before.clone();
        now.local_flags &=
            !(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG | LocalFlags::IEXTEN);
        tcsetattr(terminal, SetArg::TCSADRAIN, &now)?;
        let raw = Self { terminal, before };
        // what was pressed before is no answer
        tcflush(terminal, FlushArg::TCIFLUSH)?;
        Ok(raw)
    }

    fn special(&self, index: SpecialCharacterIndices) -> Option<u8> {
        self.before.control_chars.get(index as usize).copied()
    }

    /// The next key, if one is pressed within that time; an error when there are no more.
    fn key(&self, wait: Duration) -> nix::Result<Option<u8>> {
        let wait = u16::try_from(wait.as_millis()).unwrap_or(u16::MAX);
        let mut asked = [PollFd::new(self.terminal, PollFlags::POLLIN)];
        match poll(&mut asked, PollTimeout::from(wait.max(1))) {
            Ok(0) | Err(nix::errno::Errno::EINTR) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        let mut byte = [0];
        match nix::unistd::read(self.terminal, &mut byte)? {
            0 => Err(nix::errno::Errno::EIO),
            _ => Ok(byte.first().copied()),
        }
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, SetArg::TCSADRAIN, &self.before);
    }
}

/// Back to the beginning of an empty line.
const CLEAR: &[u8] = b"\r\x1b[K";

/// Reads keys of the terminal until one of them, or the time, ends it; what is typed is shown on `screen`.
pub(super) fn pressed(
    terminal: BorrowedFd<'_>,
    screen: &mut dyn Write,
    keys: &Keys,
    stopped: &dyn Fn() -> bool,
) -> Option<Pressed> {
    let raw = Raw::new(terminal).ok()?;
    let mut show = |parts: &[&[u8]]| {
        if keys.echo {
            let _ = (parts.iter())
                .try_for_each(|part| screen.write_all(part))
                .and_then(|()| screen.flush());
        }
    };
    let interrupt = raw.special(SpecialCharacterIndices::VINTR).unwrap_or(3);
    let erase = raw.special(SpecialCharacterIndices::VERASE);
    let begun = Instant::now();
    let mut typed: Vec<u8> = Vec::new();
    loop {
        if stopped() {
            return None;
        }
        let left = (keys.limit).map(|limit| limit.saturating_sub(begun.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            break;
        }
        let Some(key) = raw.key(left.unwrap_or(TICK).min(TICK)).ok()? else {
            continue;
        };
        let low = key.to_ascii_lowercase();
        if key == interrupt || keys.abort.contains(&low) {
            show(&[CLEAR]);
            return Some(Pressed::Interrupted);
        }
        if keys.complete.contains(&low) {
            break;
        }
        if Some(key) == erase || matches!(key, 0x08 | 0x7f) {
            // the last character, not the last byte
            while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            show(&[CLEAR, typed.as_slice()]);
        } else {
            typed.push(key);
            show(&[&[key][..]]);
        }
    }
    show(&[CLEAR]);
    Some(Pressed::Answer(
        String::from_utf8_lossy(&typed).into_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsFd;

    /// What comes of typing this at a terminal, and what it shows.
    fn typing(input: &'static [u8], keys: Keys) -> (Option<Pressed>, String) {
        let pty = nix::pty::openpty(None, None).unwrap();
        let master = pty.master;
        let waiter = std::thread::spawn(move || {
            let mut screen = Vec::new();
            let end = pressed(pty.slave.as_fd(), &mut screen, &keys, &|| false);
            let restored = tcgetattr(pty.slave.as_fd()).unwrap().local_flags;
            assert!(restored.contains(LocalFlags::ICANON | LocalFlags::ISIG));
            (end, String::from_utf8(screen).unwrap())
        });
        // keys pressed before the question do not count
        let mut settings = tcgetattr(master.as_fd()).unwrap();
        while settings.local_flags.contains(LocalFlags::ICANON) {
            std::thread::sleep(Duration::from_millis(5));
            settings = tcgetattr(master.as_fd()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(50));
        nix::unistd::write(master.as_fd(), input).unwrap();
        waiter.join().unwrap()
    }

    const LINE: Keys = Keys {
        echo: true,
        limit: None,
        complete: b"\r\n",
        abort: b"",
    };

    #[test]
    fn a_line_can_be_edited() {
        let (end, shown) = typing("hé\x7fello\r".as_bytes(), LINE);
        assert_eq!(end, Some(Pressed::Answer("hello".into())));
        assert_eq!(shown, "hé\r\x1b[Khello\r\x1b[K");
        let hidden = Keys {
            echo: false,
            ..LINE
        };
        let (end, shown) = typing(b"secret\n", hidden);
        assert_eq!(end, Some(Pressed::Answer("secret".into())));
        assert_eq!(shown, "");
    }

    #[test]
    fn ctrl_c_is_a_key() {
        assert_eq!(typing(b"ab\x03\r", LINE).0, Some(Pressed::Interrupted));
        let choice = Keys {
            complete: b"c",
            abort: b"a",
            ..LINE
        };
        assert_eq!(typing(b"\rxA", choice).0, Some(Pressed::Interrupted));
        assert_eq!(typing(b"\rC", choice).0, Some(Pressed::Answer("\n".into())));
    }

    #[test]
    fn the_time_ends_it() {
        let limited = Keys {
            limit: Some(Duration::from_millis(300)),
            complete: b"",
            ..LINE
        };
        assert_eq!(
            typing(b"a\r", limited).0,
            Some(Pressed::Answer("a\n".into()))
        );
    }
}
