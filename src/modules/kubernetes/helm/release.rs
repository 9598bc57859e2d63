//! `helm`: a release of a chart.

use super::access::{HelmAccess, Program, document, failed, numbers, release, shown};
use super::set_values::SetValue;
use super::values::{declared, merge, same};
use crate::modules::streams::set_output;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{ArgRule, Map, Value};
use crate::yaml::{EmitOptions, FlowStyle, emit};
use crate::{choices, module_args};

choices! {
    /// What the release is to be.
    pub enum State {
        /// Installed, with this chart and these values.
        Present = "present",
        /// Not installed.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `helm`.
    pub struct Args {
        /// The chart: `repository/name`, a directory or an archive on the machine, or a URL.
        chart_ref: Option<String> => optional;
        /// The URL of the repository that has the chart.
        chart_repo_url: Option<String> => optional;
        /// The chart's version; the newest without it.
        chart_version: Option<String> => optional;
        /// Fetch what the chart depends on first.
        dependency_update: bool => default(false), aliases ["dep_up"];
        /// The release.
        release_name: String => required, aliases ["name"];
        /// Its namespace.
        release_namespace: String => required, aliases ["namespace"];
        /// What the release is to be.
        release_state: State => default("present"), aliases ["state"];
        /// Values for the chart.
        release_values: Map => default(Map::new()), aliases ["values"];
        /// Files of values on the machine; `release_values` come after them.
        values_files: Vec<String> => default(Vec::<String>::new());
        /// Fetch the repositories' indexes first, also in check mode.
        update_repo_cache: bool => default(false);
        /// Single values: `value` (`key=value`) and `value_type` (`raw`, `string`, `json`, `file`).
        set_values: Option<Vec<Map>> => optional;
        /// Keep the last release's values and put these over them. Means nothing with `reset_values`.
        reuse_values: Option<bool> => optional;
        /// Begin with the chart's values.
        reset_values: bool => default(true);
        /// Begin with the chart's values, put the last release's over them, then these. Needs helm 3.14.
        reset_then_reuse_values: bool => default(false);
        /// Run no hooks.
        disable_hook: bool => default(false);
        /// Replace objects instead of changing them, and do so always.
        force: bool => default(false);
        /// Forget the release's history when it is removed.
        purge: bool => default(true);
        /// Wait until everything is ready, or gone.
        wait: bool => default(false);
        /// How long `wait` waits, like `5m`; `timeout` is the better name.
        wait_timeout: Option<String> => optional;
        /// How long helm waits for each thing, like `5m`.
        timeout: Option<String> => optional;
        /// Take an installation back that fails.
        atomic: bool => default(false);
        /// Make the namespace if it is not there.
        create_namespace: bool => default(false);
        /// A program that helm sends the objects through.
        post_renderer: Option<String> => optional;
        /// Take the name of a release that was removed but is in the history.
        replace: bool => default(false);
        /// Install no custom resource definitions.
        skip_crds: bool => default(false);
        /// How many revisions are kept.
        history_max: Option<i64> => optional;
        /// Do not check the certificate of who has the chart. Needs helm 3.16.
        insecure_skip_tls_verify: bool => default(false), aliases ["skip_tls_certs_check"];
        access: HelmAccess => flatten;
    }
}

/// The module.
pub struct Helm;

impl Module for Helm {
    const NAME: &'static str = "helm";
    const COLLECTION: &'static str = "kubernetes.core";
    const DOC: &'static str = "Install, upgrade and remove releases of helm's charts.\nWhether an upgrade changes something is \
                               asked of the plugin `diff` if helm has it; else chart, version and values are compared.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::If("release_state", "present", &["chart_ref"]),
        ArgRule::Exclusive(&["context", "ca_cert"]),
        ArgRule::Exclusive(&["replace", "history_max"]),
        ArgRule::Exclusive(&["wait_timeout", "timeout"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let program = args.access.program(sys, Some(&args.release_namespace))?;
        if args.update_repo_cache {
            // indexes are no state of the machine; what they say now is needed to decide
            program.ask(sys, &["repo", "update"])?;
        }
        let states: &[&str] = if args.release_state == State::Absent {
            &["--all"]
        } else {
            &[]
        };
        let now = release(&program, sys, &args.release_name, states, false)?;
        let mut plan = Plan::new();
        for stream in ["stdout", "stderr"] {
            plan.returns(stream, "");
        }
        plan.returns("status", now.clone().map(Value::map));
        match args.release_state {
            State::Absent => removed(args, sys, program, now, &mut plan)?,
            State::Present => present(args, sys, program, now, &mut plan)?,
        }
        Ok(plan)
    }
}

fn removed<'a>(
    args: &'a Args,
    sys: &Sys,
    program: Program,
    now: Option<Map>,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let status = |now: &Map| {
        now.get("status")
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let Some(now) = now.filter(|now| !status(now).starts_with("uninstall")) else {
        return Ok(());
    };
    if args.replace {
        return Err("replace is not applicable when state is absent".into());
    }
    let mut words = vec!["uninstall"];
    let mut flag = |given: bool, option: &'static str| {
        if given {
            words.push(option);
        }
    };
    flag(!args.purge, "--keep-history");
    flag(args.disable_hook, "--no-hooks");
    if args.wait {
        let waits = program
            .version(sys)?
            .is_none_or(|version| version >= [3, 7, 0]);
        flag(waits, "--wait");
        if !waits {
            plan.warn("helm uninstall support option --wait for helm release >= 3.7.0");
        }
    }
    if let Some(time) = args.wait_timeout.as_deref().or(args.timeout.as_deref()) {
        words.extend(["--timeout", time]);
    }
    words.push(&args.release_name);
    let command = program.command(words);
    let diff = Diff::new(
        args.release_name.as_str(),
        Some(described(&now)),
        None::<String>,
    );
    change(args, program, now, command, Some(diff), plan);
    Ok(())
}

fn present<'a>(
    args: &'a Args,
    sys: &Sys,
    program: Program,
    now: Option<Map>,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let chart_ref = chart(args, sys);
    let mut words = vec!["show", "chart", chart_ref.as_str()];
    let source = source(args);
    words.extend(source.iter().map(String::as_str));
    if args.insecure_skip_tls_verify {
        program.needs(sys, [3, 16, 0], "insecure_skip_tls_verify")?;
        words.push("--insecure-skip-tls-verify");
    }
    let chart = document("helm show chart", &program.ask(sys, &words)?)?;
    let mut inline_dependencies = false;
    let mut fetch = None;
    if args.dependency_update {
        let depends = chart.get("dependencies").is_some_and(Value::truthy);
        let is_far = args.chart_repo_url.is_some() || chart_ref.contains("://");
        if !depends {
            plan.warn(
                "There is no dependencies block defined in Chart.yaml. Dependency update will not be performed.",
            );
        } else if !is_far {
            fetch = Some(program.command(["dependency", "update", chart_ref.as_str()]));
        } else if args.replace {
            inline_dependencies = true;
        } else {
            return Err(
                "'--dependency-update' hasn't been supported yet with 'helm upgrade'. Please use 'helm install' instead by \
                 adding 'replace' option"
                    .into(),
            );
        }
    }
    if args.reset_then_reuse_values {
        program.needs(sys, [3, 14, 0], "reset_then_reuse_values")?;
    }
    let set: Vec<SetValue> = args
        .set_values
        .iter()
        .flatten()
        .map(SetValue::read)
        .collect::<ModuleResult<_>>()?;
    if set.iter().any(SetValue::is_json) {
        program.needs(sys, [3, 10, 0], "set_values with the value type json")?;
    }
    let wanted = declared(sys, &args.values_files, &args.release_values, &set)?;
    let (changes, diff) = match &now {
        None => {
            let after = describe(&chart, wanted.as_ref().unwrap_or(&args.release_values));
            let diff = Diff::new(args.release_name.as_str(), None::<String>, Some(after));
            (true, Some(diff))
        }
        Some(now) => {
            let (differs, diff) = compared(args, sys, &program, now, &chart, wanted, &set, plan)?;
            (differs || args.force, diff)
        }
    };
    if let Some(fetch) = fetch {
        plan.always("fetch what the chart depends on", move |sys, _| {
            let output = sys.run(&fetch)?;
            if output.ok() {
                Ok(false)
            } else {
                Err(failed(&fetch, &output))
            }
        });
    }
    if !changes {
        return Ok(());
    }
    if args.force && now.is_some() {
        plan.repeats();
    }
    let words = deploy_words(args, now.is_some(), inline_dependencies, &set, &chart_ref);
    let mut command = program.command(words);
    command.stdin = values_input(args);
    change(args, program, now.unwrap_or_default(), command, diff, plan);
    Ok(())
}

