//! The report that `stdout_callback` and `callbacks_enabled` ask for.

use crate::cli::args::RunArgs;
use crate::cli::log;
use crate::cli::setup::Setup;
use crate::cli::show::Show;
use crate::cli::streams::errln;
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::exec::RunOptions;
use crate::report::ansible::{
    AnsibleDefault, AnsibleJson, AnsibleJunit, AnsibleMinimal, AnsibleOptions, JunitOptions, Lines,
    ProfileTasks, ResultFormat, Screen, Timer, Tree,
};
use crate::report::{Clock, Fan};
use crate::result::EventSink;
use crate::vars::VarStore;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// The report of a playbook.
pub fn report(
    setup: &Setup,
    show: &Show,
    run: &RunOptions,
    store: &Arc<VarStore>,
) -> Box<dyn EventSink> {
    let options = options(setup, show, run, store);
    let main = callback(
        &setup.config.stdout_callback,
        &setup.config,
        show,
        options.clone(),
    );
    let mut fan = Fan::new().with(main);
    for name in setup.config.callbacks_enabled.iter() {
        fan = enabled(fan, name, show, &options);
    }
    Box::new(fan)
}

/// The report of one module.
pub fn adhoc_report(
    setup: &Setup,
    show: &Show,
    run: &RunOptions,
    store: &Arc<VarStore>,
    args: &RunArgs,
) -> Box<dyn EventSink> {
    let options = options(setup, show, run, store);
    let name = match () {
        () if args.one_line => "oneline",
        () if *setup.config.bin_ansible_callbacks
            && short(&setup.config.stdout_callback) != "default" =>
        {
            setup.config.stdout_callback.as_str()
        }
        () => "minimal",
    };
    let mut fan = Fan::new().with(callback(name, &setup.config, show, options.clone()));
    if *setup.config.bin_ansible_callbacks {
        for name in setup.config.callbacks_enabled.iter() {
            fan = enabled(fan, name, show, &options);
        }
    }
    if let Some(dir) = &args.more.tree {
        let _ = std::fs::create_dir_all(dir);
        fan = fan.with(Tree::new(dir.clone()));
    }
    Box::new(fan)
}

fn screen(show: &Show) -> Screen {
    let columns = if console::user_attended() {
        usize::from(console::Term::stdout().size().1).saturating_sub(1)
    } else {
        Screen::COLUMNS
    };
    Screen::new(
        log::both(Box::new(std::io::stdout())),
        log::both(Box::new(std::io::stderr())),
        show.colour_out,
        columns,
    )
}

fn options(setup: &Setup, show: &Show, run: &RunOptions, store: &Arc<VarStore>) -> AnsibleOptions {
    let config = &setup.config;
    let hosts = Arc::clone(store);
    AnsibleOptions {
        verbosity: show.verbosity,
        diff: run.diff,
        diff_context: usize::try_from(*config.diff_context).unwrap_or(3),
        check: run.check,
        show_ok: *config.display_ok_hosts,
        show_skipped: *config.display_skipped_hosts,
        failed_to_stderr: *config.display_failed_stderr,
        custom_stats: *config.show_custom_stats,
        check_markers: *config.check_mode_markers,
        task_arguments: *config.display_args_to_stdout,
        per_host_start: *config.show_per_host_start,
        path_on_failure: *config.show_task_path_on_failure,
        format: if config.result_format.eq_ignore_ascii_case("yaml") {
            ResultFormat::Yaml
        } else {
            ResultFormat::Json
        },
        pretty: *config.format_pretty,
        base: setup.cwd.clone(),
        address_of: Arc::new(move |host: &str| {
            let known = hosts.inventory(|inventory| inventory.host(host).is_some());
            let vars = known.then(|| hosts.inventory_vars(host).ok()).flatten()?;
            vars.get("ansible_host").map(ToString::to_string)
        }),
    }
}

