//! Running processes, from `/proc`.

use super::Sys;
use std::path::Path;

impl Sys {
    /// The command lines of all processes but this one, words joined by blanks.
    pub fn command_lines(&self) -> Vec<String> {
        let own = std::process::id().to_string();
        self.list(Path::new("/proc"))
            .unwrap_or_default()
            .iter()
            .map(|name| name.to_string_lossy())
            .filter(|name| name.bytes().all(|b| b.is_ascii_digit()) && *name != own)
            .filter_map(|name| {
                let bytes = self
                    .read(&Path::new("/proc").join(name.as_ref()).join("cmdline"))
                    .ok()??;
                let words: Vec<_> = bytes
                    .split(|byte| *byte == 0)
                    .filter(|word| !word.is_empty())
                    .map(String::from_utf8_lossy)
                    .collect();
                (!words.is_empty()).then(|| words.join(" "))
            })
            .collect()
    }
}
