//! Passwords and their ages, from `/etc/shadow` (shadow(5)), and accounts that only the machine's name service knows.

use super::{Account, Error, GroupEntry, Result, Sys};
use crate::value::Secret;
use std::path::Path;

/// A line of `/etc/shadow`. Days are counted from 1970; `None` is an empty field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// The hash, `!` before it if it is locked.
    pub password: Secret<String>,
    /// Days until the password may be changed.
    pub min: Option<i64>,
    /// Days until it must be changed.
    pub max: Option<i64>,
    /// Days of warning before that.
    pub warn: Option<i64>,
    /// Days after which the account is disabled.
    pub inactive: Option<i64>,
    /// The day on which the account ends.
    pub expires: Option<i64>,
}

impl Sys {
    /// The user's line, if there is one and it may be read.
    ///
    /// # Errors
    /// When the file cannot be read for other reasons than permission.
    pub fn shadow(&self, name: &str) -> Result<Option<Shadow>> {
        let bytes = match self.read(Path::new("/etc/shadow")) {
            Ok(bytes) => bytes.unwrap_or_default(),
            Err(Error::File { source, .. })
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(name) {
                return None;
            }
            let password = Secret::new(fields.next()?.to_owned());
            let mut number = fields.skip(1).map(|field| field.trim().parse().ok());
            let mut next = || number.next().flatten();
            Some(Shadow {
                password,
                min: next(),
                max: next(),
                warn: next(),
                inactive: next(),
                expires: next(),
            })
        }))
    }

    /// The user of that name, from the machine's files or, failing that, from whatever its name service asks
    /// (LDAP, …), through `getent`.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn account_anywhere(&self, name: &str) -> Result<Option<Account>> {
        if let Some(found) = self.accounts()?.into_iter().find(|a| a.name == name) {
            return Ok(Some(found));
        }
        let Some(line) = self.getent("passwd", name) else {
            return Ok(None);
        };
        let mut parts = line.split(':').map(str::to_owned);
        let account = || {
            Some(Account {
                name: parts.next()?,
                uid: parts.nth(1)?.parse().ok()?,
                gid: parts.next()?.parse().ok()?,
                comment: parts.next()?,
                home: parts.next()?.into(),
                shell: parts.next().unwrap_or_default(),
            })
        };
        let mut account = account;
        Ok(account())
    }

    /// The group of that name or number, from the machine's files or its name service.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn group_anywhere(&self, name: &str) -> Result<Option<GroupEntry>> {
        if let Some(found) = self.group(name)? {
            return Ok(Some(found));
        }
        let Some(line) = self.getent("group", name) else {
            return Ok(None);
        };
        let fields: Vec<&str> = line.split(':').collect();
        let [found, _, gid, members @ ..] = fields.as_slice() else {
            return Ok(None);
        };
        Ok(gid.parse().ok().map(|gid| GroupEntry {
            name: (*found).to_owned(),
            gid,
            members: members
                .first()
                .into_iter()
                .flat_map(|list| list.split(','))
                .filter(|member| !member.is_empty())
                .map(str::to_owned)
                .collect(),
        }))
    }

    /// A line of a database of the name service.
    fn getent(&self, database: &str, key: &str) -> Option<String> {
        if key.starts_with('-') || self.which("getent").is_none() {
            return None;
        }
        let output = self.query(&self.tool(["getent", database, key])).ok()?;
        let text = output.text();
        let line = text.lines().next()?.to_owned();
        output.ok().then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::{FakeRunner, Sys};
    use std::sync::Arc;

    #[test]
    fn reads_shadow_and_asks_the_name_service() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(
            root.path().join("etc/shadow"),
            "root:*:1:0:99999:7:::\njo:!$6$x:19000:1:90:7:30:20000:\n",
        )
        .unwrap();
        let runner = FakeRunner::new()
            .answer("getent *", 2, "", "")
            .answer(
                "getent passwd ldap",
                0,
                "ldap:*:5000:6000:L D:/home/ldap:/bin/sh\n",
                "",
            )
            .answer("getent group staff", 0, "staff:*:6000:jo,ldap\n", "");
        let sys = Sys::rooted(root.path(), Arc::new(runner));
        let jo = sys.shadow("jo").unwrap().unwrap();
        assert_eq!(jo.password.reveal(), "!$6$x");
        assert_eq!(
            (jo.min, jo.max, jo.warn, jo.inactive, jo.expires),
            (Some(1), Some(90), Some(7), Some(30), Some(20000))
        );
        assert_eq!(sys.shadow("root").unwrap().unwrap().expires, None);
        assert_eq!(sys.shadow("x").unwrap(), None);
        let ldap = sys.account_anywhere("ldap").unwrap();
        assert_eq!(ldap.map(|a| (a.uid, a.gid)), Some((5000, 6000)));
        let staff = sys.group_anywhere("staff").unwrap().unwrap();
        assert_eq!((staff.gid, staff.members.len()), (6000, 2));
    }
}
