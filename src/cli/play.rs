//! `runbook play`.

use super::ansible;
use super::args::{OutputKind, PlayArgs, VerifyKind};
use super::exit::{CommandFailure, CommandResult, Exit};
use super::lists;
use super::log;
use super::setup::Setup;
use super::show::Show;
use super::streams::{errln, outln};
use super::verify::{self, Verdict};
use crate::diag::{Diagnostic, did_you_mean, io_reason};
use crate::exec::{Run, RunEnd, RunOptions, RunParts, VerifyTask};
use crate::playbook::Play;
use crate::report::{Clock, Fan, Human, HumanOptions, Json, Junit, Palette, Progress, Timing};
use crate::result::EventSink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// Playbooks with their plays.
pub type Loaded = Vec<(PathBuf, Vec<Play>)>;

pub fn play(mut args: PlayArgs, show: &Show) -> CommandResult {
    args.sources.forget_empty_limits();
    for path in &args.playbooks {
        exists(path, show)?;
    }
    let mut setup = Setup::new(&args.sources, &args.vault, show)?;
    let show = &show.configured(&setup.config);
    let inventory = setup.inventory(show)?;
    setup.warn_of_no_hosts(&inventory, show);
    let limit = setup.limit(&inventory, &args.sources.limit, show)?;
    let first = args
        .playbooks
        .first()
        .map_or(Path::new("."), PathBuf::as_path);
    let dir = playbook_dir(first);
    let store = setup.store(inventory, &dir)?;
    let templar = setup.templar(&store);
    let tags = setup.tags(&args.tags, &args.skip_tags);
    let options = RunOptions {
        check: args.check,
        diff: args.diff || *setup.config.diff_always,
        tags,
        start_at: args.start_at_task.clone(),
        step: args.step,
        limit,
        force_handlers: args.force_handlers || *setup.config.force_handlers,
        verify_task: if args.verify == Some(VerifyKind::Task) {
            VerifyTask::On
        } else {
            VerifyTask::Off
        },
        ..setup.options(&args.connection, show)
    };
    let magic = Arc::new(setup.magic(&options, &args.sources.limit));
    let loader = setup.loader(&templar, &store, &magic);
    let playbooks = load(&args.playbooks, &loader, show)?;
    if args.syntax_check {
        for (path, _) in &playbooks {
            if show.is_ansible() {
                outln!("");
            }
            outln!("playbook: {}", path.display());
        }
        return Ok(Exit::Ok);
    }
    if args.list_hosts || args.list_tasks || args.list_tags {
        return lists::lists(
            &args,
            (&playbooks, &loader),
            &store,
            options.limit.as_deref(),
            (&options.tags, &setup.renderer(&templar, &store, &magic)),
        );
    }
    let unstarted = match starts(&args, &playbooks) {
        Ok(()) => false,
        // as in Ansible, that is a run without tasks
        Err(why) => {
            if !show.is_ansible() {
                show.warnings([why]);
            }
            true
        }
    };
    if args.flush_cache {
        for host in store.inventory(|i| i.hosts.keys().cloned().collect::<Vec<_>>()) {
            store.clear_facts(&host);
        }
    }
    setup.ask(&args.connection)?;
    store.set_password(setup.secrets.login.clone());
    let verdict = Verdict::default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| CommandFailure::new(Exit::Error, format!("cannot start: {e}")))?;
    runtime.block_on(async {
        let interrupted = interrupts();
        let machines = setup.machines(&args.connection)?;
        let main = match args.output {
            OutputKind::Ansible => ansible::report(&setup, show, &options, &store),
            _ => reports(&args, show, &options),
        };
        let mut sink = Fan::new().with(main);
        if let Some(path) = &args.events {
            sink = sink.with(events_to(path)?);
        }
        if args.verify == Some(VerifyKind::Task) {
            sink = sink.with(verdict.collector());
        }
        let run = Arc::new(Run::new(RunParts {
            options: options.clone(),
            store,
            templar,
            loader,
            machines,
            prompt: Setup::prompt(matches!(args.output, OutputKind::Json | OutputKind::Junit)),
            sink: Box::new(sink),
            magic,
            interrupted: interrupted.clone(),
            refresh: Some(setup.refresh(&args.sources.limit, show)?),
        }));
        let end = run.playbooks(&playbooks).await?;
        let exit = exit_of(&end);
        drop(end);
        if unstarted
            && show.is_ansible()
            && let Some(name) = &args.start_at_task
        {
            errln!(
                " [ERROR]: No matching task \"{name}\" found. Note: --start-at-task can only follow\nstatic includes."
            );
        }
        if exit != Exit::Ok {
            return Ok(exit);
        }
        match args.verify {
            None => Ok(Exit::Ok),
            Some(VerifyKind::Task) => Ok(verdict.of_tasks(show)),
            Some(kind) => {
                let second = verify::Second {
                    setup: &setup,
                    args: &args,
                    show,
                    options: RunOptions {
                        diff: true,
                        check: options.check || kind == VerifyKind::Check,
                        ..options
                    },
                    dir: &dir,
                };
                second.run(interrupted).await
            }
        }
    })
}

/// Reads playbooks.
pub fn load(
    paths: &[PathBuf],
    loader: &crate::playbook::Loader,
    show: &Show,
) -> Result<Loaded, CommandFailure> {
    let mut playbooks = Vec::new();
    for path in paths {
        exists(path, show)?;
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let plays = loader.playbook(&absolute);
        show.checked(loader.take_warnings())?;
        playbooks.push((path.clone(), plays?));
    }
    Ok(playbooks)
}

