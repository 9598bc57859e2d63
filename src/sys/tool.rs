//! Commands that are the system's own tools.

use super::{Command, Sys};
use std::ffi::OsString;

impl Sys {
    /// A command of the system's: it speaks the C locale, and is found in the directories for administration even
    /// if the user's `PATH` lacks them.
    pub fn tool<S: Into<OsString>>(&self, argv: impl IntoIterator<Item = S>) -> Command {
        let mut path = self.env("PATH").unwrap_or_default();
        for dir in ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"] {
            if !path.split(':').any(|known| known == dir) {
                if !path.is_empty() {
                    path.push(':');
                }
                path.push_str(dir);
            }
        }
        Command::new(argv).c_locale().env("PATH", path)
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::Sys;

    #[test]
    fn administration_tools_are_found() {
        let sys = Sys::real().with_environment(vec![("PATH".into(), "/bin:/x".into())]);
        let command = sys.tool(["useradd"]);
        let path = command.env.iter().find(|(k, _)| k == "PATH").unwrap();
        assert_eq!(path.1, "/bin:/x:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin");
    }
}
