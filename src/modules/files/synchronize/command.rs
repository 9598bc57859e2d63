//! The command line of rsync.

use super::args::Args;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::shell_words;
use std::path::{Component, Path, PathBuf};

/// What begins each line of rsync's that tells of a file.
pub(super) const MARKER: &str = "<<CHANGED>>";

/// A transfer, ready to be put in words.
pub(super) struct Transfer<'a> {
    pub args: &'a Args,
    program: String,
    pub src: String,
    pub dest: String,
    /// `rsync_opts`: as a shell would split each, and as it is written.
    options: Vec<(Vec<String>, String)>,
    links: Vec<String>,
}

impl<'a> Transfer<'a> {
    /// # Errors
    /// When the arguments do not fit each other.
    pub fn new(args: &'a Args, sys: &Sys) -> ModuleResult<Self> {
        let program = sys.which(&args._program).ok_or_else(|| {
            Failure::new(format!(
                "`{}` is not there: install rsync on the machine that starts it (the controller, or the one that the task \
                 is delegated to), or name it in the variable `ansible_rsync_path`",
                args._program
            ))
        })?;
        let client = if args._controller {
            Some(client(sys)?)
        } else {
            None
        };
        let end = |path: &str| {
            let path = local(sys, path);
            match &client {
                Some(address) => at_client(&path, address),
                None => path,
            }
        };
        let (src, dest) = (end(&args.src), end(&args.dest));
        let is_daemon = |path: &str| path.starts_with("rsync://");
        if is_daemon(&src) && is_daemon(&dest) {
            return Err(Failure::new("either src or dest must be a localhost").with("rc", 1));
        }
        let mut options = Vec::new();
        for option in &args.rsync_opts {
            let words = shell_words(option).map_err(|why| {
                Failure::new(format!(
                    "the option `{option}` in `rsync_opts` cannot be read: {why}"
                ))
            })?;
            options.push((words, option.clone()));
        }
        let links = match &args.link_dest {
            Some(all) => linked(sys, all, &dest)?,
            None => Vec::new(),
        };
        Ok(Self {
            args,
            program: program.to_string_lossy().into_owned(),
            src,
            dest,
            options,
            links,
        })
    }

    /// Whether the other end is reached by a program that rsync starts.
    pub fn has_rsh(&self) -> bool {
        let daemon = self.src.starts_with("rsync://") || self.dest.starts_with("rsync://");
        !daemon && (self.src.contains(':') || self.dest.contains(':'))
    }

    /// Program and arguments.
    pub fn words(&self, dry: bool) -> Vec<String> {
        self.all(dry).into_iter().map(|word| word.text).collect()
    }

    /// The same as a line, as results show it: with quotes where Ansible has them.
    pub fn shown(&self, dry: bool) -> String {
        let words = self.all(dry).into_iter().map(|word| word.shown);
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        words.join(" ")
    }

    fn all(&self, dry: bool) -> Vec<Word> {
        let args = self.args;
        let mut words = vec![Word::plain(self.program.as_str())];
        let mut flag = |given: bool, words_of: &[&str]| {
            if given {
                words.extend(words_of.iter().map(|word| Word::plain(*word)));
            }
        };
        flag(args.delay_updates, &["--delay-updates", "-F"]);
        flag(args.compress, &["--compress"]);
        let timeout = format!("--timeout={}", args.rsync_timeout);
        flag(args.rsync_timeout != 0, &[timeout.as_str()]);
        flag(dry, &["--dry-run"]);
        flag(args.delete, &["--delete-after"]);
        flag(args.existing_only, &["--existing"]);
        flag(args.checksum, &["--checksum"]);
        flag(args.copy_links, &["--copy-links"]);
        flag(args.archive, &["--archive"]);
        for (name, given) in [
            ("recursive", args.recursive),
            ("links", args.links),
            ("perms", args.perms),
            ("times", args.times),
            ("owner", args.owner),
            ("group", args.group),
        ] {
            // the archive has them all, else there is none
            let no = if args.archive { "no-" } else { "" };
            let option = format!("--{no}{name}");
            flag(given == Some(!args.archive), &[option.as_str()]);
        }
        flag(args.dirs, &["--dirs"]);
        if self.has_rsh()
            && !args
                .rsync_opts
                .iter()
                .any(|option| option.contains("--rsh"))
            && let Some(rsh) = &args._rsh
        {
            let rsh: Vec<String> = rsh.iter().map(|word| for_rsync(word)).collect();
            words.push(Word::with_value("--rsh=", &rsh.join(" ")));
        }
        if let Some(path) = args.rsync_path.as_deref().filter(|path| !path.is_empty()) {
            words.push(Word::with_value("--rsync-path=", path));
        }
        for (option, written) in &self.options {
            let mut shown = Some(written);
            words.extend(option.iter().map(|word| Word {
                text: word.clone(),
                shown: shown.take().cloned().unwrap_or_default(),
            }));
        }
        let mut flag = |given: bool, words_of: &[&str]| {
            if given {
                words.extend(words_of.iter().map(|word| Word::plain(*word)));
            }
        };
        flag(args.partial, &["--partial"]);
        // without it rsync does not say what became a link
        flag(args.link_dest.is_some(), &["-H", "-vv"]);
        for link in &self.links {
            words.push(Word::plain(format!("--link-dest={link}")));
        }
        words.push(Word::with_value(
            "--out-format=",
            &format!("{MARKER}%i %n%L"),
        ));
        words.push(Word::with_value("", &self.src));
        words.push(Word::with_value("", &self.dest));
        words
    }
}

