//! Settings of this machine's kernel that machines need. They are as they were when the last bed has gone.

use std::fs;
use std::path::Path;

/// Files of settings, and the least value that they must have. All machines here are of one kernel and one root, who may
/// watch files in so many places at a time; a kubelet or two use up the usual 128.
pub const NEEDED: [(&str, u64); 3] = [
    ("/proc/sys/net/ipv4/ip_forward", 1),
    ("/proc/sys/fs/inotify/max_user_instances", 4096),
    ("/proc/sys/fs/inotify/max_user_watches", 524_288),
];

/// Raises settings that are lower, and remembers in `state` what they were.
///
/// # Errors
/// One cannot be read or written.
pub fn raise(settings: &[(&str, u64)], state: &Path) -> Result<(), String> {
    for (path, least) in settings {
        let before = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
        if before
            .trim()
            .parse()
            .is_ok_and(|value: u64| value >= *least)
        {
            continue;
        }
        let was = remembered(path, state);
        if !was.exists() {
            fs::write(&was, before).map_err(|error| format!("{}: {error}", was.display()))?;
        }
        fs::write(path, least.to_string()).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(())
}

/// Gives those back that were raised.
pub fn restore(settings: &[(&str, u64)], state: &Path) {
    for (path, _) in settings {
        let was = remembered(path, state);
        if let Ok(before) = fs::read_to_string(&was) {
            let _ = fs::write(path, before);
            let _ = fs::remove_file(&was);
        }
    }
}

fn remembered(path: &str, state: &Path) -> std::path::PathBuf {
    state.join(path.rsplit('/').next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_low_is_raised_once_and_given_back() {
        let directory = tempfile::tempdir().expect("a directory");
        let state = directory.path().join("state");
        fs::create_dir(&state).expect("a directory");
        let file = |name: &str, value: &str| {
            let path = directory.path().join(name);
            fs::write(&path, value).expect("written");
            path.display().to_string()
        };
        let (low, high) = (file("low", "128\n"), file("high", "9000\n"));
        let settings = [(low.as_str(), 4096), (high.as_str(), 4096)];
        let read = |path: &str| fs::read_to_string(path).expect("there");

        raise(&settings, &state).expect("raised");
        raise(&settings, &state).expect("and again by the next bed");
        assert_eq!((read(&low), read(&high)), ("4096".into(), "9000\n".into()));

        restore(&settings, &state);
        assert_eq!((read(&low), read(&high)), ("128\n".into(), "9000\n".into()));
        assert_eq!(fs::read_dir(&state).expect("there").count(), 0);
    }
}
