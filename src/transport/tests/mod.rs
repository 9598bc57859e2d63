//! Tests with real processes, shells and servers. The agent in them is this test binary: a small shell
//! script, which is what gets installed, starts it again as `fake_agent_process`.

mod become_user;
mod bootstrap;
mod local;
mod openssh;
mod passwords;
mod sshd;

use super::*;
use crate::result::Outcome;
use crate::value::Map;
use crate::wire::{Blob, Call, FrameDecoder, FromAgent, Hello, PROTOCOL, ToAgent, encode};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

const ROLE: &str = "RUNBOOK_TEST_AGENT";

/// An executable that behaves like `runbook agent`, and its directory.
struct AgentFile {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl AgentFile {
    /// `marker` makes its content, and so its hash, its own.
    fn new(marker: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let path = directory.path().join("runbook");
        let program = std::env::current_exe().unwrap();
        let text = format!(
            "#!/bin/sh\n# {marker} {}\nif [ \"$2\" = --check ]; then set -- $(sha256sum < \"$0\"); echo \"RUNBOOK-AGENT-OK $1\"; exit; fi\n\
             export {ROLE}=1\nexec '{}' --exact transport::tests::fake_agent_process --nocapture\n",
            "padding ".repeat(20_000),
            program.display(),
        );
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Self { directory, path }
    }

    fn binaries(&self) -> AgentBinaries {
        let expected = self.directory.path().join("runbook-agent-<arch>");
        AgentBinaries::new(
            vec![(std::env::consts::ARCH.to_owned(), self.path.clone())],
            expected,
        )
    }

    fn sha256(&self) -> String {
        sha256(&std::fs::read(&self.path).unwrap())
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn call(module: &str, key: &str, value: &str) -> Call {
    Call {
        module: module.to_owned(),
        args: Map::new().with(key, value),
        check: false,
        diff: false,
        no_log: false,
        replan: false,
        environment: Vec::new(),
        timeout: None,
        background: None,
    }
}

fn text(outcome: &Outcome) -> &str {
    outcome.message().unwrap_or_default()
}

fn options(home: &Path) -> Options {
    Options {
        home: Some(home.to_owned()),
        global_ssh_config: None,
        global_known_hosts: Vec::new(),
        start_timeout: std::time::Duration::from_secs(20),
        ..Options::default()
    }
}

/// Says loudly that a test could not run here.
fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}

/// Runs a test's future, which must end within a minute.
fn within<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let limit = std::time::Duration::from_secs(60);
    let result = runtime.block_on(async { tokio::time::timeout(limit, future).await });
    runtime.shutdown_background();
    result.expect("the test hangs")
}

/// Runs as the agent when it was started as one; otherwise there is nothing to test.
#[test]
fn fake_agent_process() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let mut out = std::fs::File::from(nix::unistd::dup(std::io::stdout()).unwrap());
    let mut input = std::io::stdin().lock();
    let mut decoder = FrameDecoder::default();
    out.write_all(b"\nRUNBOOK-AGENT-1\n").unwrap();
    let mut say = |message: &FromAgent| out.write_all(&encode(message).unwrap()).unwrap();
    say(&FromAgent::Hello(Hello {
        protocol: PROTOCOL,
        version: "test".to_owned(),
        pid: std::process::id(),
        uid: nix::unistd::getuid().as_raw(),
    }));
    let mut next = || loop {
        if let Some(message) = decoder.next::<ToAgent>().unwrap() {
            return message;
        }
        let mut buffer = vec![0; 1 << 16];
        let length = input.read(&mut buffer).unwrap();
        if length == 0 {
            std::process::exit(0);
        }
        decoder.push(&buffer[..length]);
    };
    loop {
        let (id, calls, stop_on_failure) = match next() {
            ToAgent::Run {
                id,
                calls,
                stop_on_failure,
            } => (id, calls, stop_on_failure),
            ToAgent::Bye => std::process::exit(0),
            ToAgent::Blob(_) | ToAgent::Cancel { .. } => continue,
        };
        for (index, call) in calls.iter().enumerate() {
            let arg = |name: &str| {
                call.args
                    .get(name)
                    .and_then(|v| v.as_str())
                    .unwrap_or_default()
                    .to_owned()
            };
            let outcome = match call.module.as_str() {
                "echo" => Outcome::ok().with("msg", arg("msg").as_str()),
                "fail" => Outcome::failure("no"),
                "whoami" => Outcome::ok().with("msg", nix::unistd::getuid().to_string().as_str()),
                "umask" => {
                    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
                    Outcome::ok().with("msg", format!("{:03o}", mask.bits()).as_str())
                }
                "blob" => {
                    say(&FromAgent::NeedBlob {
                        id,
                        sha256: arg("sha256"),
                    });
                    let mut all = Vec::new();
                    loop {
                        if let ToAgent::Blob(blob) = next() {
                            all.extend(blob.bytes);
                            if blob.last {
                                break;
                            }
                        }
                    }
                    if sha256(&all) == arg("sha256") {
                        Outcome::ok().with("msg", all.len().to_string().as_str())
                    } else {
                        Outcome::failure("content is not what was promised")
                    }
                }
                "fetch" => {
                    let bytes = vec![b'x'; 300_000];
                    for (piece, part) in bytes.chunks(100_000).enumerate() {
                        say(&FromAgent::Blob(Blob {
                            sha256: sha256(&bytes),
                            last: piece == 2,
                            bytes: part.to_vec(),
                        }));
                    }
                    Outcome::ok().with("msg", sha256(&bytes).as_str())
                }
                "wait" => loop {
                    if let ToAgent::Cancel { .. } = next() {
                        break Outcome::failure("cancelled");
                    }
                },
                "die" => {
                    eprintln!("out of memory, said the agent");
                    std::process::abort();
                }
                "garbage" => {
                    let _ = std::io::stdout().write_all(b"Segmentation fault, said a child\n");
                    std::thread::sleep(std::time::Duration::from_secs(5));
                    Outcome::ok()
                }
                other => Outcome::failure(format!("no module {other}")),
            };
            let failed = outcome.failed;
            say(&FromAgent::Result {
                id,
                index,
                outcome: Box::new(outcome),
                elapsed_ms: 0,
            });
            if failed && stop_on_failure {
                break;
            }
        }
        say(&FromAgent::Done { id });
    }
}
