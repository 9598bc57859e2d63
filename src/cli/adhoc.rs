//! `runbook run PATTERN -m MODULE -a ARGS`.

use super::ansible;
use super::args::{OutputKind, RunArgs};
use super::exit::{CommandFailure, CommandResult, Exit};
use super::play::{exit_of, interrupts};
use super::setup::Setup;
use super::show::Show;
use super::streams::outln;
use crate::diag::Source;
use crate::exec::{Run, RunOptions, RunParts};
use crate::report::{Json, Junit, Minimal, Palette};
use crate::result::EventSink;
use std::path::Path;
use std::sync::Arc;

pub fn run(mut args: RunArgs, show: &Show) -> CommandResult {
    args.sources.forget_empty_limits();
    let mut setup = Setup::new(&args.sources, &args.vault, show)?;
    let show = &show.configured(&setup.config);
    let inventory = setup.inventory(show)?;
    let limit = setup.limit(&inventory, &args.sources.limit, show)?;
    let selection = inventory.select(&args.pattern)?;
    show.warnings(selection.warnings);
    let hosts: Vec<_> = selection
        .hosts
        .into_iter()
        .filter(|host| limit.as_ref().is_none_or(|limit| limit.contains(host)))
        .collect();
    if hosts.is_empty() && limit.is_some() && show.is_ansible() {
        return Err(Setup::nobody_left(&args.sources.limit, show));
    }
    if args.list_hosts {
        outln!("  hosts ({}):", hosts.len());
        for host in hosts {
            outln!("    {host}");
        }
        return Ok(Exit::Ok);
    }
    if hosts.is_empty() && show.is_ansible() {
        setup.warn_of_no_hosts(&inventory, show);
        if !inventory.hosts.is_empty() {
            show.diagnostic(&crate::diag::Diagnostic::warning(
                "inventory::no-match",
                "No hosts matched, nothing to do",
            ));
        }
        return Ok(Exit::Ok);
    }
    if hosts.is_empty() {
        return Err(CommandFailure::new(
            Exit::Error,
            format!("the pattern `{}` matches no host", args.pattern),
        ));
    }
    let dir = args
        .more
        .playbook_dir
        .clone()
        .or_else(|| setup.config.playbook_dir.value.clone())
        .unwrap_or_default();
    let dir = setup.cwd.join(dir);
    let store = setup.store(inventory, &dir)?;
    let templar = setup.templar(&store);
    let options = RunOptions {
        check: args.check,
        diff: args.diff || *setup.config.diff_always,
        limit,
        task_timeout: args.more.task_timeout.unwrap_or(*setup.config.task_timeout),
        ..setup.options(&args.connection, show)
    };
    let magic = Arc::new(setup.magic(&options, &args.sources.limit));
    let loader = setup.loader(&templar, &store, &magic);
    // a play of one task, as a playbook would have it
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    let module = if args.module.chars().all(plain) {
        args.module.clone()
    } else {
        quoted(&args.module)
    };
    let text = format!(
        "- name: {}\n  hosts: {}\n  gather_facts: false\n  tasks:\n    - {module}: {}\n",
        if show.is_ansible() {
            "Ansible Ad-Hoc"
        } else {
            "ad hoc"
        },
        quoted(&args.pattern),
        task_args(&args.args)?
    );
    let path = dir.join("<command line>");
    let plays = match loader.playbook_text(&Source::new("<command line>", text), Path::new(&path)) {
        Err(error) if show.is_ansible() && error.code == "playbook::unknown-module" => {
            // to Ansible that is a failure of each host
            for host in &hosts {
                let text = "was not found in configured module paths";
                outln!(
                    "{host} | FAILED! => {{\n    \"msg\": \"The module {} {text}\"\n}}",
                    args.module
                );
            }
            return Ok(Exit::HostFailed);
        }
        other => other?,
    };
    setup.ask(&args.connection)?;
    store.set_password(setup.secrets.login.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CommandFailure::new(Exit::Error, format!("cannot start: {e}")))?;
    runtime.block_on(async {
        let interrupted = interrupts();
        let stdout = || Box::new(std::io::stdout()) as Box<dyn std::io::Write + Send>;
        let sink: Box<dyn EventSink> = match args.output {
            OutputKind::Ansible => ansible::adhoc_report(&setup, show, &options, &store, &args),
            OutputKind::Human if args.one_line => {
                ansible::adhoc_report(&setup, show, &options, &store, &args)
            }
            OutputKind::Human => Box::new(Minimal::new(
                stdout(),
                Palette {
                    color: show.colour_out,
                },
                options.diff,
            )),
            OutputKind::Json => Box::new(Json::new(stdout())),
            OutputKind::Junit => Box::new(Junit::new(stdout())),
        };
        let run = Arc::new(Run::new(RunParts {
            options,
            store,
            templar,
            loader,
            machines: setup.machines(&args.connection)?,
            prompt: Setup::prompt(matches!(args.output, OutputKind::Json | OutputKind::Junit)),
            sink,
            magic,
            interrupted,
            refresh: Some(setup.refresh(&args.sources.limit, show)?),
        }));
        let end = run.playbooks(&[(path, plays)]).await?;
        Ok(exit_of(&end))
    })
}

/// JSON is a mapping of arguments, anything else the free form or `k=v`.
fn task_args(text: &str) -> Result<serde_json::Value, CommandFailure> {
    if text.trim_start().starts_with('{') && !text.trim_start().starts_with("{{") {
        return serde_json::from_str(text).map_err(|e| {
            CommandFailure::new(
                Exit::Usage,
                format!(
                    "the arguments are not valid JSON: {} at character {}",
                    json_problem(&e),
                    e.column()
                ),
            )
        });
    }
    Ok(if text.is_empty() {
        serde_json::Value::Null
    } else {
        text.into()
    })
}

/// What is wrong, without serde's place.
fn json_problem(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    match text.get(..end).unwrap_or(&text) {
        text if text.starts_with("EOF") => "they end too early".to_owned(),
        text => text.to_owned(),
    }
}
