//! Asking the user at the terminal.

use super::keys;
use super::streams::{errln, outln};
use crate::exec::{Keys, Pressed, Prompt};
use crate::value::Secret;
use std::io::{BufRead, Write};
use std::os::fd::AsFd;

/// The terminal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// Whether standard output is for data, so that nothing is told there.
    pub aside: bool,
}

impl Prompt for Terminal {
    fn ask(&self, text: &str, echo: bool) -> Option<String> {
        if !console::user_attended() && !std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            // a line from a pipe is an answer too; nothing at all is none
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line).ok()?;
            return (read > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned());
        }
        let _ = write!(std::io::stderr(), "{text}");
        let _ = std::io::stderr().flush();
        let answer = if echo {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).ok()?;
            line.trim_end_matches(['\n', '\r']).to_owned()
        } else {
            let line = console::Term::stderr().read_secure_line().ok()?;
            line.trim_end_matches(['\n', '\r']).to_owned()
        };
        Some(answer)
    }

    fn attended(&self) -> bool {
        use std::io::IsTerminal;
        let stdin = std::io::stdin();
        // a background job must not ask: it would be stopped
        let foreground = || {
            nix::unistd::tcgetpgrp(stdin.as_fd()).is_ok_and(|group| group == nix::unistd::getpgrp())
        };
        stdin.is_terminal() && foreground()
    }

    fn tell(&self, text: &str) {
        if self.aside {
            errln!("{text}");
        } else {
            outln!("{text}");
        }
    }

    fn keys(&self, text: &str, keys: &Keys, stopped: &dyn Fn() -> bool) -> Option<Pressed> {
        self.tell(text);
        let stdin = std::io::stdin();
        keys::pressed(stdin.as_fd(), &mut std::io::stdout(), keys, stopped)
    }

    fn show(&self, text: &str) {
        errln!("{text}");
    }
}

/// A password, asked for without echo.
pub fn password(text: &str) -> Option<Secret<String>> {
    Terminal::default().ask(text, false).map(Secret::new)
}