/// A name without the collection that it is known by.
fn short(name: &str) -> &str {
    [
        "ansible.builtin.",
        "ansible.legacy.",
        "ansible.posix.",
        "community.general.",
    ]
    .iter()
    .find_map(|collection| name.strip_prefix(collection))
    .unwrap_or(name)
}

/// What stands for standard output.
fn callback(
    name: &str,
    config: &Config,
    show: &Show,
    mut options: AnsibleOptions,
) -> Box<dyn EventSink> {
    match short(name) {
        "default" => {}
        "yaml" => options.format = ResultFormat::Yaml,
        // as `default`, with results that take several lines
        "debug" => options.pretty = Some(true),
        "minimal" => return Box::new(AnsibleMinimal::new(screen(show), options, Lines::Many)),
        "oneline" => return Box::new(AnsibleMinimal::new(screen(show), options, Lines::One)),
        "json" => {
            return Box::new(AnsibleJson::new(
                Box::new(std::io::stdout()),
                options,
                Box::new(|| {
                    jiff::Timestamp::now()
                        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
                        .to_string()
                }),
            ));
        }
        "null" => return Box::new(Fan::new()),
        _ => {
            let mut warning = Diagnostic::warning(
                "config::callback",
                format!("the callback {name} is not built into runbook: default stands for it"),
            );
            if let crate::config::Origin::File(span) = &config.stdout_callback.origin {
                warning = warning.at(span);
            }
            show.diagnostic(&warning);
        }
    }
    Box::new(AnsibleDefault::new(screen(show), options))
}

/// What is told besides.
fn enabled(fan: Fan, name: &str, show: &Show, options: &AnsibleOptions) -> Fan {
    match short(name) {
        "timer" => fan.with(Timer::new(screen(show))),
        "profile_tasks" => {
            let begun = Instant::now();
            let clock: Clock = Arc::new(move || begun.elapsed());
            let limit = std::env::var("PROFILE_TASKS_TASK_OUTPUT_LIMIT")
                .ok()
                .map_or(Some(20), |text| text.parse().ok())
                .unwrap_or(usize::MAX);
            fan.with(ProfileTasks::new(
                screen(show),
                clock,
                Box::new(|| {
                    jiff::Zoned::now()
                        .strftime("%A %d %B %Y  %H:%M:%S %z")
                        .to_string()
                }),
                limit,
            ))
        }
        "junit" => fan.with(AnsibleJunit::new(options.clone(), junit())),
        "tree" => {
            let dir = std::env::var_os("ANSIBLE_CALLBACK_TREE_DIR")
                .map_or_else(|| home().join(".ansible/tree"), PathBuf::from);
            let _ = std::fs::create_dir_all(&dir);
            fan.with(Tree::new(dir))
        }
        // they are what stands for standard output
        "default" | "minimal" | "oneline" | "json" | "yaml" => fan,
        _ => {
            errln!("[WARNING]: the callback {name} is not built into runbook");
            fan
        }
    }
}

fn home() -> PathBuf {
    std::env::var_os("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

fn junit() -> JunitOptions {
    let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let flag = |name: &str, default: bool| {
        text(name).map_or(default, |value| value.eq_ignore_ascii_case("true"))
    };
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    JunitOptions {
        dir: text("JUNIT_OUTPUT_DIR").map_or_else(|| home().join(".ansible.log"), PathBuf::from),
        task_class: flag("JUNIT_TASK_CLASS", false),
        relative_to: text("JUNIT_TASK_RELATIVE_PATH").map(PathBuf::from),
        fail_on_change: flag("JUNIT_FAIL_ON_CHANGE", false),
        fail_on_ignore: flag("JUNIT_FAIL_ON_IGNORE", false),
        with_setup: flag("JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT", true),
        hide_arguments: flag("JUNIT_HIDE_TASK_ARGUMENTS", false),
        prefix: text("JUNIT_TEST_CASE_PREFIX").unwrap_or_default(),
        stamp: format!("{}.{:06}", now.as_secs(), now.subsec_micros()),
    }
}
