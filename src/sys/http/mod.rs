//! HTTP, with the machine's own certificates, proxies and names. Nothing of it needs a library of the machine.

mod client;
mod credentials;
mod proxy;
mod tls;
mod url;

pub use client::{Follow, HttpRequest, HttpResponse};
pub use url::{host_of, join};

impl super::Sys {
    /// The machine's name of a path on the real file system (they differ only under another root).
    pub fn path_within(&self, real: &std::path::Path) -> std::path::PathBuf {
        let within = self
            .root
            .as_ref()
            .and_then(|root| real.strip_prefix(root).ok());
        within.map_or_else(
            || real.to_owned(),
            |rest| std::path::Path::new("/").join(rest),
        )
    }
}
