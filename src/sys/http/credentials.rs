//! Passwords from the user's netrc file (the format of ftp(1)).

use crate::sys::Sys;
use std::path::{Path, PathBuf};

impl Sys {
    /// Name and password for a host from `$NETRC` or `~/.netrc`.
    pub(super) fn netrc(&self, host: &str) -> Option<(String, String)> {
        let path = self
            .env("NETRC")
            .map_or_else(|| self.expand(Path::new("~/.netrc")), PathBuf::from);
        let text = self.read_text(&path).ok()??;
        find(&text, host)
    }
}

fn find(text: &str, host: &str) -> Option<(String, String)> {
    let words: Vec<&str> = text
        .lines()
        .map(|line| {
            if line.trim_start().starts_with('#') {
                ""
            } else {
                line
            }
        })
        .flat_map(str::split_whitespace)
        .collect();
    let (mut here, mut login, mut password) = (false, None, None);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if here && password.is_some() {
                    break;
                }
                here = word == "default" || words.next() == Some(host);
                (login, password) = (None, None);
            }
            "login" => login = words.next().filter(|_| here).or(login),
            "password" => password = words.next().filter(|_| here).or(password),
            "account" => drop(words.next()),
            _ => {}
        }
    }
    here.then(|| Some((login.unwrap_or_default().to_owned(), password?.to_owned())))?
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn machines_and_the_default() {
        let text = "# mine\nmachine a login me password one\nmachine b\n  login you\n  password two\ndefault login x password y\n";
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(find(text, "a"), pair("me", "one"));
        assert_eq!(find(text, "b"), pair("you", "two"));
        assert_eq!(find(text, "c"), pair("x", "y"));
        assert_eq!(find("machine a login me password one", "c"), None);
    }
}
