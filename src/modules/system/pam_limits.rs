//! `pam_limits`: what users may use.
//!
//! Source: Ansible's documentation of `community.general.pam_limits`; limits.conf(5).

use crate::modules::steps::rewrite;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// How firm a limit is.
    pub enum LimitType {
        /// Not to be passed.
        Hard = "hard",
        /// Both.
        Both = "-",
        /// Where it starts.
        Soft = "soft",
    }
}

choices! {
    /// What is limited.
    pub enum Item {
        Core = "core", Data = "data", Fsize = "fsize", Memlock = "memlock", Nofile = "nofile", Rss = "rss",
        Stack = "stack", Cpu = "cpu", Nproc = "nproc", As = "as", Maxlogins = "maxlogins",
        Maxsyslogins = "maxsyslogins", Priority = "priority", Locks = "locks", Sigpending = "sigpending",
        Msgqueue = "msgqueue", Nice = "nice", Rtprio = "rtprio", Chroot = "chroot",
    }
}

module_args! {
    /// Arguments of `pam_limits`.
    pub struct Args {
        /// A user, `@` and a group, or `*`.
        domain: String => required;
        /// How firm the limit is.
        limit_type: LimitType => required;
        /// What is limited.
        limit_item: Item => required;
        /// How much: a number, `unlimited`, `infinity` or `-1`.
        value: String => required;
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Lower a limit only.
        use_min: bool => default(false);
        /// Raise a limit only.
        use_max: bool => default(false);
        /// The file.
        dest: PathBuf => default("/etc/security/limits.conf");
        /// A note at the end of the line.
        comment: String => default("");
    }
}

/// The module.
pub struct PamLimits;

impl Module for PamLimits {
    const NAME: &'static str = "pam_limits";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Limit what users may use.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.use_min && args.use_max {
            return Err("Cannot use use_min and use_max at the same time.".into());
        }
        if number(&args.value).is_none() {
            return Err(Failure::new(format!(
                "Argument 'value' must be one of 'unlimited', 'infinity', '-1' or a number, it is {}",
                args.value
            )));
        }
        let path = sys.expand(&args.dest);
        let text = sys.read_text(&path)?.unwrap_or_default();
        let (kind, item) = (args.limit_type.word(), args.limit_item.word());
        let mut found = false;
        let mut lines = Vec::new();
        for line in text.lines() {
            let bare = line.split('#').next().unwrap_or_default();
            let words: Vec<&str> = bare.split_whitespace().collect();
            let [domain, line_kind, line_item, value] = words.as_slice() else {
                lines.push(line.to_owned());
                continue;
            };
            if *domain != args.domain || *line_kind != kind || *line_item != item {
                lines.push(line.to_owned());
                continue;
            }
            if found {
                continue; // only one line counts
            }
            found = true;
            let wanted = wanted(args, value);
            if wanted == *value {
                lines.push(line.to_owned());
            } else {
                lines.push(self::line(args, &wanted));
            }
        }
        if !found {
            lines.push(line(args, &args.value));
        }
        let mut new = lines.join("\n");
        new.push('\n');
        let mut plan = Plan::new();
        plan.returns("msg", Value::data(line(args, &args.value)));
        rewrite(sys, &mut plan, &path, new, args.backup)?;
        Ok(plan)
    }
}

fn line(args: &Args, value: &str) -> String {
    let mut line = format!(
        "{}\t{}\t{}\t{value}",
        args.domain,
        args.limit_type.word(),
        args.limit_item.word()
    );
    if !args.comment.is_empty() {
        line.push_str(&format!("\t#{}", args.comment));
    }
    line
}

/// A limit's size; no limit is the largest.
fn number(value: &str) -> Option<i64> {
    match value {
        "unlimited" | "infinity" | "-1" => Some(i64::MAX),
        digits => digits.parse().ok(),
    }
}

/// The value that a line is to have.
fn wanted(args: &Args, now: &str) -> String {
    let keeps = match (number(now), number(&args.value)) {
        (Some(now), Some(new)) => (args.use_min && now <= new) || (args.use_max && now >= new),
        _ => false,
    };
    if keeps {
        now.to_owned()
    } else {
        args.value.clone()
    }
}
