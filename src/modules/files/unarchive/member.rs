//! What an archive says of one of its members.

/// A member.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::modules::files) struct Member {
    /// Its name as the archive has it.
    pub name: String,
    /// What it is.
    pub kind: MemberKind,
    /// Size of the content in bytes.
    pub size: u64,
    /// Seconds since 1970.
    pub mtime: Option<i64>,
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner's name and id.
    pub owner: Option<(String, u32)>,
    /// Group's name and id.
    pub group: Option<(String, u32)>,
    /// CRC-32 of the content.
    pub crc: Option<u32>,
}

/// The type of a member.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::modules::files) enum MemberKind {
    File,
    Directory,
    /// A symbolic link, with what it points to.
    Link(String),
    /// Another name of a member before it.
    HardLink(String),
    /// A device or pipe: it is not unpacked.
    Other,
}
