//! `filesystem`: what a device is formatted with.
//!
//! Source: the documentation of `community.general.filesystem`; blkid(8), wipefs(8) and the tools of each file system.

use crate::modules::steps::{ask_tool, run_tool};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, unescape_mount};
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// Whether there is a file system.
    pub enum State {
        /// That one.
        Present = "present",
        /// None at all.
        Absent = "absent",
    }
}

choices! {
    /// What a device may be formatted with.
    #[allow(missing_docs)]
    pub enum Kind {
        Bcachefs = "bcachefs",
        Btrfs = "btrfs",
        Ext2 = "ext2",
        Ext3 = "ext3",
        Ext4 = "ext4",
        Ext4dev = "ext4dev",
        F2fs = "f2fs",
        Lvm = "lvm",
        Ocfs2 = "ocfs2",
        Reiserfs = "reiserfs",
        Xfs = "xfs",
        Vfat = "vfat",
        Swap = "swap",
        Ufs = "ufs",
    }
}

module_args! {
    /// Arguments of `filesystem`.
    pub struct Args {
        /// The device, or a file that holds a file system.
        dev: PathBuf => required, aliases ["device"];
        /// What it is formatted with.
        fstype: Option<Kind> => optional, aliases ["type"];
        /// Whether there is a file system.
        state: State => default("present");
        /// Format it even if there is one, also of the same kind.
        force: bool => default(false);
        /// Let a file system that is there grow to the size of its device: ext2 to ext4, xfs, btrfs, f2fs and lvm.
        resizefs: bool => default(false);
        /// Options for the program that formats.
        opts: Option<String> => optional;
        /// The id of a new file system. Changing that of one that is there is not built yet.
        uuid: Option<String> => optional;
    }
}

impl Kind {
    /// What blkid calls it.
    fn blkid_name(self) -> &'static str {
        match self {
            Self::Lvm => "LVM2_member",
            Self::Ext4dev => "ext4",
            other => other.word(),
        }
    }

    /// The program that formats, with what makes it not ask.
    fn maker(self) -> &'static [&'static str] {
        match self {
            Self::Bcachefs => &["mkfs.bcachefs", "--force"],
            Self::Btrfs => &["mkfs.btrfs", "-f"],
            Self::Ext2 => &["mkfs.ext2", "-F"],
            Self::Ext3 => &["mkfs.ext3", "-F"],
            Self::Ext4 | Self::Ext4dev => &["mkfs.ext4", "-F"],
            Self::F2fs => &["mkfs.f2fs", "-f"],
            Self::Lvm => &["pvcreate", "-f"],
            Self::Ocfs2 => &["mkfs.ocfs2", "-Fx"],
            Self::Reiserfs => &["mkfs.reiserfs", "-q"],
            Self::Xfs => &["mkfs.xfs", "-f"],
            Self::Vfat => &["mkfs.vfat"],
            Self::Swap => &["mkswap", "-f"],
            Self::Ufs => &["newfs"],
        }
    }

    /// The option for the id of a new one, with the id in it.
    fn uuid_words(self, uuid: &str) -> ModuleResult<Vec<String>> {
        let words: &[&str] = match self {
            Self::Bcachefs
            | Self::Btrfs
            | Self::Ext2
            | Self::Ext3
            | Self::Ext4
            | Self::Ext4dev
            | Self::Swap => &["-U", uuid],
            Self::Lvm => &["-u", uuid, "--norestorefile"],
            Self::Xfs => return Ok(vec!["-m".to_owned(), format!("uuid={uuid}")]),
            _ => {
                return Err(Failure::new(format!(
                    "module does not support UUID option for this filesystem ({}) yet.",
                    self.word()
                )));
            }
        };
        Ok(super::words(words))
    }
}

/// The module.
pub struct Filesystem;