/// The chart, with `~` of the machine.
fn chart(args: &Args, sys: &Sys) -> String {
    let chart = args.chart_ref.as_deref().unwrap_or_default();
    if chart.starts_with('~') || chart.starts_with('$') {
        return sys
            .expand(std::path::Path::new(chart))
            .to_string_lossy()
            .into_owned();
    }
    chart.to_owned()
}

/// Which chart of where.
fn source(args: &Args) -> Vec<String> {
    let version = args
        .chart_version
        .iter()
        .map(|version| format!("--version={version}"));
    let repository = args
        .chart_repo_url
        .iter()
        .map(|url| format!("--repo={url}"));
    version.chain(repository).collect()
}

/// `release_values`, as helm reads them from its standard input.
fn values_input(args: &Args) -> Vec<u8> {
    if args.release_values.is_empty() {
        Vec::new()
    } else {
        Value::map(args.release_values.clone())
            .to_json()
            .to_string()
            .into_bytes()
    }
}

/// Options that say which values count.
fn value_words(args: &Args, set: &[SetValue]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    words.extend(
        args.values_files
            .iter()
            .map(|file| format!("--values={file}")),
    );
    if !args.release_values.is_empty() {
        words.push("--values=-".into());
    }
    words.extend(set.iter().flat_map(SetValue::words));
    words
}

