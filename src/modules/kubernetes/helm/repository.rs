//! `helm_repository`: where charts come from.

use super::access::{HelmAccess, Program, document, failed, shown};
use crate::modules::streams::set_output;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Secret, Value, to_bool};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// What the repository is to be.
    pub enum State {
        /// Known.
        Present = "present",
        /// Not known.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `helm_repository`.
    pub struct Args {
        /// Its name.
        repo_name: String => required, aliases ["name"];
        /// Its URL.
        repo_url: Option<String> => optional, aliases ["url"];
        /// Who logs in.
        repo_username: Option<String> => optional, aliases ["username"];
        /// The password.
        repo_password: Option<Secret<String>> => optional, aliases ["password"], secret;
        /// What the repository is to be.
        repo_state: State => default("present"), aliases ["state"];
        /// Give user and password also to other hosts that the repository names.
        pass_credentials: bool => default(false);
        /// Replace a repository of that name which is another, or has another login; fetch its index anew.
        force_update: bool => default(false), aliases ["force"];
        /// Do not check the certificate of the repository.
        insecure_skip_tls_verify: bool => default(false), aliases ["skip_tls_certs_check"];
        access: HelmAccess => flatten;
    }
}

/// The module.
pub struct HelmRepository;

impl Module for HelmRepository {
    const NAME: &'static str = "helm_repository";
    const COLLECTION: &'static str = "kubernetes.core";
    const DOC: &'static str = "Add and remove repositories of helm's charts.\nWith `force_update` it is only changed if \
                               something of it is another; its index is fetched anew in any case.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Together(&["repo_username", "repo_password"]),
        ArgRule::If("repo_state", "present", &["repo_url"]),
        ArgRule::Exclusive(&["context", "ca_cert"]),
        ArgRule::Exclusive(&["context", "validate_certs"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let program = args.access.program(sys, None)?;
        let name = args.repo_name.as_str();
        let now = known(&program, sys, name)?;
        let mut plan = Plan::new();
        plan.returns("repo_name", Value::data(name));
        plan.returns("repo_url", args.repo_url.as_deref().map(Value::data));
        if args.repo_state == State::Absent {
            if let Some(url) = now {
                let diff = Diff::new(name, Some(format!("url: {url}\n")), None::<String>);
                plan.act(format!("remove {name}"), Some(diff), move |sys, data| {
                    apply(&program, sys, &["repo", "rm", name], None, data)
                });
            }
            return Ok(plan);
        }
        let url = args.repo_url.as_deref().unwrap_or_default();
        let same = match &now {
            None => false,
            Some(_) if args.force_update => is_same(args, url, sys)?,
            Some(known) if known == url => true,
            Some(known) => {
                return Err(Failure::new(format!(
                    "Repository already have a repository named {name}: it is {known}; `force_update: true` replaces it"
                )));
            }
        };
        if same && !args.force_update {
            return Ok(plan);
        }
        let mut words = vec!["repo", "add", name, url];
        let mut password = None;
        if let (Some(user), Some(secret)) = (&args.repo_username, &args.repo_password) {
            words.extend(["--username", user, "--password-stdin"]);
            password = Some(secret);
        }
        for (given, option) in [
            (args.pass_credentials, "--pass-credentials"),
            (args.force_update, "--force-update"),
            (args.insecure_skip_tls_verify, "--insecure-skip-tls-verify"),
        ] {
            if given {
                words.push(option);
            }
        }
        if same {
            plan.always(format!("fetch the index of {name}"), move |sys, data| {
                apply(&program, sys, &words, password, data).map(|()| false)
            });
        } else {
            let before = now.map(|url| format!("url: {url}\n"));
            let diff = Diff::new(name, before, Some(format!("url: {url}\n")));
            plan.act(format!("add {name}"), Some(diff), move |sys, data| {
                apply(&program, sys, &words, password, data)
            });
        }
        Ok(plan)
    }
}

fn apply(
    program: &Program,
    sys: &mut Sys,
    words: &[&str],
    password: Option<&Secret<String>>,
    data: &mut Map,
) -> ModuleResult<()> {
    let mut command = program.command(words);
    if let Some(password) = password {
        command.stdin = password.reveal().clone().into_bytes();
    }
    let output = sys.run(&command)?;
    if !output.ok() {
        return Err(failed(&command, &output));
    }
    set_output(data, &output, false);
    data.take("rc");
    data.set("command", Value::data(shown(&command)));
    Ok(())
}

/// The URL of the repository of that name.
fn known(program: &Program, sys: &Sys, name: &str) -> ModuleResult<Option<String>> {
    let command = program.command(["repo", "list", "--output=yaml"]);
    let output = sys.query(&command)?;
    if !output.ok() {
        let none = String::from_utf8_lossy(&output.stderr).contains("no repositories to show");
        return if none {
            Ok(None)
        } else {
            Err(failed(&command, &output))
        };
    }
    let listed = document("helm repo list", &output.text())?;
    Ok(entry(&listed, name).and_then(|entry| entry.get("url").map(ToString::to_string)))
}

fn entry<'a>(listed: &'a Value, name: &str) -> Option<&'a Value> {
    let all = listed.as_list()?;
    all.iter().find(|entry| {
        entry
            .get("name")
            .is_some_and(|known| known.to_string() == name)
    })
}

/// Whether helm's own file has the repository just as it is asked for. The login is only there.
fn is_same(args: &Args, url: &str, sys: &Sys) -> ModuleResult<bool> {
    let path = match sys
        .env("HELM_REPOSITORY_CONFIG")
        .filter(|path| !path.is_empty())
    {
        Some(path) => PathBuf::from(path),
        None => match sys.env("HELM_CONFIG_HOME").filter(|path| !path.is_empty()) {
            Some(home) => Path::new(&home).join("repositories.yaml"),
            None => match sys.env("XDG_CONFIG_HOME").filter(|path| !path.is_empty()) {
                Some(home) => Path::new(&home).join("helm/repositories.yaml"),
                None => sys.expand(Path::new("~/.config/helm/repositories.yaml")),
            },
        },
    };
    let Some(text) = sys.read_text(&path)? else {
        return Ok(false);
    };
    let file = document("repositories.yaml", &text)?;
    let listed = file.get("repositories").cloned().unwrap_or_default();
    let Some(entry) = entry(&listed, &args.repo_name) else {
        return Ok(false);
    };
    let text = |name: &str| entry.get(name).map(ToString::to_string).unwrap_or_default();
    let flag = |name: &str| entry.get(name).and_then(to_bool).unwrap_or(false);
    let password = args
        .repo_password
        .as_ref()
        .map(|secret| secret.reveal().as_str());
    Ok(text("url") == url
        && text("username") == args.repo_username.as_deref().unwrap_or_default()
        && text("password") == password.unwrap_or_default()
        && flag("pass_credentials_all") == args.pass_credentials
        && flag("insecure_skip_tls_verify") == args.insecure_skip_tls_verify)
}
