//! The agent's executables, one per architecture.

use super::TransportError;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
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
    plain: OnceLock<Result<Arc<[u8]>, String>>,
    packed: OnceLock<Result<Arc<[u8]>, String>>,
}

/// Bytes that are compressed on their own, so that all cores can help; together they are one gzip file.
const MEMBER: usize = 2 << 20;
/// Bytes read at once where the whole is not needed.
const PIECE: usize = 128 << 10;

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
                plain: OnceLock::new(),
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

    /// The bytes to send to a machine of this kind; all machines share them.
    pub(crate) async fn content(
        &self,
        machine: &str,
        gzip: bool,
    ) -> Result<Arc<[u8]>, TransportError> {
        let Some(binary) = self.find(machine).cloned() else {
            return Err(self.missing(machine));
        };
        blocking(move || {
            if gzip {
                binary.packed()
            } else {
                binary.plain()
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
    fn unreadable(&self, error: &std::io::Error) -> String {
        format!("read {}: {error}", self.path.display())
    }

    fn read(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.path).map_err(|e| self.unreadable(&e))
    }

    /// Hash and size. Every run needs them, so the file is not kept in memory for them.
    fn facts(&self) -> Result<(String, u64), String> {
        self.facts
            .get_or_init(|| {
                let mut file = File::open(&self.path).map_err(|e| self.unreadable(&e))?;
                let (mut hash, mut size) = (Sha256::new(), 0);
                let mut piece = vec![0; PIECE];
                loop {
                    let count = match file.read(&mut piece) {
                        Ok(count) => count,
                        Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                        Err(e) => return Err(self.unreadable(&e)),
                    };
                    if count == 0 {
                        break;
                    }
                    hash.update(piece.get(..count).unwrap_or_default());
                    size += count as u64;
                }
                let digest = hash.finalize();
                let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok((hex, size))
            })
            .clone()
    }

    fn plain(&self) -> Result<Arc<[u8]>, String> {
        self.plain
            .get_or_init(|| self.read().map(Arc::from))
            .clone()
    }

    fn packed(&self) -> Result<Arc<[u8]>, String> {
        self.packed
            .get_or_init(|| pack(&self.read()?).map(Arc::from))
            .clone()
    }
}

/// The bytes as a gzip file of several members, made by all cores.
fn pack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let members: Vec<&[u8]> = bytes.chunks(MEMBER).collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let share = members.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = members
            .chunks(share)
            .map(|members| {
                scope.spawn(move || {
                    members
                        .iter()
                        .try_fold(Vec::new(), |out, member| {
                            let mut encoder = GzEncoder::new(out, Compression::default());
                            encoder.write_all(member)?;
                            encoder.finish()
                        })
                        .map_err(|error| error.to_string())
                })
            })
            .collect();
        let mut packed = Vec::new();
        for worker in workers {
            let part = worker
                .join()
                .map_err(|_| "the agent could not be compressed".to_owned())??;
            packed.extend_from_slice(&part);
        }
        Ok(packed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_file_is_whole() {
        let bytes: Vec<u8> = (0..5 * MEMBER + 17)
            .map(|i| u8::try_from(i * 31 % 251).unwrap_or_default())
            .collect();
        let mut back = Vec::new();
        flate2::read::MultiGzDecoder::new(pack(&bytes).unwrap().as_slice())
            .read_to_end(&mut back)
            .unwrap();
        assert!(back == bytes);
        let ours = AgentBinaries::from_current_exe().unwrap();
        let exe = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let (sha256, size) = ours.binaries[0].facts().unwrap();
        assert_eq!(size, exe.len() as u64);
        let whole: String = Sha256::digest(&exe)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(sha256, whole);
    }
}
