//! Settings of the kernel: files that are written in place, never replaced.

use super::{Error, Result, Sys};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file of a setting such as `net.ipv4.ip_forward`. As in sysctl(8), the separator is the first of `.` and `/`
/// that occurs; the other one is part of names.
pub fn sysctl_path(name: &str) -> PathBuf {
    let dots_first = name
        .find(['.', '/'])
        .is_some_and(|at| name.get(at..).unwrap_or_default().starts_with('.'));
    let relative: String = if dots_first {
        name.chars()
            .map(|c| match c {
                '.' => '/',
                '/' => '.',
                c => c,
            })
            .collect()
    } else {
        name.to_owned()
    };
    Path::new("/proc/sys").join(relative.trim_start_matches('/'))
}

impl Sys {
    /// Writes a value to a file of `/proc` or `/sys`.
    ///
    /// # Errors
    /// When there is no such file or the kernel does not take the value.
    pub fn write_kernel(&mut self, path: &Path, value: &str) -> Result<()> {
        std::fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(self.real_path(path))
            .and_then(|mut file| file.write_all(format!("{value}\n").as_bytes()))
            .map_err(|source| Error::File {
                what: "cannot write",
                path: path.to_owned(),
                source,
            })
    }

    /// The value of a kernel setting, `None` if there is no such setting or it cannot be read.
    pub fn sysctl(&self, name: &str) -> Option<String> {
        let text = self.read_text(&sysctl_path(name)).ok().flatten()?;
        Some(text.trim().to_owned())
    }

    /// The running kernel's release, as in `uname -r`.
    pub fn kernel_release(&self) -> Option<String> {
        self.sysctl("kernel.osrelease")
    }
}

#[cfg(test)]
mod tests {
    use super::sysctl_path;
    use std::path::Path;

    #[test]
    fn names_and_paths() {
        for (name, path) in [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
            (
                "net.ipv4.conf.eth0/100.forwarding",
                "net/ipv4/conf/eth0.100/forwarding",
            ),
            (
                "net/ipv4/conf/eth0.100/forwarding",
                "net/ipv4/conf/eth0.100/forwarding",
            ),
        ] {
            assert_eq!(sysctl_path(name), Path::new("/proc/sys").join(path));
        }
    }
}
