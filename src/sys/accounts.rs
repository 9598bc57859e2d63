//! Users and groups, read from their files: a static program has no NSS.

use super::{Result, Sys};
use std::path::{Path, PathBuf};

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Login name.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group's id.
    pub gid: u32,
    /// Full name and the like.
    pub comment: String,
    /// Home directory.
    pub home: PathBuf,
    /// Login shell.
    pub shell: String,
}

/// A line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEntry {
    /// Name.
    pub name: String,
    /// Group id.
    pub gid: u32,
    /// Members by name (not those whose primary group it is).
    pub members: Vec<String>,
}

impl Sys {
    /// All users.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accounts(&self) -> Result<Vec<Account>> {
        Ok(self
            .lines_of("/etc/passwd")?
            .iter()
            .filter_map(|line| {
                let mut parts = line.split(':');
                let name = parts.next()?.to_owned();
                parts.next()?;
                Some(Account {
                    name,
                    uid: parts.next()?.parse().ok()?,
                    gid: parts.next()?.parse().ok()?,
                    comment: parts.next()?.to_owned(),
                    home: parts.next()?.into(),
                    shell: parts.next().unwrap_or_default().to_owned(),
                })
            })
            .collect())
    }

    /// All groups.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn groups(&self) -> Result<Vec<GroupEntry>> {
        Ok(self
            .lines_of("/etc/group")?
            .iter()
            .filter_map(|line| {
                let mut parts = line.split(':');
                let name = parts.next()?.to_owned();
                parts.next()?;
                Some(GroupEntry {
                    name,
                    gid: parts.next()?.parse().ok()?,
                    members: parts
                        .next()
                        .unwrap_or_default()
                        .split(',')
                        .filter(|m| !m.is_empty())
                        .map(str::to_owned)
                        .collect(),
                })
            })
            .collect())
    }

    fn lines_of(&self, path: &str) -> Result<Vec<String>> {
        let bytes = self.read(Path::new(path))?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes)
            .lines()
            .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect())
    }

    /// The user of that name, or of that id written as a number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn account(&self, name: &str) -> Result<Option<Account>> {
        let accounts = self.accounts()?;
        Ok(accounts
            .iter()
            .find(|a| a.name == name)
            .or_else(|| {
                let uid: u32 = name.parse().ok()?;
                accounts.iter().find(|a| a.uid == uid)
            })
            .cloned())
    }

    /// The group of that name, or of that id written as a number.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn group(&self, name: &str) -> Result<Option<GroupEntry>> {
        let groups = self.groups()?;
        Ok(groups
            .iter()
            .find(|g| g.name == name)
            .or_else(|| {
                let gid: u32 = name.parse().ok()?;
                groups.iter().find(|g| g.gid == gid)
            })
            .cloned())
    }

    /// The user that the task runs as.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn me(&self) -> Result<Account> {
        let uid = nix::unistd::geteuid().as_raw();
        let found = self.accounts()?.into_iter().find(|a| a.uid == uid);
        Ok(found.unwrap_or_else(|| Account {
            name: uid.to_string(),
            uid,
            gid: nix::unistd::getegid().as_raw(),
            comment: String::new(),
            home: std::env::var_os("HOME")
                .unwrap_or_else(|| "/".into())
                .into(),
            shell: "/bin/sh".into(),
        }))
    }
}