impl Module for Filesystem {
    const NAME: &'static str = "filesystem";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Format a device, let its file system grow, or wipe it.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["resizefs", "uuid"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let dev = sys.expand(&args.dev);
        let shown = dev.to_string_lossy().into_owned();
        let mut plan = Plan::new();
        if !sys.exists(&dev) {
            let message = format!("Device {shown} not found.");
            return match args.state {
                State::Present => Err(Failure::new(message)),
                State::Absent => {
                    plan.returns("msg", message);
                    Ok(plan)
                }
            };
        }
        // nothing but an answer says that there is none
        let asked = sys.tool([
            "blkid",
            "-c",
            "/dev/null",
            "-o",
            "value",
            "-s",
            "TYPE",
            &shown,
        ]);
        let answer = sys.query(&asked)?;
        if !answer.ok() && answer.rc != 2 {
            return Err(crate::modules::streams::command_failed(
                "blkid", &asked, &answer,
            ));
        }
        let now = answer.text().trim().to_owned();
        let side =
            |kind: &str| format!("fstype: {}\n", if kind.is_empty() { "none" } else { kind });
        if args.state == State::Absent {
            if !now.is_empty() {
                let diff = Diff::new(shown.as_str(), Some(side(&now)), Some(side("")));
                plan.act(format!("wipe {shown}"), Some(diff), move |sys, _| {
                    run_tool(sys, &["wipefs", "--all", &shown]).map(drop)
                });
            }
            return Ok(plan);
        }
        let kind = args
            .fstype
            .ok_or("state is present but all of the following are missing: fstype")?;
        let is_same = now == kind.blkid_name();
        if is_same && !args.force {
            if args.uuid.is_some() {
                return Err(
                    "uuid: the id of a file system that is there is not changed yet".into(),
                );
            }
            if args.resizefs {
                grow(sys, &mut plan, kind, shown)?;
            }
            return Ok(plan);
        }
        if !now.is_empty() && !is_same && !args.force {
            return Err(Failure::new(format!(
                "'{shown}' is already used as {now}, use force=true to overwrite"
            )));
        }
        let mut command = super::words(kind.maker());
        if let Some(opts) = &args.opts {
            command.extend(opts.split_whitespace().map(str::to_owned));
        }
        if let Some(uuid) = &args.uuid {
            command.extend(kind.uuid_words(uuid)?);
        }
        command.push(shown.clone());
        let after = format!(
            "{}{}",
            side(kind.blkid_name()),
            if is_same { "(new)\n" } else { "" }
        );
        let diff = Diff::new(shown.as_str(), Some(side(&now)), Some(after));
        plan.act(format!("format {shown}"), Some(diff), move |sys, _| {
            super::run_all(sys, &[command])
        });
        if args.force {
            plan.repeats();
        }
        Ok(plan)
    }
}

/// A number behind a name in what a tool prints.
fn number(text: &str, name: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix(name))?;
    let digits: String = line
        .trim_start_matches([':', '=', ' ', '\t'])
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

/// Bytes of the file system, where it is known how to ask, and what lets it grow.
fn grow(sys: &Sys, plan: &mut Plan<'_>, kind: Kind, dev: String) -> ModuleResult<()> {
    let mounted = || {
        let mounts = sys.read_text(Path::new("/proc/mounts")).ok()??;
        mounts.lines().find_map(|line| {
            let mut fields = line.split_whitespace().map(unescape_mount);
            (fields.next()? == dev).then(|| fields.next())?
        })
    };
    let needs_mount = || {
        Failure::new(format!(
            "'{dev}' needs to be mounted to resize its {} file system",
            kind.word()
        ))
    };
    let (size, slack, command) = match kind {
        Kind::Ext2 | Kind::Ext3 | Kind::Ext4 | Kind::Ext4dev => {
            let text = ask_tool(sys, &["tune2fs", "-l", &dev])?;
            let block = number(&text, "Block size").ok_or("tune2fs said no block size")?;
            let count = number(&text, "Block count").ok_or("tune2fs said no block count")?;
            (block * count, block, super::words(&["resize2fs", &dev]))
        }
        Kind::Xfs => {
            let place = mounted().ok_or_else(needs_mount)?;
            let text = ask_tool(sys, &["xfs_info", &place])?;
            let data = text
                .lines()
                .find(|line| line.starts_with("data"))
                .unwrap_or_default();
            let field = |name: &str| -> Option<u64> {
                let rest = data.split(name).nth(1)?;
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                digits.parse().ok()
            };
            let (block, count) = (field("bsize="), field("blocks="));
            let (Some(block), Some(count)) = (block, count) else {
                return Err("xfs_info said no sizes".into());
            };
            (block * count, block, super::words(&["xfs_growfs", &place]))
        }
        Kind::Btrfs => {
            let place = mounted().ok_or_else(needs_mount)?;
            let text = ask_tool(sys, &["btrfs", "filesystem", "usage", "-b", &dev])
                .or_else(|_| ask_tool(sys, &["btrfs", "filesystem", "usage", "-b", &place]))?;
            let size = number(&text, "Device size").ok_or("btrfs said no device size")?;
            let grows = super::words(&["btrfs", "filesystem", "resize", "max", &place]);
            (size, 1 << 20, grows)
        }
        Kind::Lvm => {
            let ask = [
                "pvs",
                "--noheadings",
                "-o",
                "pv_size",
                "--units",
                "b",
                "--nosuffix",
                &dev,
            ];
            let size = ask_tool(sys, &ask)?
                .trim()
                .parse()
                .map_err(|_| "pvs said no size")?;
            // extents, and what lvm keeps for itself
            (size, 8 << 20, super::words(&["pvresize", &dev]))
        }
        other => {
            return Err(Failure::new(format!(
                "module does not support resizing {} filesystem yet.",
                other.word()
            )));
        }
    };
    let whole: u64 = ask_tool(sys, &["blockdev", "--getsize64", &dev])?
        .trim()
        .parse()
        .map_err(|_| "blockdev said no size")?;
    if size + slack > whole {
        plan.returns(
            "msg",
            Value::data(format!(
                "{} filesystem is using the whole device {dev}",
                kind.word()
            )),
        );
        return Ok(());
    }
    let diff = Diff::new(
        dev.as_str(),
        Some(format!("size: {size}\n")),
        Some(format!("size: {whole}\n")),
    );
    plan.act(format!("grow {dev}"), Some(diff), move |sys, _| {
        super::run_all(sys, &[command])
    });
    Ok(())
}
