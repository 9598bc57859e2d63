//! Archives of images: what is in them.
//!
//! Sources: the OCI image layout's `index.json`; `manifest.json` as `docker save` writes it.

use crate::modules::{Failure, ModuleResult};
use crate::sys::{Sys, hex};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Descriptions are smaller than this, in bytes.
const MAX_TEXT: u64 = 4 << 20;

/// An image of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// Its name in full, with its registry and tag.
    pub(super) name: String,
    /// The digest of its configuration, which is what it consists of, as `sha256:…`.
    pub(super) config: Option<String>,
    /// The digest of its manifest or index, if the archive says it.
    pub(super) target: Option<String>,
}

/// An archive as it is read: unpacked, and whether it was compressed.
///
/// # Errors
/// When it cannot be read, or is compressed in a way that is not built.
pub(super) fn open(sys: &Sys, path: &Path) -> ModuleResult<(Box<dyn Read>, bool)> {
    let failed =
        |e: std::io::Error| Failure::new(format!("{} cannot be read: {e}", path.display()));
    let mut file = sys.open(path)?;
    let mut magic = [0; 4];
    let length = file.read(&mut magic).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    match magic.get(..length).unwrap_or_default() {
        [0x1f, 0x8b, ..] => Ok((Box::new(flate2::read::MultiGzDecoder::new(file)), true)),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Err("an archive compressed with zstd is not built yet; use gzip or none".into())
        }
        _ => Ok((Box::new(file), false)),
    }
}

/// The images of an archive, compressed with gzip or not.
///
/// # Errors
/// When it cannot be read, or is no archive of images.
pub(super) fn read(sys: &Sys, path: &Path) -> ModuleResult<Vec<Packed>> {
    let failed =
        |e: std::io::Error| Failure::new(format!("{} cannot be read: {e}", path.display()));
    let (reader, _) = open(sys, path)?;
    // small files in full: the descriptions, and configurations by their names
    let mut texts: HashMap<String, Vec<u8>> = HashMap::new();
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let name = entry
            .path()
            .map_err(failed)?
            .to_string_lossy()
            .trim_start_matches("./")
            .to_owned();
        if entry.size() <= MAX_TEXT
            && entry.header().entry_type().is_file()
            && !name.ends_with("layer.tar")
        {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(failed)?;
            if bytes.first().is_some_and(|byte| b"{[ \n".contains(byte)) {
                texts.insert(name, bytes);
            }
        }
    }
    let images = listed(&texts);
    if images.is_empty() {
        return Err(Failure::new(format!(
            "{} holds no image that has a name: it has neither manifest.json with RepoTags nor index.json with names",
            path.display()
        )));
    }
    Ok(images)
}

fn listed(texts: &HashMap<String, Vec<u8>>) -> Vec<Packed> {
    let json = |name: &str| {
        texts
            .get(name)
            .and_then(|bytes| serde_json::from_slice::<Json>(bytes).ok())
    };
    let mut found: Vec<Packed> = Vec::new();
    let index = json("index.json").unwrap_or_default();
    for entry in index
        .get("manifests")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        let note = |name: &str| {
            entry
                .get("annotations")
                .and_then(|all| all.get(name))
                .and_then(Json::as_str)
        };
        // a bare tag is no name: importers take it for one only together with a base
        let name = note("io.containerd.image.name").or_else(|| {
            note("org.opencontainers.image.ref.name").filter(|name| name.contains([':', '/']))
        });
        let target = entry
            .get("digest")
            .and_then(Json::as_str)
            .map(str::to_owned);
        if let (Some(name), Some(target)) = (name, target) {
            let manifest = target
                .strip_prefix("sha256:")
                .and_then(|hash| json(&format!("blobs/sha256/{hash}")));
            let config = manifest.and_then(|m| {
                m.pointer("/config/digest")
                    .and_then(Json::as_str)
                    .map(str::to_owned)
            });
            found.push(Packed {
                name: full_name(name),
                config,
                target: Some(target),
            });
        }
    }
    let manifests = json("manifest.json").unwrap_or_default();
    for entry in manifests.as_array().into_iter().flatten() {
        let path = entry
            .get("Config")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let config = texts
            .get(path)
            .map(|bytes| format!("sha256:{}", hex(&Sha256::digest(bytes))));
        for tag in entry
            .get("RepoTags")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
        {
            let name = full_name(tag);
            if !found.iter().any(|known| known.name == name) {
                found.push(Packed {
                    name,
                    config: config.clone(),
                    target: None,
                });
            }
        }
    }
    found
}

/// A name with the registry, the path and the tag that it has when they are left out.
pub(super) fn full_name(name: &str) -> String {
    let (first, rest) = name.split_once('/').unwrap_or(("", name));
    let is_host = first.contains(['.', ':']) || first == "localhost";
    let mut full = if is_host {
        name.to_owned()
    } else if first.is_empty() {
        format!("docker.io/library/{rest}")
    } else {
        format!("docker.io/{name}")
    };
    let last = full.rsplit('/').next().unwrap_or_default();
    if !last.contains([':', '@']) {
        full.push_str(":latest");
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_full() {
        for (name, full) in [
            ("pause", "docker.io/library/pause:latest"),
            ("pause:3.2", "docker.io/library/pause:3.2"),
            ("a/b", "docker.io/a/b:latest"),
            ("localhost/b:1", "localhost/b:1"),
            ("reg:5000/a/b", "reg:5000/a/b:latest"),
            (
                "registry.k8s.io/pause@sha256:00",
                "registry.k8s.io/pause@sha256:00",
            ),
        ] {
            assert_eq!(full_name(name), full);
        }
    }

    #[test]
    fn both_kinds_of_archives() {
        let texts = |all: &[(&str, &str)]| {
            all.iter()
                .map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec()))
                .collect()
        };
        let docker = listed(&texts(&[
            (
                "manifest.json",
                r#"[{"Config":"c.json","RepoTags":["a:1","b/c:2"],"Layers":[]}]"#,
            ),
            ("c.json", "{}"),
        ]));
        let config = Some(
            "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a".to_owned(),
        );
        assert_eq!(docker.len(), 2);
        assert_eq!(
            docker[0],
            Packed {
                name: "docker.io/library/a:1".into(),
                config,
                target: None
            }
        );
        let oci = listed(&texts(&[
            (
                "index.json",
                r#"{"manifests":[{"digest":"sha256:aa","annotations":{"org.opencontainers.image.ref.name":"reg.io/x:1"}}]}"#,
            ),
            ("blobs/sha256/aa", r#"{"config":{"digest":"sha256:bb"}}"#),
        ]));
        assert_eq!(
            oci,
            [Packed {
                name: "reg.io/x:1".into(),
                config: Some("sha256:bb".into()),
                target: Some("sha256:aa".into())
            }]
        );
        assert!(
            listed(&texts(&[
                ("index.json", "[]"),
                ("manifest.json", "nonsense")
            ]))
            .is_empty()
        );
    }
}
