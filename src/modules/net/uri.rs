//! `uri`: speak with a web service.
//!
//! Source: Ansible's documentation of `ansible.builtin.uri`. Unlike there, a `dest` that has the content already is no
//! change.

use super::body;
use super::download::name_of;
use super::web::Web;
use crate::modules::files::attrs::FileAttrs;
use crate::modules::files::place::{Placement, Source, place};
use crate::modules::{CheckSupport, Failure, Module, ModuleResult, Plan};
use crate::sys::{FileKind, Follow, HttpRequest, HttpResponse, Sys, join};
use crate::value::{ArgRule, Map, Value};
use crate::{choices, module_args};
use std::borrow::Cow;
use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

/// Answers that are kept in memory end here, in bytes.
const MAX_CONTENT: u64 = 64 << 20;

/// Members of a result that mean something to the run, and are never taken from an answer's headers.
const RESERVED: &[&str] = &[
    "ansible_facts",
    "add_host",
    "changed",
    "deprecations",
    "diff",
    "exception",
    "failed",
    "invocation",
    "results",
    "skipped",
    "unreachable",
    "warnings",
];

choices! {
    /// How the body is written.
    pub enum BodyFormat {
        /// As fields of a form.
        Form = "form-urlencoded",
        /// As JSON.
        Json = "json",
        /// As it is.
        Raw = "raw",
        /// As a form with files.
        Multipart = "form-multipart",
    }
}

choices! {
    /// Which redirects are followed.
    pub enum Redirects {
        /// All.
        All = "all" | "yes" | "True" | "true",
        /// None.
        None = "none" | "no" | "False" | "false",
        /// Those of GET and HEAD.
        Safe = "safe",
        /// As browsers do.
        Urllib2 = "urllib2",
    }
}

module_args! {
    /// Arguments of `uri`.
    pub struct Args {
        web: Web => flatten;
        /// The method, in capitals.
        method: String => default("GET");
        /// What is sent.
        body: Option<Value> => optional;
        /// How the body is written. `json` and the forms set the header Content-Type.
        body_format: BodyFormat => default("raw");
        /// A file to send instead of a body; on the machine with `remote_src`, else from the controller.
        src: Option<PathBuf> => optional;
        /// Whether `src` lies on the machine.
        remote_src: bool => default(false);
        /// Statuses that mean success.
        status_code: Vec<i64> => default(vec![200_i64]);
        /// Return the answer's content. JSON is always returned, as `json`.
        return_content: bool => default(false);
        /// Which redirects are followed.
        follow_redirects: Redirects => default("safe");
        /// Nothing is done if this is there.
        creates: Option<PathBuf> => optional;
        /// Nothing is done unless this is there.
        removes: Option<PathBuf> => optional;
        /// Where the answer's content is stored; in a directory under the name that the server gives.
        dest: Option<PathBuf> => optional;
        /// Do not let caches on the way answer.
        force: bool => default(false);
        /// Seconds to wait for the server.
        timeout: i64 => default(30_i64);
        /// A file of authorities to trust instead of the machine's.
        ca_path: Option<PathBuf> => optional;
        /// A socket to connect to instead of the URL's host. Not built.
        unix_socket: Option<PathBuf> => optional;
        attrs: FileAttrs => flatten;
        _sha256: Option<String> => optional;
    }
}

/// The content type of a form.
const FORM: &str = "application/x-www-form-urlencoded";

/// The module.
pub struct Uri;

impl Module for Uri {
    const NAME: &'static str = "uri";
    const DOC: &'static str = "Send a request to a web service and return its answer.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["body", "src"])];
    const CHECK: CheckSupport = CheckSupport::None;
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.unix_socket.is_some() {
            return Err("unix_socket is not built yet".into());
        }
        let mut plan = Plan::new();
        for (path, skip_if, what) in [
            (&args.creates, true, "exists"),
            (&args.removes, false, "does not exist"),
        ] {
            let Some(path) = path else { continue };
            if sys.stat(&sys.expand(path), true)?.is_some() == skip_if {
                let text = format!("skipped, since '{}' {what}", path.display());
                plan.returns("stdout", Value::data(text));
                return Ok(plan);
            }
        }
        let request = request(args, sys)?;
        plan.always(
            format!("{} {}", request.method, request.url),
            move |sys, returns| speak(args, sys, &request, returns),
        );
        Ok(plan)
    }
}