fn deploy_words(
    args: &Args,
    is_there: bool,
    inline_dependencies: bool,
    set: &[SetValue],
    chart_ref: &str,
) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut add = |given: bool, all: &[&str]| {
        if given {
            words.extend(all.iter().map(|&word| word.to_owned()));
        }
    };
    let reuse = format!("--reuse-values={}", args.reuse_values.unwrap_or(false));
    add(args.replace, &["install", "--replace"]);
    add(inline_dependencies, &["--dependency-update"]);
    add(!args.replace, &["upgrade", "-i"]);
    add(!args.replace && args.reset_values, &["--reset-values"]);
    add(!args.replace && args.reuse_values.is_some(), &[&reuse]);
    add(
        !args.replace && args.reset_then_reuse_values,
        &["--reset-then-reuse-values"],
    );
    add(args.wait, &["--wait"]);
    if let Some(time) = args
        .timeout
        .as_deref()
        .or(args.wait_timeout.as_deref().filter(|_| args.wait))
    {
        add(true, &["--timeout", time]);
    }
    add(args.atomic, &["--atomic"]);
    add(args.force && is_there, &["--force"]);
    add(args.disable_hook, &["--no-hooks"]);
    add(args.create_namespace, &["--create-namespace"]);
    add(
        args.insecure_skip_tls_verify,
        &["--insecure-skip-tls-verify"],
    );
    if let Some(renderer) = &args.post_renderer {
        add(true, &[&format!("--post-renderer={renderer}")]);
    }
    add(args.skip_crds, &["--skip-crds"]);
    if let Some(count) = args.history_max {
        add(true, &[&format!("--history-max={count}")]);
    }
    words.extend(value_words(args, set));
    words.extend(source(args));
    words.extend([args.release_name.clone(), chart_ref.to_owned()]);
    words
}

