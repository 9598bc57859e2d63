//! What a file is.

use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a pipe or a socket.
    Other(Special),
}

/// The rarer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// Block device.
    Block,
    /// Character device.
    Char,
    /// Named pipe.
    Fifo,
    /// Socket.
    Socket,
}

/// What `stat` says of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Meta {
    /// Its type.
    pub kind: FileKind,
    /// Permission bits with set-id and sticky bits (`0o7777`).
    pub mode: u32,
    /// Owner's id.
    pub uid: u32,
    /// Group's id.
    pub gid: u32,
    /// Size in bytes.
    pub size: u64,
    /// Inode number.
    pub inode: u64,
    /// Device number.
    pub dev: u64,
    /// Device that it stands for.
    pub rdev: u64,
    /// Hard links.
    pub nlink: u64,
    /// Last access, seconds since 1970.
    pub atime: f64,
    /// Last change of content, seconds since 1970.
    pub mtime: f64,
    /// Last change of the inode, seconds since 1970.
    pub ctime: f64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// Preferred size of reads and writes, in bytes.
    pub block_size: u64,
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times are floats in Ansible's results"
)]
fn seconds(whole: i64, nanos: i64) -> f64 {
    whole as f64 + nanos as f64 / 1e9
}

impl From<&std::fs::Metadata> for Meta {
    fn from(meta: &std::fs::Metadata) -> Self {
        let kind = meta.file_type();
        Self {
            kind: if kind.is_symlink() {
                FileKind::Link
            } else if kind.is_dir() {
                FileKind::Directory
            } else if kind.is_file() {
                FileKind::File
            } else if kind.is_block_device() {
                FileKind::Other(Special::Block)
            } else if kind.is_char_device() {
                FileKind::Other(Special::Char)
            } else if kind.is_fifo() {
                FileKind::Other(Special::Fifo)
            } else {
                FileKind::Other(Special::Socket)
            },
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            size: meta.size(),
            inode: meta.ino(),
            dev: meta.dev(),
            rdev: meta.rdev(),
            nlink: meta.nlink(),
            atime: seconds(meta.atime(), meta.atime_nsec()),
            mtime: seconds(meta.mtime(), meta.mtime_nsec()),
            ctime: seconds(meta.ctime(), meta.ctime_nsec()),
            blocks: meta.blocks(),
            block_size: meta.blksize(),
        }
    }
}
