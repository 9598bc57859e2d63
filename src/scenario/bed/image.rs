//! The image that all machines start from, built once and kept in a cache directory.

use super::process::{run, text};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Runs in the build, outside of the new root.
const CUSTOMIZE: &str = include_str!("image.sh");

/// What every image has: as bare as an image for servers, with no Python.
const BASE: [&str; 9] = [
    "systemd",
    "systemd-sysv",
    "dbus",
    "openssh-server",
    "sudo",
    "iproute2",
    "ca-certificates",
    "iptables",
    "procps",
];

/// What an image is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The name of a Debian release.
    pub suite: String,
    /// Packages that are installed, besides those that every image has.
    pub include: Vec<String>,
    /// Packages that are only downloaded, so that they can be installed without a network.
    pub download: Vec<String>,
    /// More to do at the end, as a shell script with the root as its first argument.
    pub customize: String,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            suite: "bookworm".to_owned(),
            include: Vec::new(),
            download: Vec::new(),
            customize: String::new(),
        }
    }
}

/// Where images are kept: `RUNBOOK_MACHINES_CACHE`, else `/var/cache/runbook-machines`.
pub fn cache_directory() -> PathBuf {
    std::env::var_os("RUNBOOK_MACHINES_CACHE")
        .map_or_else(|| "/var/cache/runbook-machines".into(), PathBuf::from)
}

/// The directory of the image, built first if there is none for this recipe. Takes a minute then.
///
/// # Errors
/// What went wrong with the cache directory or with `mmdebstrap`, in words.
pub fn ready(recipe: &Recipe) -> Result<PathBuf, String> {
    let cache = cache_directory();
    let key = recipe.key();
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    let image = cache.join(format!("image-{key}"));
    let lock = cache.join(format!("image-{key}.lock"));
    let lock = File::create(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    lock.lock()
        .map_err(|error| format!("lock of the image: {error}"))?;
    if !image.exists() {
        build(recipe, &cache, &image)?;
    }
    Ok(image)
}

impl Recipe {
    /// Names the image: the same for the same recipe.
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |part: &str| {
            hash.update(part);
            hash.update([0]);
        };
        part(&self.suite);
        part(CUSTOMIZE);
        part(&self.customize);
        for list in [&self.include, &self.download] {
            for name in list {
                part(name);
            }
            part("");
        }
        hash.finalize()
            .iter()
            .take(6)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

fn build(recipe: &Recipe, cache: &Path, image: &Path) -> Result<(), String> {
    let key = recipe.key();
    let packages = BASE
        .iter()
        .copied()
        .chain(recipe.include.iter().map(String::as_str))
        .collect::<Vec<_>>()
        .join(",");
    let script = format!("{CUSTOMIZE}\n{}", recipe.customize);
    let root = cache.join(format!(".building-{key}"));
    let hook = cache.join(format!(".customize-{key}.sh"));
    remove_tree(&root)?;
    fs::write(&hook, script).map_err(|error| format!("{}: {error}", hook.display()))?;
    let mut command = Command::new("mmdebstrap");
    command
        .args([
            "--variant=minbase",
            "--skip=cleanup/apt/lists,cleanup/apt/cache",
        ])
        .arg(format!("--include={packages}"))
        .arg(format!("--customize-hook=sh {} \"$1\"", hook.display()))
        .env("RUNBOOK_DOWNLOADS", recipe.download.join(" "));
    if let Some(proxy) = proxy() {
        command.arg(format!("--aptopt=Acquire::http::Proxy \"{proxy}\""));
    }
    command
        .arg(&recipe.suite)
        .arg(&root)
        .args(sources(&recipe.suite));
    let output = run(&mut command, Duration::from_secs(15 * 60))?;
    let _ = fs::remove_file(&hook);
    if !output.status.success() {
        remove_tree(&root)?;
        return Err(format!("mmdebstrap failed:\n{}", text(&output.stderr)));
    }
    fs::rename(&root, image).map_err(|error| format!("{}: {error}", image.display()))
}

fn remove_tree(root: &Path) -> Result<(), String> {
    match fs::remove_dir_all(root) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", root.display()))
        }
        _ => Ok(()),
    }
}

/// This machine's own package sources of the suite, for it knows the mirror that can be reached. None: Debian's own.
fn sources(suite: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten();
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    paths.sort();
    paths.insert(0, "/etc/apt/sources.list".into());
    paths.retain(|path| fs::read_to_string(path).is_ok_and(|text| offers(&text, suite)));
    paths
}

fn offers(text: &str, suite: &str) -> bool {
    let lines = || {
        text.lines()
            .filter(|line| !line.trim_start().starts_with('#'))
    };
    lines().any(|line| line.split_whitespace().any(|word| word == suite))
        && lines().any(|line| line.contains("/debian") && line.contains("://"))
}

/// The proxy that `apt` uses here, if it does.
pub fn proxy() -> Option<String> {
    let output = Command::new("apt-config")
        .args(["shell", "PROXY", "Acquire::http::Proxy"])
        .output()
        .ok()?;
    let line = text(&output.stdout);
    let value = line.trim().strip_prefix("PROXY='")?.strip_suffix('\'')?;
    (!value.is_empty()).then(|| value.to_owned())
}