/// Whether an upgrade would change the release, and what.
#[expect(
    clippy::too_many_arguments,
    reason = "what is there and what is wanted"
)]
fn compared(
    args: &Args,
    sys: &Sys,
    program: &Program,
    now: &Map,
    chart: &Value,
    wanted: Option<Map>,
    set: &[SetValue],
    plan: &mut Plan<'_>,
) -> ModuleResult<(bool, Option<Diff>)> {
    let name = args.release_name.as_str();
    let plugin = diff_plugin(program, sys)?;
    if let Some(version) = plugin
        && (args.chart_repo_url.is_none() || version >= [3, 4, 1])
    {
        if args.reset_then_reuse_values && version < [3, 9, 12] {
            return Err("reset_then_reuse_values requires helm diff >= 3.9.12".into());
        }
        let mut words = vec!["diff".to_owned(), "upgrade".to_owned()];
        words.extend([name.to_owned(), self::chart(args, sys)]);
        words.extend(source(args));
        if !args.replace {
            words.push(format!("--reset-values={}", args.reset_values));
        }
        for (given, option) in [
            (args.reuse_values == Some(true), "--reuse-values"),
            (args.reset_then_reuse_values, "--reset-then-reuse-values"),
            (args.insecure_skip_tls_verify, "--insecure-skip-tls-verify"),
        ] {
            if given {
                words.push(option.to_owned());
            }
        }
        if let Some(renderer) = &args.post_renderer {
            words.push(format!("--post-renderer={renderer}"));
        }
        words.extend(value_words(args, set));
        let mut command = program.command(words);
        command.stdin = values_input(args);
        let output = sys.query(&command)?;
        if !output.ok() {
            return Err(failed(&command, &output));
        }
        let text = output.text();
        let differs = !text.trim().is_empty();
        return Ok((
            differs,
            differs.then(|| Diff::new(name, Some(String::new()), Some(text))),
        ));
    }
    let current = now
        .get("values")
        .and_then(Value::as_map)
        .cloned()
        .unwrap_or_default();
    let keeps =
        !args.reset_values && (args.reuse_values == Some(true) || args.reset_then_reuse_values);
    let says_nothing =
        args.values_files.is_empty() && args.release_values.is_empty() && set.is_empty();
    let after = match wanted {
        None => {
            plan.warn(
                "whether `set_values` or `values_files` change something cannot be told without helm's plugin `diff`: the \
                 release is upgraded",
            );
            None
        }
        // without a word about values helm keeps those that it has
        Some(_) if !args.reset_values && args.reuse_values.is_none() && says_nothing => {
            Some(current.clone())
        }
        Some(wanted) if keeps => {
            let mut merged = current.clone();
            merge(&mut merged, &wanted);
            Some(merged)
        }
        Some(wanted) => Some(wanted),
    };
    let after_text = describe(chart, after.as_ref().unwrap_or(&args.release_values));
    let text = |value: Option<&Value>| {
        let value = value.filter(|value| !value.is_null());
        value.map(ToString::to_string).unwrap_or_default()
    };
    let title = format!("{}-{}", text(chart.get("name")), text(chart.get("version")));
    let is_same = title == text(now.get("chart"))
        && text(chart.get("appVersion")) == text(now.get("app_version"))
        && after.is_some_and(|after| same(&Value::map(after), &Value::map(current)));
    let diff = Diff::new(name, Some(described(now)), Some(after_text));
    Ok((!is_same, (!is_same).then_some(diff)))
}

/// The version of the plugin `diff`.
fn diff_plugin(program: &Program, sys: &Sys) -> ModuleResult<Option<[u64; 3]>> {
    let listed = program.ask(sys, &["plugin", "list"])?;
    let mut versions = listed.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some("diff")).then(|| words.next().map(numbers))?
    });
    Ok(versions.next())
}

/// Adds the step, with what the result tells before and after.
fn change<'a>(
    args: &'a Args,
    program: Program,
    now: Map,
    command: Command,
    diff: Option<Diff>,
    plan: &mut Plan<'a>,
) {
    plan.returns("command", Value::data(shown(&command)));
    let values = Map::new()
        .with("current", now.get("values").cloned().unwrap_or_default())
        .with("declared", Value::map(now));
    plan.returns(
        "status",
        Value::map(Map::new().with("values", Value::map(values))),
    );
    plan.act(shown(&command), diff, move |sys, data| {
        let output = sys.run(&command)?;
        if !output.ok() {
            return Err(failed(&command, &output));
        }
        set_output(data, &output, false);
        data.take("rc");
        let after = release(&program, sys, &args.release_name, &["--all"], false)?;
        data.set("status", after.map(Value::map));
        Ok(())
    });
}

fn described(now: &Map) -> String {
    let text = |name: &str| now.get(name).cloned().unwrap_or_default();
    let shown = Map::new()
        .with("chart", text("chart"))
        .with("app_version", text("app_version"))
        .with("values", text("values"));
    block(shown)
}

fn describe(chart: &Value, values: &Map) -> String {
    let text = |name: &str| chart.get(name).map(ToString::to_string).unwrap_or_default();
    let shown = Map::new()
        .with(
            "chart",
            Value::data(format!("{}-{}", text("name"), text("version"))),
        )
        .with("app_version", Value::data(text("appVersion")))
        .with("values", Value::map(values.clone()));
    block(shown)
}

fn block(map: Map) -> String {
    let options = EmitOptions {
        indent: 2,
        default_flow_style: FlowStyle::Block,
        sort_keys: true,
        width: -1,
        ..EmitOptions::default()
    };
    emit(&Value::map(map).into_data(), &options)
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn plugin_versions_compare() {
        assert!(numbers("3.9.12") > numbers("3.4.1"));
        assert!(numbers("3.10") > numbers("3.9.12"));
    }
}
