//! `reboot`: the arguments; `exec` does the rest, since it outlives a connection.
//!
//! Source: Ansible's documentation of `ansible.builtin.reboot`.

use super::args::decode;
use super::{Input, Result, Step};
use crate::module_args;
use crate::value::Map;
use std::time::Duration;

module_args! {
    /// Arguments of `reboot`.
    pub struct RebootArgs {
        /// Seconds before the machine goes down, as whole minutes.
        pre_reboot_delay: f64 => default(0), aliases ["pre_reboot_delay_sec"];
        /// Seconds to wait once it went down, before looking for it.
        post_reboot_delay: f64 => default(0), aliases ["post_reboot_delay_sec"];
        /// Seconds until it must be back, and again until the test command must have ended well.
        reboot_timeout: f64 => default(600), aliases ["reboot_timeout_sec"];
        /// Seconds for one try to connect.
        connect_timeout: Option<f64> => optional, aliases ["connect_timeout_sec"];
        /// What must end well for the machine to count as ready.
        test_command: String => default("whoami");
        /// What users are told.
        msg: String => default("Reboot initiated by Ansible");
        /// Directories in which `shutdown` is looked for.
        search_paths: Vec<String> => default(vec!["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"]);
        /// What prints something else after each start.
        boot_time_command: String => default("cat /proc/sys/kernel/random/boot_id");
        /// What restarts the machine, with its arguments, instead of `shutdown`.
        reboot_command: Option<String> => optional;
    }
}

/// A restart as `exec` does it.
#[derive(Clone, Debug)]
pub struct Reboot {
    /// Only say what would be done.
    pub check: bool,
    /// What prints something else after each start.
    pub boot_id: String,
    /// The command line that restarts, or that says why it cannot (on its error output, with code 127).
    pub command: String,
    /// Before looking for the machine.
    pub post_delay: Duration,
    /// For each of the two waits.
    pub timeout: Duration,
    /// For one try to connect; `None` is the connection's own.
    pub connect_timeout: Option<Duration>,
    /// What must end well.
    pub test: String,
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.clamp(0.0, 1e9)).unwrap_or_default()
}

/// A shell text that finds the program in the directories and becomes it.
fn found(program: &str, arguments: &str, directories: &[String]) -> String {
    let places: Vec<_> = directories
        .iter()
        .map(|dir| quoted(&format!("{}/{program}", dir.trim_end_matches('/'))))
        .collect();
    let list = directories.join(", ");
    format!(
        "for p in {}; do if [ -x \"$p\" ]; then exec \"$p\" {arguments}; fi; done; \
         echo {} >&2; exit 127",
        places.join(" "),
        quoted(&format!(
            "Unable to find command \"{program}\" in search paths: [{list}]"
        ))
    )
}

fn command(args: &RebootArgs) -> String {
    match &args.reboot_command {
        Some(command) if command.trim_start().starts_with('/') => command.clone(),
        Some(command) => {
            let command = command.trim();
            let (program, rest) = command.split_once(' ').unwrap_or((command, ""));
            found(program, rest, &args.search_paths)
        }
        None => {
            #[expect(clippy::cast_possible_truncation, reason = "minutes are few")]
            let minutes = (args.pre_reboot_delay.max(0.0) / 60.0).floor() as i64;
            let arguments = format!("-r {minutes} {}", quoted(&args.msg));
            found("shutdown", &arguments, &args.search_paths)
        }
    }
}

pub(super) fn reboot(input: &Input<'_>) -> Result<Step> {
    // a timeout that is null is no timeout of ours
    let given: Map = input
        .args
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let args: RebootArgs = decode("reboot", &given)?;
    Ok(Step::Reboot(Reboot {
        check: input.check,
        boot_id: args.boot_time_command.clone(),
        command: command(&args),
        post_delay: duration(args.post_reboot_delay),
        timeout: duration(args.reboot_timeout),
        connect_timeout: args.connect_timeout.map(|t| duration(t.max(1.0))),
        test: args.test_command,
    }))
}

#[cfg(test)]
mod tests {
    use super::{RebootArgs, command};
    use crate::value::{Args, Map};

    #[test]
    fn the_delay_is_in_whole_minutes_and_users_text_is_quoted() {
        let args = Map::new()
            .with("pre_reboot_delay", 90)
            .with("msg", "it's time");
        let line = command(&RebootArgs::decode(&args).expect("arguments"));
        assert!(line.contains(r"'/sbin/shutdown'"), "{line}");
        assert!(line.contains(r#"exec "$p" -r 1 'it'\''s time'"#), "{line}");
        let own = Map::new()
            .with("reboot_command", "kexec -e")
            .with("search_paths", "/opt");
        let line = command(&RebootArgs::decode(&own).expect("arguments"));
        assert!(line.starts_with("for p in '/opt/kexec'; do"), "{line}");
        let absolute = Map::new().with("reboot_command", "/bin/x now");
        assert_eq!(
            command(&RebootArgs::decode(&absolute).expect("arguments")),
            "/bin/x now"
        );
    }
}
