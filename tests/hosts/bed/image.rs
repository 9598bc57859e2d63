//! The image that all machines start from, built once and kept in a cache directory.

use super::process::{run, text};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const SUITE: &str = "bookworm";

/// What is installed: as bare as an image for servers, with no Python.
const PACKAGES: &str =
    "systemd,systemd-sysv,dbus,openssh-server,sudo,iproute2,ca-certificates,iptables,procps";

/// What is only downloaded, so that tests can install it without a network.
const DOWNLOADS: &str = "etcd-server etcd-client";

/// Runs in the build, outside of the new root.
const CUSTOMIZE: &str = include_str!("image.sh");

/// Where images are kept: `RUNBOOK_TEST_CACHE`, else `/var/cache/runbook-test`.
pub fn cache_directory() -> PathBuf {
    std::env::var_os("RUNBOOK_TEST_CACHE")
        .map_or_else(|| "/var/cache/runbook-test".into(), PathBuf::from)
}

/// The directory of the image, built first if there is none for this recipe. Takes a minute then.
///
/// # Errors
/// What went wrong with the cache directory or with `mmdebstrap`, in words.
pub fn ready() -> Result<PathBuf, String> {
    let cache = cache_directory();
    fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
    let image = cache.join(format!("image-{}", key()));
    let lock = cache.join(format!("image-{}.lock", key()));
    let lock = File::create(&lock).map_err(|error| format!("{}: {error}", lock.display()))?;
    lock.lock()
        .map_err(|error| format!("lock of the image: {error}"))?;
    if !image.exists() {
        build(&cache, &image)?;
    }
    Ok(image)
}

fn key() -> String {
    let mut hash = Sha256::new();
    for part in [SUITE, PACKAGES, DOWNLOADS, CUSTOMIZE] {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn build(cache: &Path, image: &Path) -> Result<(), String> {
    eprintln!(
        "building the image of the test machines: {}",
        image.display()
    );
    let root = cache.join(format!(".building-{}", key()));
    let hook = cache.join(format!(".customize-{}.sh", key()));
    remove_tree(&root)?;
    fs::write(&hook, CUSTOMIZE).map_err(|error| format!("{}: {error}", hook.display()))?;
    let mut command = Command::new("mmdebstrap");
    command
        .args([
            "--variant=minbase",
            "--skip=cleanup/apt/lists,cleanup/apt/cache",
        ])
        .arg(format!("--include={PACKAGES}"))
        .arg(format!("--customize-hook=sh {} \"$1\"", hook.display()))
        .env("RUNBOOK_TEST_DOWNLOADS", DOWNLOADS);
    if let Some(proxy) = proxy() {
        command.arg(format!("--aptopt=Acquire::http::Proxy \"{proxy}\""));
    }
    command.arg(SUITE).arg(&root).args(sources());
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
fn sources() -> Vec<PathBuf> {
    let listed = fs::read_dir("/etc/apt/sources.list.d")
        .into_iter()
        .flatten()
        .flatten();
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.path()).collect();
    paths.sort();
    paths.insert(0, "/etc/apt/sources.list".into());
    paths.retain(|path| fs::read_to_string(path).is_ok_and(|text| offers_suite(&text)));
    paths
}

fn offers_suite(text: &str) -> bool {
    let lines = || {
        text.lines()
            .filter(|line| !line.trim_start().starts_with('#'))
    };
    lines().any(|line| line.split_whitespace().any(|word| word == SUITE))
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
