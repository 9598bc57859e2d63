//! The agent's executables, one per architecture.

use super::TransportError;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The executables that can be put on machines. Cheap to clone; each is read, hashed and compressed
/// once in a run.
#[derive(Clone, Debug)]
pub struct AgentBinaries {
    binaries: Arc<Vec<Arc<Binary>>>,
    expected: Arc<PathBuf>,
}

#[derive(Debug)]
struct Binary {
    machine: String,
    path: PathBuf,
    facts: OnceLock<Result<(String, u64), String>>,
    packed: OnceLock<Result<Vec<u8>, String>>,
}

/// What `uname -m` says for machines that run the executables of an architecture.
fn aliases(machine: &str) -> &'static [&'static str] {
    match machine {
        "x86_64" => &["x86_64", "amd64"],
        "aarch64" => &["aarch64", "arm64"],
        "i686" | "x86" => &["i686", "i586", "i486", "i386", "x86"],
        "armv7" | "arm" => &["armv7l", "armv8l", "armv7"],
        "riscv64" => &["riscv64"],
        "ppc64le" | "powerpc64" => &["ppc64le"],
        "s390x" => &["s390x"],
        _ => &[],
    }
}

const MACHINES: [&str; 7] = [
    "x86_64", "aarch64", "i686", "armv7", "riscv64", "ppc64le", "s390x",
];

impl AgentBinaries {
    /// The running executable for this architecture, and every `runbook-agent-<arch>` beside it for
    /// the others.
    ///
    /// # Errors
    /// When the system does not say what the running executable is.
    pub fn from_current_exe() -> Result<Self, TransportError> {
        let exe = std::env::current_exe()
            .map_err(|e| TransportError::upload(format!("find this program's own file: {e}")))?;
        let directory = exe.parent().unwrap_or(Path::new("/")).to_owned();
        let mut all = vec![(std::env::consts::ARCH.to_owned(), exe)];
        for machine in MACHINES {
            let path = directory.join(format!("runbook-agent-{machine}"));
            if machine != std::env::consts::ARCH && path.is_file() {
                all.push((machine.to_owned(), path));
            }
        }
        Ok(Self::new(all, directory.join("runbook-agent-<arch>")))
    }

    /// Executables by architecture; `expected` is named to the user when one is missing.
    pub fn new(all: Vec<(String, PathBuf)>, expected: impl Into<PathBuf>) -> Self {
        let binary = |(machine, path)| {
            Arc::new(Binary {
                machine,
                path,
                facts: OnceLock::new(),
                packed: OnceLock::new(),
            })
        };
        Self {
            binaries: Arc::new(all.into_iter().map(binary).collect()),
            expected: Arc::new(expected.into()),
        }
    }

    /// The executable for this machine itself.
    pub(crate) fn native(&self) -> Option<&Path> {
        self.find(std::env::consts::ARCH).map(|b| b.path.as_path())
    }

    /// The table that the bootstrap script chooses from: `MACHINE=SHA256:SIZE …`.
    pub(crate) async fn table(&self) -> Result<String, TransportError> {
        let this = self.clone();
        blocking(move || {
            let mut words = Vec::new();
            for binary in this.binaries.iter() {
                let (sha256, size) = binary.facts()?;
                let names = aliases(&binary.machine);
                if names.is_empty() {
                    words.push(format!("{}={sha256}:{size}", binary.machine));
                }
                words.extend(names.iter().map(|name| format!("{name}={sha256}:{size}")));
            }
            Ok(words.join(" "))
        })
        .await
    }

    /// The bytes to send to a machine of this kind.
    pub(crate) async fn content(
        &self,
        machine: &str,
        gzip: bool,
    ) -> Result<Vec<u8>, TransportError> {
        let Some(binary) = self.find(machine).cloned() else {
            return Err(self.missing(machine));
        };
        blocking(move || {
            if gzip {
                binary.packed().cloned()
            } else {
                binary.read()
            }
        })
        .await
    }

    /// The error for a machine without an agent.
    pub(crate) fn missing(&self, machine: &str) -> TransportError {
        let expected = self.expected.display().to_string();
        TransportError::WrongArch {
            machine: machine.to_owned(),
            expected: expected.replace("<arch>", machine),
        }
    }

    fn find(&self, machine: &str) -> Option<&Arc<Binary>> {
        self.binaries
            .iter()
            .find(|b| b.machine == machine || aliases(&b.machine).contains(&machine))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, TransportError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| TransportError::upload(error.to_string()))?
        .map_err(TransportError::upload)
}

impl Binary {
    fn read(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.path).map_err(|e| format!("read {}: {e}", self.path.display()))
    }

    fn facts(&self) -> Result<(String, u64), String> {
        self.facts
            .get_or_init(|| {
                let bytes = self.read()?;
                let digest = Sha256::digest(&bytes);
                let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok((hex, bytes.len() as u64))
            })
            .clone()
    }

    fn packed(&self) -> Result<&Vec<u8>, String> {
        self.packed
            .get_or_init(|| {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder
                    .write_all(&self.read()?)
                    .and_then(|()| encoder.finish())
                    .map_err(|error| error.to_string())
            })
            .as_ref()
            .map_err(Clone::clone)
    }
}
