//! What only the kernel's calls tell: the machine's kind, sizes of file systems.

use super::Sys;
use std::path::Path;
use std::time::Duration;

/// Sizes of a mounted file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystemSize {
    /// Bytes in a block.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Free blocks that users may use.
    pub blocks_available: u64,
    /// Inodes in all.
    pub inodes: u64,
    /// Free inodes that users may use.
    pub inodes_available: u64,
}

impl Sys {
    /// The kind of machine as the kernel names it (`x86_64`, `aarch64`, …).
    pub fn machine(&self) -> String {
        if let Ok(Some(text)) = self.read_text(Path::new("/proc/sys/kernel/arch")) {
            return text.trim().to_owned();
        }
        // SAFETY: zeroed is a valid utsname, and uname fills it with text that ends in a zero
        let machine = unsafe {
            let mut names: libc::utsname = std::mem::zeroed();
            libc::uname(&raw mut names);
            names.machine
        };
        #[expect(
            clippy::cast_sign_loss,
            reason = "characters are signed on some machines"
        )]
        let bytes: Vec<u8> = machine
            .iter()
            .map(|c| *c as u8)
            .take_while(|c| *c != 0)
            .collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The sizes of the file system mounted there. A server that does not answer (NFS) is waited for at most
    /// `limit`; then it is `None`, as it is when there is nothing to be had.
    pub fn file_system_size(&self, mount: &Path, limit: Duration) -> Option<FileSystemSize> {
        let path = self.real_path(mount);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let _ = sender.send(nix::sys::statvfs::statvfs(&path));
        });
        let stat = receiver.recv_timeout(limit).ok()?.ok()?;
        Some(FileSystemSize {
            block_size: stat.fragment_size(),
            blocks: stat.blocks(),
            blocks_available: stat.blocks_available(),
            inodes: stat.files(),
            inodes_available: stat.files_available(),
        })
    }
}