/// A word of the command line, and how results show it.
struct Word {
    text: String,
    shown: String,
}

impl Word {
    fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            shown: text.clone(),
            text,
        }
    }

    fn with_value(name: &str, value: &str) -> Self {
        Self {
            text: format!("{name}{value}"),
            shown: format!("{name}{}", quoted(value)),
        }
    }
}

/// A path at this end, `~` and variables expanded; others are what they are. rsync minds the slash at the end.
fn local(sys: &Sys, path: &str) -> String {
    if path.contains(':') {
        return path.to_owned();
    }
    let mut expanded = sys.expand(Path::new(path)).to_string_lossy().into_owned();
    if path.ends_with('/') && !expanded.ends_with('/') {
        expanded.push('/');
    }
    expanded
}

/// The controller, seen from here: where the connection came from.
fn client(sys: &Sys) -> ModuleResult<String> {
    ["SSH_CLIENT", "SSH_CONNECTION"]
        .iter()
        .find_map(|name| {
            let value = sys.env(name)?;
            value.split_whitespace().next().map(str::to_owned)
        })
        .ok_or_else(|| Failure::new("Could not determine controller hostname for rsync to send to"))
}

/// `user@localhost:path` with the controller's address.
fn at_client(path: &str, address: &str) -> String {
    let Some((host, rest)) = path.split_once(':') else {
        return path.to_owned();
    };
    let (user, host) = match host.split_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), host),
    };
    if !matches!(host, "localhost" | "127.0.0.1") {
        return path.to_owned();
    }
    if address.contains(':') {
        format!("{user}[{address}]:{rest}")
    } else {
        format!("{user}{address}:{rest}")
    }
}

/// The directories to link against, absolute.
fn linked(sys: &Sys, all: &[String], dest: &str) -> ModuleResult<Vec<String>> {
    let here = PathBuf::from(sys.env("PWD").unwrap_or_else(|| "/".into()));
    let whole = |path: &str| {
        let path = here.join(sys.expand(Path::new(path)));
        let mut plain = PathBuf::new();
        for part in path.components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        plain
    };
    let parent = match dest.rsplit_once('/') {
        Some((parent, _)) => whole(if parent.is_empty() { "/" } else { parent }),
        None => whole(""),
    };
    let mut found = Vec::new();
    for link in all {
        let link = whole(link);
        if parent.starts_with(&link) {
            return Err(Failure::new(format!(
                "Hardlinking into a subdirectory of the source would cause recursion. {} and {dest}",
                parent.display()
            )));
        }
        found.push(link.to_string_lossy().into_owned());
    }
    Ok(found)
}

/// Whether a shell takes it as one word of just these characters.
fn is_plain(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    !word.is_empty() && word.chars().all(plain)
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// A word of `--rsh`, which rsync splits by itself: a quote within quotes is written twice, and nothing else is special.
fn for_rsync(word: &str) -> String {
    if is_plain(word) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "''"))
}