fn request(args: &Args, sys: &Sys) -> ModuleResult<HttpRequest> {
    let mut request = args.web.request(sys, args.timeout)?;
    request.method = args.method.to_uppercase();
    if request.method.is_empty() || !request.method.chars().all(|c| c.is_ascii_uppercase()) {
        return Err(
            "Parameter 'method' needs to be a single word in uppercase, like GET or POST.".into(),
        );
    }
    request.follow = match args.follow_redirects {
        Redirects::All => Follow::All,
        Redirects::None => Follow::None,
        Redirects::Safe => Follow::Safe,
        Redirects::Urllib2 => Follow::Browser,
    };
    request.ca_path = args.ca_path.as_ref().map(|path| sys.expand(path));
    if args.force {
        request
            .headers
            .push(("cache-control".to_owned(), "no-cache".to_owned()));
    }
    let is_typed = request
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let mut kind = None;
    if let Some(value) = &args.body {
        request.body = Some(match args.body_format {
            BodyFormat::Json => {
                kind = Some("application/json".to_owned());
                body::json(value)
            }
            BodyFormat::Form => {
                kind = Some(FORM.to_owned());
                body::form(value)?
            }
            BodyFormat::Multipart => {
                let (multipart, bytes) = body::multipart(sys, value)?;
                request
                    .headers
                    .retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
                request.headers.push(("Content-Type".to_owned(), multipart));
                bytes
            }
            BodyFormat::Raw => match value {
                Value::Str(text) => text.as_bytes().to_vec(),
                other => other.to_string().into_bytes(),
            },
        });
    }
    let path = match (&args._sha256, &args.src) {
        (Some(sha256), _) => {
            let mut bytes = Vec::new();
            sys.open_blob(sha256)?
                .read_to_end(&mut bytes)
                .map_err(|e| Failure::new(format!("the file to send cannot be read: {e}")))?;
            request.body = Some(bytes);
            None
        }
        (None, src) => src.as_ref().map(|path| sys.expand(path)),
    };
    if let Some(path) = path {
        let content = sys.read(&path)?;
        let missing = || {
            Failure::new(format!("Unable to open source file {}", path.display()))
                .with("elapsed", 0)
        };
        request.body = Some(content.ok_or_else(missing)?);
    }
    if request.body.is_some() && !is_typed {
        // what Python's HTTP client calls a body that nobody gave a type
        let kind = kind.unwrap_or_else(|| FORM.to_owned());
        if !request
            .headers
            .iter()
            .any(|(name, _)| name == "Content-Type")
        {
            request.headers.push(("Content-Type".to_owned(), kind));
        }
    }
    Ok(request)
}