/// Checks that there is a playbook to read.
fn exists(path: &Path, show: &Show) -> Result<(), CommandFailure> {
    let problem = match std::fs::metadata(path) {
        Err(_) if show.is_ansible() => {
            let problem = format!("the playbook: {} could not be found", path.display());
            return Err(CommandFailure::new(Exit::Error, problem));
        }
        Ok(about) if about.is_dir() => format!("{} is a directory, no playbook", path.display()),
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no playbook {}", path.display())
        }
        Err(error) => format!("cannot read {}: {}", path.display(), io_reason(&error)),
    };
    let mut failure = CommandFailure::new(Exit::Error, problem);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let beside: Vec<String> = std::fs::read_dir(dir.unwrap_or(Path::new(".")))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|other| {
            Path::new(other)
                .extension()
                .is_some_and(|ext| ext == "yml" || ext == "yaml" || ext == "json")
        })
        .collect();
    failure.diagnostic.hint = did_you_mean(&name, beside.iter().map(String::as_str));
    Err(failure)
}

/// Checks that some task could be the one to start at. Tasks that includes bring at run time are not known.
fn starts(args: &PlayArgs, playbooks: &Loaded) -> Result<(), Diagnostic> {
    let Some(pattern) = &args.start_at_task else {
        return Ok(());
    };
    let labels: Vec<String> = playbooks
        .iter()
        .flat_map(|(_, plays)| plays)
        .flat_map(Play::tasks)
        .filter(|task| !task.implicit)
        .flat_map(|task| {
            let full = task
                .role
                .as_ref()
                .map(|role| format!("{} : {}", role.name, task.label()));
            [Some(task.label()), full]
        })
        .flatten()
        .collect();
    let fits = |label: &String| {
        label.contains("{{") || label == pattern || crate::inventory::glob_matches(pattern, label)
    };
    if labels.iter().any(fits) {
        return Ok(());
    }
    let hint = did_you_mean(pattern, labels.iter().map(String::as_str))
        .or_else(|| Some("`--list-tasks` shows the names of tasks".to_owned()));
    Err(Diagnostic::warning(
        "cli::start-at",
        format!("there is no task `{pattern}` to start at, and none is run"),
    )
    .maybe_hint(hint))
}

/// The directory of a playbook, absolute.
pub fn playbook_dir(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Becomes true at the first Ctrl-C; the second ends the process at once.
pub fn interrupts() -> tokio::sync::watch::Receiver<bool> {
    let (send, receive) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        let mut term =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
        let mut hup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
        loop {
            let ended = async {
                match (&mut term, &mut hup) {
                    (Some(term), Some(hup)) => {
                        tokio::select! { _ = term.recv() => {} _ = hup.recv() => {} }
                    }
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                result = tokio::signal::ctrl_c() => {
                    if result.is_err() {
                        return;
                    }
                }
                () = ended => {}
            }
            if *send.borrow() {
                std::process::exit(Exit::Interrupted.code());
            }
            errln!("interrupted: stopping what runs on the machines (again to leave at once)");
            let _ = send.send(true);
        }
    });
    receive
}

/// The reports that the command line wants.
fn reports(args: &PlayArgs, show: &Show, options: &RunOptions) -> Box<dyn EventSink> {
    let stdout = || Box::new(std::io::stdout()) as Box<dyn std::io::Write + Send>;
    let stderr = || Box::new(std::io::stderr()) as Box<dyn std::io::Write + Send>;
    let main: Box<dyn EventSink> = match args.output {
        OutputKind::Human | OutputKind::Ansible => human(show, options.diff, options.check),
        OutputKind::Json => Box::new(Json::new(stdout())),
        OutputKind::Junit => Box::new(Junit::new(stdout())),
    };
    if args.timing {
        return Box::new(Fan::new().with(main).with(Timing::new(stderr(), 10)));
    }
    main
}

/// The sink of `--events`. Results may hold what is nobody else's business, so the file is private.
fn events_to(path: &Path) -> Result<Json, CommandFailure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| {
        let why = crate::diag::io_reason(&error);
        CommandFailure::new(Exit::Error, format!("{}: {why}", path.display()))
    })?;
    Ok(Json::new(Box::new(file)))
}

/// The report for people, with progress where standard error is a terminal.
pub fn human(show: &Show, diff: bool, check: bool) -> Box<dyn EventSink> {
    let attended = console::user_attended();
    let width = if attended {
        usize::from(console::Term::stdout().size().1).clamp(40, 200)
    } else {
        80
    };
    let human = Human::new(
        log::both(Box::new(std::io::stdout())),
        HumanOptions {
            palette: Palette {
                color: show.colour_out,
            },
            width,
            verbosity: show.verbosity,
            diff,
            check_markers: check,
            show_skipped: show.skipped,
            ..HumanOptions::default()
        },
    )
    .warnings_to(log::both(Box::new(std::io::stderr())));
    if attended && console::user_attended_stderr() {
        let begun = Instant::now();
        let clock: Clock = Arc::new(move || begun.elapsed());
        return Box::new(Progress::around(
            human,
            Box::new(std::io::stderr()),
            width,
            clock,
        ));
    }
    Box::new(human)
}

/// The exit code of a run.
pub fn exit_of(end: &RunEnd) -> Exit {
    match () {
        () if end.interrupted => Exit::Interrupted,
        // as Ansible: of both, unreachable is told
        () if end.unreachable => Exit::Unreachable,
        () if end.failed => Exit::HostFailed,
        () => Exit::Ok,
    }
}
