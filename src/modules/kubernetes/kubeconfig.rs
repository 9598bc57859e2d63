//! `kubeconfig`: the file that leads kubectl and its like to a cluster.
//!
//! Source: Kubernetes' documentation, "kubeconfig (v1)". Entries of other names, and members that this module does not
//! know, stay as they are.

use super::config_file::document;
use crate::modules::files::attrs::{FileAttrs, Mode};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Secret, Value, str_of};
use crate::yaml::{EmitOptions, FlowStyle, emit};
use crate::{choices, module_args};
use base64::Engine;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another task that writes in the same directory is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(60);
/// Members that are never shown.
const SECRETS: &[&str] = &["client-key-data", "token", "password"];

choices! {
    /// What there is to be.
    pub enum State {
        /// The context with its cluster and user.
        Present = "present",
        /// None of the three; a file with nothing in it goes too.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `kubeconfig`.
    pub struct Args {
        /// The file.
        path: PathBuf => required, aliases ["dest"];
        /// What there is to be.
        state: State => default("present");
        /// The cluster's name in the file.
        cluster: String => default("kubernetes");
        /// The API server's URL.
        server: Option<String> => optional;
        /// A file with the authority of the server's certificate.
        ca_cert_path: Option<PathBuf> => optional, aliases ["certificate_authority"];
        /// That authority itself, in PEM.
        ca_cert: Option<String> => optional;
        /// The user's name in the file.
        user: String => default("admin");
        /// A file with the user's certificate.
        client_cert_path: Option<PathBuf> => optional, aliases ["client_certificate"];
        /// A file with its key.
        client_key_path: Option<PathBuf> => optional, aliases ["client_key_file"];
        /// That certificate itself, in PEM.
        client_cert: Option<String> => optional;
        /// That key itself, in PEM.
        client_key: Option<Secret<String>> => optional, secret;
        /// A bearer token instead of a certificate.
        token: Option<Secret<String>> => optional, secret;
        /// A file on the machine that holds a token, read at each use.
        token_path: Option<PathBuf> => optional, aliases ["token_file"];
        /// The context's name; `user@cluster` unless given.
        context: Option<String> => optional;
        /// The namespace of the context.
        namespace: Option<String> => optional;
        /// Make it the current context.
        current: bool => default(true);
        /// Write the contents of certificates and keys into the file. Else their paths are written.
        embed: bool => default(true);
        /// The authority, certificate and key lie on the machine that runs the task; they always do. Accepted for clarity.
        remote_src: bool => default(true);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct Kubeconfig;

impl Module for Kubeconfig {
    const NAME: &'static str = "kubeconfig";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Write a cluster, a user and a context into a kubeconfig, beside those that are there.\nIt is \
        readable for its owner only, unless said otherwise.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["ca_cert_path", "ca_cert"]),
        ArgRule::Exclusive(&["client_cert_path", "client_cert"]),
        ArgRule::Exclusive(&["client_key_path", "client_key"]),
        ArgRule::Exclusive(&["token", "token_path"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut attrs = args.attrs.clone();
        if attrs.mode.is_none() {
            attrs.mode = Mode::parse("0600").ok();
        }
        let context = args
            .context
            .clone()
            .unwrap_or_else(|| format!("{}@{}", args.user, args.cluster));
        let mut plan = Plan::new();
        plan.returns("path", Value::data(path.to_string_lossy().as_ref()));
        plan.returns("context", Value::data(context.as_str()));
        let before = document(sys, &path)?;
        if args.state == State::Absent {
            absent(args, sys, &path, &context, before, &attrs, &mut plan)?;
            return Ok(plan);
        }
        let parent = path
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        if sys.stat(parent, true)?.is_none() {
            return Err(Failure::new(format!(
                "the directory {} does not exist; make it first (file: state=directory)",
                parent.display()
            )));
        }
        let entries = match Entries::of(args, sys) {
            Ok(entries) => entries,
            Err(NotYet::Wrong(failure)) => return Err(failure),
            Err(NotYet::Missing(what)) => {
                // a task before this one may make it, which in check mode did not
                let title = path.to_string_lossy().into_owned();
                let old = before.as_ref().map(|before| shown(before, None));
                let diff = Diff::new(title, old, Some("[a new kubeconfig]\n"));
                plan.act("write a kubeconfig", Some(diff), move |_, _| {
                    Err(Failure::new(what))
                });
                return Ok(plan);
            }
        };
        let after = entries.merged(before.clone().unwrap_or_default(), &context, args);
        if before.as_ref() == Some(&after) {
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        let options = attrs.write_options(sys, &path)?;
        let diff = Diff::new(
            path.to_string_lossy(),
            before.as_ref().map(|before| shown(before, None)),
            Some(shown(&after, before.as_ref())),
        );
        plan.act(
            format!("write {}", path.display()),
            Some(diff),
            move |sys, data| {
                locked(sys, &path, |sys| {
                    // others may have written their entries meanwhile
                    let found = document(sys, &path)?;
                    let merged = entries.merged(found.clone().unwrap_or_default(), &context, args);
                    if found.as_ref() == Some(&merged) {
                        return Ok(());
                    }
                    if args.backup && found.is_some() {
                        let backup = sys.backup(&path)?;
                        data.set(
                            "backup_file",
                            Value::data(backup.to_string_lossy().as_ref()),
                        );
                    }
                    Ok(sys.write(&path, text(&merged).as_bytes(), &options)?)
                })
            },
        );
        Ok(plan)
    }
}

fn locked<T>(
    sys: &mut Sys,
    path: &Path,
    work: impl FnOnce(&mut Sys) -> ModuleResult<T>,
) -> ModuleResult<T> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let lock = sys.lock_dir(dir.unwrap_or(Path::new(".")), LOCK_WAIT)?;
    let result = work(sys);
    drop(lock);
    result
}

enum NotYet {
    Wrong(Failure),
    Missing(String),
}

impl<E: Into<Failure>> From<E> for NotYet {
    fn from(error: E) -> Self {
        Self::Wrong(error.into())
    }
}

/// What is to be in the file. `None` for members of the cluster that stay as they are.
struct Entries {
    cluster: Map,
    user: Map,
    context: Map,
}

impl Entries {
    fn of(args: &Args, sys: &Sys) -> Result<Self, NotYet> {
        let server = args.server.as_deref().unwrap_or_default();
        if !server.starts_with("https://") {
            return Err(Failure::new(format!(
                "`server` should be the API server's URL, beginning with https://, not `{server}`"
            ))
            .into());
        }
        let mut cluster = Map::new().with("server", Value::data(server));
        let mut user = Map::new();
        put(
            sys,
            args,
            &mut cluster,
            "certificate-authority",
            args.ca_cert_path.as_ref(),
            args.ca_cert.as_deref(),
        )?;
        put(
            sys,
            args,
            &mut user,
            "client-certificate",
            args.client_cert_path.as_ref(),
            args.client_cert.as_deref(),
        )?;
        let key = args.client_key.as_ref().map(|key| key.reveal().as_str());
        put(
            sys,
            args,
            &mut user,
            "client-key",
            args.client_key_path.as_ref(),
            key,
        )?;
        let has = |what: &str| {
            user.contains_key(what) || user.contains_key(format!("{what}-data").as_str())
        };
        if has("client-certificate") != has("client-key") {
            return Err(Failure::new("a client's certificate and its key belong together").into());
        }
        if let Some(token) = &args.token {
            user.set("token", Value::data(token.reveal().as_str()));
        }
        if let Some(path) = &args.token_path {
            user.set(
                "tokenFile",
                Value::data(sys.expand(path).to_string_lossy().as_ref()),
            );
        }
        let mut context = Map::new()
            .with("cluster", Value::data(args.cluster.as_str()))
            .with("user", Value::data(args.user.as_str()));
        if let Some(namespace) = &args.namespace {
            context.set("namespace", Value::data(namespace.as_str()));
        }
        Ok(Self {
            cluster,
            user,
            context,
        })
    }

    /// The file with these entries.
    fn merged(&self, mut file: Map, context: &str, args: &Args) -> Map {
        for (name, value) in [("apiVersion", "v1"), ("kind", "Config")] {
            if file.get(name).is_none_or(Value::is_null) {
                file.set(name, Value::data(value));
            }
        }
        // members of which only one may be there
        let of_cluster = [
            "server",
            "certificate-authority",
            "certificate-authority-data",
            "insecure-skip-tls-verify",
        ];
        let of_user = [
            "client-certificate",
            "client-certificate-data",
            "client-key",
            "client-key-data",
            "token",
            "tokenFile",
            "username",
            "password",
        ];
        let of_context = ["cluster", "user", "namespace"];
        for (list, member, name, own, entry) in [
            (
                "clusters",
                "cluster",
                args.cluster.as_str(),
                &of_cluster[..],
                &self.cluster,
            ),
            (
                "users",
                "user",
                args.user.as_str(),
                &of_user[..],
                &self.user,
            ),
            (
                "contexts",
                "context",
                context,
                &of_context[..],
                &self.context,
            ),
        ] {
            let mut items = file
                .get(list)
                .and_then(Value::as_list)
                .unwrap_or_default()
                .to_vec();
            let place = items.iter().position(|item| is_named(item, name));
            let old = place
                .and_then(|at| items.get(at))
                .and_then(|item| item.get(member))
                .and_then(Value::as_map);
            let item = Value::map(
                Map::new()
                    .with("name", Value::data(name))
                    .with(member, Value::map(renewed(old, own, entry))),
            );
            match place.and_then(|at| items.get_mut(at)) {
                Some(slot) => {
                    // an entry may have members beside its name that are not known here
                    let mut kept = slot.as_map().cloned().unwrap_or_default();
                    if let Value::Map(item) = item {
                        for (key, value) in item.iter() {
                            kept.insert(key.clone(), value.clone());
                        }
                    }
                    *slot = Value::map(kept);
                }
                None => items.push(item),
            }
            file.set(list, items);
        }
        if args.current || file.get("current-context").is_none_or(Value::is_null) {
            file.set("current-context", Value::data(context));
        }
        if file.get("preferences").is_none() {
            file.set("preferences", Map::new());
        }
        file
    }
}

/// The old members without those that this module writes, and the new ones; those that stay keep their places.
fn renewed(old: Option<&Map>, own: &[&str], new: &Map) -> Map {
    let mut result: Map = old
        .into_iter()
        .flat_map(|old| old.iter())
        .filter(|(key, _)| {
            let name = str_of(key);
            !own.contains(&name.as_str()) || new.get(name.as_str()).is_some()
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for (key, value) in new {
        result.insert(key.clone(), value.clone());
    }
    result
}

fn is_named(item: &Value, name: &str) -> bool {
    item.get("name").map(str_of).as_deref() == Some(name)
}

/// A file's content as `<name>-data`, or its path as `<name>`.
fn put(
    sys: &Sys,
    args: &Args,
    entry: &mut Map,
    name: &str,
    path: Option<&PathBuf>,
    content: Option<&str>,
) -> Result<(), NotYet> {
    let bytes = match (path, content) {
        (None, None) => return Ok(()),
        (Some(path), _) if !args.embed => {
            entry.set(
                name,
                Value::data(sys.expand(path).to_string_lossy().as_ref()),
            );
            return Ok(());
        }
        (_, Some(content)) => content.as_bytes().to_vec(),
        (Some(path), None) => {
            let path = sys.expand(path);
            let missing =
                || NotYet::Missing(format!("there is no file {} ({name})", path.display()));
            sys.read(&path)?.ok_or_else(missing)?
        }
    };
    if !bytes.windows(11).any(|part| part == b"-----BEGIN ") {
        return Err(Failure::new(format!("what is given as {name} is not in PEM")).into());
    }
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    entry.set(&format!("{name}-data"), Value::data(text));
    Ok(())
}

fn text(file: &Map) -> String {
    let options = EmitOptions {
        indent: 2,
        default_flow_style: FlowStyle::Block,
        sort_keys: false,
        width: -1,
        ..EmitOptions::default()
    };
    emit(&Value::map(file.clone()), &options)
}

/// The file as a diff shows it; where a secret is another one than before, it says so.
fn shown(file: &Map, before: Option<&Map>) -> String {
    let old = |name: &str, member: &str| {
        let items = before
            .and_then(|before| before.get("users"))
            .and_then(Value::as_list);
        let found = items
            .into_iter()
            .flatten()
            .find(|item| is_named(item, name));
        found
            .and_then(|item| item.get("user")?.get(member))
            .cloned()
    };
    let mut file = file.clone();
    let users = file
        .get("users")
        .and_then(Value::as_list)
        .unwrap_or_default()
        .to_vec();
    let users: Vec<Value> = users
        .into_iter()
        .map(|item| {
            let name = item.get("name").map(str_of).unwrap_or_default();
            let mut item = item.as_map().cloned().unwrap_or_default();
            let mut user = item
                .get("user")
                .and_then(Value::as_map)
                .cloned()
                .unwrap_or_default();
            for secret in SECRETS {
                let Some(value) = user.get(*secret) else {
                    continue;
                };
                let differs =
                    before.is_some() && old(&name, secret).as_ref().is_some_and(|old| old != value);
                user.set(
                    secret,
                    Value::data(if differs {
                        "[hidden, another one]"
                    } else {
                        "[hidden]"
                    }),
                );
            }
            item.set("user", user);
            Value::map(item)
        })
        .collect();
    if file.get("users").is_some() {
        file.set("users", users);
    }
    text(&file)
}

fn absent<'a>(
    args: &'a Args,
    sys: &Sys,
    path: &Path,
    context: &str,
    before: Option<Map>,
    attrs: &FileAttrs,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let Some(before) = before else {
        return Ok(());
    };
    let after = reduced(&before, context, args);
    if after.as_ref() == Some(&before) {
        return Ok(());
    }
    let diff = Diff::new(
        path.to_string_lossy(),
        Some(shown(&before, None)),
        after.as_ref().map(|after| shown(after, None)),
    );
    let options = attrs.write_options(sys, path)?;
    let (path, context) = (path.to_owned(), context.to_owned());
    plan.act(
        format!("take {context} out of {}", path.display()),
        Some(diff),
        move |sys, data| {
            locked(sys, &path, |sys| {
                let Some(found) = document(sys, &path)? else {
                    return Ok(());
                };
                if args.backup {
                    let backup = sys.backup(&path)?;
                    data.set(
                        "backup_file",
                        Value::data(backup.to_string_lossy().as_ref()),
                    );
                }
                match reduced(&found, &context, args) {
                    Some(rest) => sys.write(&path, text(&rest).as_bytes(), &options)?,
                    None => sys.remove_file(&path)?,
                }
                Ok(())
            })
        },
    );
    Ok(())
}

/// The file without the context; and without its cluster and user, unless another context needs them. `None` if nothing is
/// left.
fn reduced(file: &Map, context: &str, args: &Args) -> Option<Map> {
    let items = |list: &str| {
        file.get(list)
            .and_then(Value::as_list)
            .unwrap_or_default()
            .to_vec()
    };
    let contexts: Vec<Value> = items("contexts")
        .into_iter()
        .filter(|item| !is_named(item, context))
        .collect();
    let needed = |member: &str, name: &str| {
        contexts.iter().any(|item| {
            let of = item.get("context").and_then(|context| context.get(member));
            of.map(str_of).as_deref() == Some(name)
        })
    };
    let rest = |list: &str, member: &str, name: &str| -> Vec<Value> {
        let keeps = needed(member, name);
        items(list)
            .into_iter()
            .filter(|item| keeps || !is_named(item, name))
            .collect()
    };
    let clusters = rest("clusters", "cluster", &args.cluster);
    let users = rest("users", "user", &args.user);
    if contexts.is_empty() && clusters.is_empty() && users.is_empty() {
        return None;
    }
    let mut result = file.clone();
    for (list, left) in [
        ("clusters", clusters),
        ("users", users),
        ("contexts", contexts),
    ] {
        if file.get(list).is_some() {
            result.set(list, left);
        }
    }
    if file.get("current-context").map(str_of).as_deref() == Some(context) {
        result.set("current-context", Value::data(""));
    }
    Some(result)
}