fn speak(
    args: &Args,
    sys: &mut Sys,
    request: &HttpRequest,
    returns: &mut Map,
) -> ModuleResult<bool> {
    let begun = Instant::now();
    let elapsed = || i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX);
    returns.set("redirected", false);
    returns.set("url", Value::data(request.url.as_str()));
    let wanted: Vec<_> = args.status_code.iter().map(ToString::to_string).collect();
    let wanted = wanted.join(", ");
    let mut response = match sys.http(request) {
        Ok(response) => response,
        Err(error) => {
            returns.set("status", -1);
            returns.set("elapsed", elapsed());
            let text = format!("Status code was -1 and not [{wanted}]: Request failed: {error}");
            return if args.status_code.contains(&-1) {
                returns.set("msg", Value::data(format!("Request failed: {error}")));
                Ok(false)
            } else {
                Err(Failure::new(text))
            };
        }
    };
    let status = i64::from(response.status);
    let is_wanted = args.status_code.contains(&status);
    for (name, value) in &response.headers {
        let name = name.replace('-', "_");
        // a server does not say what became of the task
        if !RESERVED.contains(&name.as_str()) && !name.starts_with('_') {
            returns.set(&name, Value::data(value.as_str()));
        }
    }
    if let Some(to) = response.header("location") {
        returns.set("location", Value::data(join(&response.url, to)));
    }
    let cookies: Map = response
        .cookies
        .iter()
        .map(|(name, value)| (Value::data(name.as_str()), Value::data(value.as_str())))
        .collect();
    let text: Vec<_> = response
        .cookies
        .iter()
        .map(|(k, v)| format!("{k}={v}"))
        .collect();
    returns.set("cookies", cookies);
    returns.set("cookies_string", Value::data(text.join("; ")));
    returns.set("redirected", response.url != request.url);
    returns.set("url", Value::data(response.url.as_str()));
    returns.set("status", status);
    returns.set("msg", Value::data(response.message()));
    let kind = Kind::of(&response);
    let keep = args.return_content || kind.is_json || !is_wanted;
    let mut changed = false;
    let content = if let Some(dest) = args.dest.as_ref().filter(|_| is_wanted && status != 304) {
        let file = sys
            .scratch_file("answer", &mut response.body)
            .map_err(|e| Failure::new(format!("the answer broke off: {e}")))?;
        let path = sys.path_within(file.path());
        let mut dest = sys.expand(dest);
        if sys
            .stat(&dest, true)?
            .is_some_and(|meta| meta.kind == FileKind::Directory)
        {
            dest = dest.join(name_of(&response).unwrap_or_else(|| "index.html".to_owned()));
        }
        returns.set("path", Value::data(dest.to_string_lossy().as_ref()));
        let content = if keep { sys.read(&path)? } else { None };
        let mut plan = Plan::new();
        let placement = Placement {
            backup_key: "backup_file",
            dest,
            attrs: args.attrs.clone(),
            backup: false,
            validate: None,
            follow: true,
            checksums: false,
            parent_planned: false,
        };
        place(sys, &mut plan, Source::File(path), placement)?;
        changed = plan.apply_within(sys, returns)?;
        content
    } else if keep {
        let mut bytes = Vec::new();
        let read = response
            .body
            .by_ref()
            .take(MAX_CONTENT)
            .read_to_end(&mut bytes);
        read.map_err(|e| Failure::new(format!("the answer broke off: {e}")))?;
        Some(bytes)
    } else {
        None
    };
    returns.set("elapsed", elapsed());
    if let Some(content) = content {
        let text = kind.text(&content);
        if kind.is_json
            && let Ok(json) = serde_json::from_str(&text)
        {
            returns.set("json", Value::from_json(&json).into_data());
        }
        if args.return_content || !is_wanted {
            returns.set("content", Value::data(text.as_ref()));
        }
    }
    if !is_wanted {
        let message = response.message();
        return Err(Failure::new(format!(
            "Status code was {status} and not [{wanted}]: {message}"
        )));
    }
    Ok(changed)
}

/// What the answer says of its content.
struct Kind {
    is_json: bool,
    latin1: bool,
}

impl Kind {
    fn of(response: &HttpResponse) -> Self {
        let header = response
            .header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let kind = header
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let (_, sub) = kind.split_once('/').unwrap_or_default();
        let sub = sub.rsplit('+').next().unwrap_or_default();
        Self {
            is_json: ["json", "javascript"].contains(&sub),
            latin1: header.contains("charset=iso-8859-1") || header.contains("charset=latin"),
        }
    }

    fn text<'a>(&self, content: &'a [u8]) -> Cow<'a, str> {
        if self.latin1 {
            return Cow::Owned(content.iter().map(|byte| char::from(*byte)).collect());
        }
        String::from_utf8_lossy(content)
    }
}
