//! A file that is fetched over HTTP into a private place.

use crate::modules::{Failure, ModuleResult};
use crate::sys::{HttpRequest, HttpResponse, ScratchFile, Sys};
use crate::value::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What came, and what was said about it.
pub(in crate::modules) struct Download {
    /// The content; `None` where the server said that what is there is new enough.
    pub(super) file: Option<ScratchFile>,
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) elapsed: i64,
    /// The name that the server gives it, or that the URL ends with.
    pub(super) name: Option<String>,
}

impl Download {
    /// Fetches.
    ///
    /// # Errors
    /// With `status_code` and `response`, when there is no answer or it is not the content.
    pub(in crate::modules) fn fetch(sys: &Sys, request: &HttpRequest) -> ModuleResult<Self> {
        let begun = Instant::now();
        let elapsed = || i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX);
        let url = Value::data(request.url.as_str());
        if let Some(path) = request.url.strip_prefix("file://") {
            return Self::local(sys, path, url);
        }
        if request.url.starts_with("ftp://") {
            return Err("FTP is not built; use http or https".into());
        }
        let mut response = sys.http(request).map_err(|error| {
            Failure::new(format!("Request failed: {error}"))
                .with("status_code", -1)
                .with("response", Value::data(format!("Request failed: {error}")))
                .with("url", url.clone())
                .with("elapsed", elapsed())
        })?;
        let message = response.message();
        if response.status != 304 && !(200..300).contains(&response.status) {
            return Err(
                Failure::new(format!("Request failed: {message} ({})", response.url))
                    .with("status_code", i64::from(response.status))
                    .with("response", Value::data(message))
                    .with("url", url)
                    .with("elapsed", elapsed()),
            );
        }
        let name = name_of(&response);
        let file = if response.status == 304 {
            None
        } else {
            let content = sys
                .scratch_file("download", &mut response.body)
                .map_err(|error| {
                    Failure::new(format!(
                        "the download of {} broke off: {error}",
                        response.url
                    ))
                    .with("url", url)
                })?;
            Some(content)
        };
        Ok(Self {
            file,
            status: response.status,
            message,
            elapsed: elapsed(),
            name,
        })
    }

    fn local(sys: &Sys, path: &str, url: Value) -> ModuleResult<Self> {
        let path = path.strip_prefix("localhost").unwrap_or(path);
        let failed =
            |what: String| Failure::new(format!("Request failed: {what}")).with("url", url);
        if sys.stat(Path::new(path), true)?.is_none() {
            return Err(failed(format!("there is no file {path}")));
        }
        let mut content = sys.open(Path::new(path))?;
        let size = content.metadata().map_or(0, |m| m.len());
        Ok(Self {
            file: Some(sys.scratch_file("download", &mut content)?),
            status: 200,
            message: format!("OK ({size} bytes)"),
            elapsed: 0,
            name: path
                .rsplit('/')
                .next()
                .filter(|n| !n.is_empty())
                .map(str::to_owned),
        })
    }

    /// Where the content lies, as the machine names it.
    pub(in crate::modules) fn path(&self, sys: &Sys) -> Option<PathBuf> {
        self.file.as_ref().map(|file| sys.path_within(file.path()))
    }
}

/// The name in `Content-Disposition`, or the last part of the URL's path.
pub(super) fn name_of(response: &HttpResponse) -> Option<String> {
    let given = response.header("content-disposition").and_then(|header| {
        header.split(';').find_map(|part| {
            let name = part.trim().strip_prefix("filename=")?;
            let name = name.trim_matches('"').rsplit(['/', '\\']).next()?;
            Some(name.to_owned())
        })
    });
    given
        .or_else(|| url_name(&response.url))
        .filter(|name| !name.is_empty() && name != "." && name != "..")
}

/// The last part of a URL's path.
pub(super) fn url_name(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.split(['?', '#']).next()?;
    let (_, path) = path.split_once('/')?;
    path.rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
}
