//! Who keeps images: containerd or docker.

use super::archive::{Packed, full_name, open};
use crate::choices;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Command, Output, Sys};
use serde_json::Value as Json;
use std::path::Path;

choices! {
    /// Who keeps the images.
    pub enum Runtime {
        /// containerd if its `ctr` is there, else docker.
        Auto = "auto",
        /// containerd, by its command `ctr`.
        Containerd = "containerd",
        /// Docker, by its command `docker`.
        Docker = "docker",
    }
}

/// One of them, as it is spoken with.
#[derive(Clone, Debug)]
pub(super) struct Store {
    docker: bool,
    namespace: String,
    address: Option<String>,
}

/// An image that is there: the digests that it can be known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) target: String,
    configs: Vec<String>,
}

impl Present {
    /// Whether it is that of the archive.
    pub(super) fn is(&self, packed: &Packed) -> bool {
        packed.target.as_ref() == Some(&self.target)
            || packed
                .config
                .as_ref()
                .is_some_and(|config| self.configs.contains(config))
    }
}

impl Store {
    pub(super) fn find(
        sys: &Sys,
        runtime: Runtime,
        namespace: &str,
        address: Option<&Path>,
    ) -> ModuleResult<Self> {
        let has = |program: &str| sys.which(program).is_some();
        let docker = match runtime {
            Runtime::Containerd => false,
            Runtime::Docker => true,
            Runtime::Auto => !has("ctr") && has("docker"),
        };
        let program = if docker { "docker" } else { "ctr" };
        if !has(program) {
            return Err(Failure::new(format!(
                "`{program}` is not installed, which images are imported with"
            )));
        }
        let address = address.map(|path| path.to_string_lossy().into_owned());
        Ok(Self {
            docker,
            namespace: namespace.to_owned(),
            address,
        })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut argv: Vec<String> = Vec::new();
        if self.docker {
            argv.push("docker".to_owned());
            if let Some(address) = &self.address {
                argv.extend(["--host".to_owned(), format!("unix://{address}")]);
            }
        } else {
            argv.push("ctr".to_owned());
            if let Some(address) = &self.address {
                argv.extend(["--address".to_owned(), address.clone()]);
            }
            argv.extend(["--namespace".to_owned(), self.namespace.clone()]);
        }
        argv.extend(words.iter().map(|word| (*word).to_owned()));
        Command::new(argv).c_locale()
    }

    /// The image of that name, if it is there.
    ///
    /// # Errors
    /// When the runtime cannot be asked.
    pub(super) fn image(&self, sys: &Sys, name: &str) -> ModuleResult<Option<Present>> {
        if self.docker {
            let command = self.command(&["image", "inspect", "--format", "{{.Id}}", name]);
            let output = sys.query(&command)?;
            if output.ok() {
                let id = output.text().trim().to_owned();
                return Ok(Some(Present {
                    target: id.clone(),
                    configs: vec![id],
                }));
            }
            let complaint = output.complaint();
            return if complaint.contains("No such image") || complaint.contains("no such image") {
                Ok(None)
            } else {
                Err(failed(&command, &output))
            };
        }
        let filter = format!("name=={name}");
        let command = self.command(&["images", "list", &filter]);
        let output = sys.query(&command)?;
        if !output.ok() {
            return Err(failed(&command, &output));
        }
        let text = output.text();
        let words = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let digest = words
            .filter(|words| words.first() == Some(&name))
            .find_map(|words| words.get(2).map(|d| (*d).to_owned()));
        let Some(target) = digest else {
            return Ok(None);
        };
        let mut configs = Vec::new();
        self.configs(sys, &target, &mut configs, 2)?;
        Ok(Some(Present { target, configs }))
    }

    /// The configurations of a manifest, or of those of an index.
    fn configs(
        &self,
        sys: &Sys,
        digest: &str,
        found: &mut Vec<String>,
        depth: u8,
    ) -> ModuleResult<()> {
        let output = sys.query(&self.command(&["content", "get", digest]))?;
        if !output.ok() {
            return Ok(()); // a part for another platform, which was not imported
        }
        let json: Json = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if let Some(config) = json.pointer("/config/digest").and_then(Json::as_str) {
            found.push(config.to_owned());
        }
        for entry in json
            .get("manifests")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(digest) = entry.get("digest").and_then(Json::as_str)
                && depth > 0
            {
                self.configs(sys, digest, found, depth - 1)?;
            }
        }
        Ok(())
    }

    /// Imports all images of an archive.
    ///
    /// # Errors
    /// When the runtime fails.
    pub(super) fn import(&self, sys: &mut Sys, path: &Path) -> ModuleResult<()> {
        if self.docker {
            return self.run(
                sys,
                &["load", "--quiet", "--input", &path.to_string_lossy()],
            );
        }
        let (mut reader, is_compressed) = open(sys, path)?;
        if !is_compressed {
            return self.run(sys, &["images", "import", &path.to_string_lossy()]);
        }
        // ctr takes no compressed archives
        let unpacked = sys
            .scratch_file("images", &mut reader)
            .map_err(|e| Failure::new(format!("{} cannot be unpacked: {e}", path.display())))?;
        self.run(
            sys,
            &["images", "import", &unpacked.path().to_string_lossy()],
        )
    }

    /// Takes a name away, and with the last one the image.
    ///
    /// # Errors
    /// When the runtime fails.
    pub(super) fn remove(&self, sys: &mut Sys, name: &str) -> ModuleResult<()> {
        let words: &[&str] = if self.docker {
            &["image", "rm", name]
        } else {
            &["images", "remove", name]
        };
        self.run(sys, words)
    }

    fn run(&self, sys: &mut Sys, words: &[&str]) -> ModuleResult<()> {
        let command = self.command(words);
        let output = sys.run(&command)?;
        if output.ok() {
            Ok(())
        } else {
            Err(failed(&command, &output))
        }
    }

    /// A name as this runtime's commands take it.
    pub(super) fn name(&self, name: &str) -> String {
        full_name(name)
    }
}

fn failed(command: &Command, output: &Output) -> Failure {
    Failure::new(format!(
        "`{}` failed: {}",
        command.words().join(" "),
        output.complaint()
    ))
    .with("rc", i64::from(output.rc))
    .with(
        "stderr",
        crate::value::Value::data(String::from_utf8_lossy(&output.stderr).into_owned()),
    )
}
