//! Who the users of the controller are.

use std::path::PathBuf;

/// A user of this machine, by `/etc/passwd`: a static program has no NSS, and asking for it ends such a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalAccount {
    /// Login name.
    pub name: String,
    /// Home directory.
    pub home: PathBuf,
}

impl LocalAccount {
    /// The user of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::find(&accounts()?, |own, _| own == name)
    }

    /// The user of that number.
    pub fn numbered(uid: u32) -> Option<Self> {
        let uid = uid.to_string();
        Self::find(&accounts()?, |_, own| own == uid)
    }

    fn find(accounts: &str, fits: impl Fn(&str, &str) -> bool) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut members = line.split(':');
            let (name, uid) = (members.next()?, members.nth(1)?);
            let home = members.nth(2)?;
            fits(name, uid).then(|| Self {
                name: name.to_owned(),
                home: home.into(),
            })
        })
    }
}

fn accounts() -> Option<String> {
    let bytes = std::fs::read("/etc/passwd").ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::LocalAccount;

    #[test]
    fn accounts_are_found_by_name_and_number() {
        let file = "root:x:0:0:root:/root:/bin/sh\nhalf:x\nweb:x:33:33::/srv/web:/bin/false\n";
        let web = LocalAccount::find(file, |name, _| name == "web").unwrap();
        assert_eq!(web.home, std::path::Path::new("/srv/web"));
        let root = LocalAccount::find(file, |_, uid| uid == "0").unwrap();
        assert_eq!(root.name, "root");
        assert_eq!(LocalAccount::find(file, |name, _| name == "half"), None);
        assert_eq!(LocalAccount::numbered(u32::MAX - 7), None);
    }
}
