//! The accounts of the controller.

use std::path::PathBuf;

/// A line of the controller's `/etc/passwd`. A static program must not ask libc: that loads what `nsswitch.conf` names, and dies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAccount {
    /// The login name.
    pub name: String,
    /// The number.
    pub uid: u32,
    /// The home directory.
    pub home: PathBuf,
}

impl LocalAccount {
    /// The first that fits.
    pub fn find(fits: impl Fn(&Self) -> bool) -> Option<Self> {
        let text = std::fs::read("/etc/passwd").ok()?;
        let text = String::from_utf8_lossy(&text);
        text.lines().filter_map(Self::of).find(fits)
    }

    fn of(line: &str) -> Option<Self> {
        let mut parts = line.split(':');
        Some(Self {
            name: parts.next()?.to_owned(),
            uid: parts.nth(1)?.parse().ok()?,
            home: parts.nth(2)?.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::LocalAccount;

    #[test]
    fn lines_are_read_and_others_are_not() {
        let found = LocalAccount::of("ann:x:1000:100:Ann,,,:/home/ann:/bin/sh").expect("a line");
        assert_eq!((found.name.as_str(), found.uid), ("ann", 1000));
        assert_eq!(found.home, std::path::Path::new("/home/ann"));
        for line in [
            "",
            "+",
            "ann:x:many:100:Ann:/home/ann:/bin/sh",
            "ann:x:1000:100",
        ] {
            assert_eq!(LocalAccount::of(line), None, "{line}");
        }
        assert_eq!(
            LocalAccount::find(|account| account.name == "no such user"),
            None
        );
    }
}
