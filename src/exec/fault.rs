//! Failures of a task that are not a module's: a template, a keyword, a missing file. With their place.

use super::run::Run;
use crate::actions;
use crate::diag::{self, Diagnostic, Source, Span};
use crate::result::{Diagnosis, Outcome};
use crate::template::{Context, TemplateError};
use crate::value::{Map, Value};
use crate::yaml::{Kind, Node};

/// Why a task could not be run.
pub(crate) struct Fault(pub Box<Diagnostic>);

impl Fault {
    /// A template in this node.
    pub(crate) fn template(error: &TemplateError, node: &Node) -> Self {
        Self(about(error, place(error, node)).into())
    }

    /// A message at a place.
    pub(crate) fn at(message: impl Into<String>, span: &Span) -> Self {
        Self(Diagnostic::error("task::failed", message).at(span).into())
    }

    /// An action's error; its template errors stand in the task's arguments.
    pub(crate) fn action(error: &actions::Error, span: &Span, args: &[crate::yaml::Entry]) -> Self {
        match error {
            actions::Error::Template(error) => {
                if let Some(file) = &error.file {
                    let place = in_file(error, file);
                    let what = "rendered by this task";
                    let mut fault = about(error, place).related(span, what);
                    fault.told = Some(error.in_a_file());
                    return Self(fault.into());
                }
                let node = args
                    .iter()
                    .filter(|_| !error.template.is_empty())
                    .find_map(|entry| holding(&entry.value, &error.template));
                if let Some(node) = node {
                    Self::template(error, node)
                } else {
                    let mut fault = about(error, span.clone());
                    if let Some(line) = line_of(error) {
                        fault = fault.note(line);
                    }
                    Self(fault.into())
                }
            }
            actions::Error::File(diagnostic) => {
                let diagnostic = diagnostic.clone();
                Self(
                    match diagnostic.span {
                        Some(_) => diagnostic.related(span, "read by this task"),
                        None => diagnostic.at(span),
                    }
                    .into(),
                )
            }
            actions::Error::Failed(message) => {
                Self::at(message.clone(), blamed(message, args).unwrap_or(span))
            }
        }
    }

    /// Whether it is a division by zero or the like.
    pub(crate) fn is_arithmetic(&self) -> bool {
        is_arithmetic(&self.0)
    }

    /// The failed outcome: the message, and the place for reports.
    pub(crate) fn outcome(self) -> Outcome {
        let diagnostic = *self.0;
        let mut data = Map::new();
        if is_arithmetic(&diagnostic) {
            data.set("exception", Value::data(diagnostic.message.as_str()));
        }
        data.set("msg", Value::data(placed(&diagnostic)));
        Outcome {
            failed: true,
            data,
            diagnosis: Some(Diagnosis::new(diagnostic)),
            ..Outcome::default()
        }
    }
}

/// What a result says as `msg`: of an undefined variable or a condition, with the place.
fn placed(diagnostic: &Diagnostic) -> String {
    let told = diagnostic.told.as_ref().unwrap_or(&diagnostic.message);
    let starts = ["The task includes an option", "The conditional check"];
    match &diagnostic.span {
        // what was said on the command line has no file
        Some(span)
            if starts.iter().any(|start| told.starts_with(start))
                && !span.path().to_string_lossy().starts_with('<') =>
        {
            format!("{told}{}", diag::place(span))
        }
        _ => told.clone(),
    }
}

fn is_arithmetic(diagnostic: &Diagnostic) -> bool {
    diagnostic.message.starts_with("unable to calculate")
}

impl Run {
    /// Whether a condition in a playbook holds.
    pub(crate) fn condition(&self, node: &Node, cx: &Context) -> Result<bool, Fault> {
        let path = std::path::absolute(node.span.path());
        let path = path.as_deref().unwrap_or(node.span.path()).display();
        let exact = matches!(node.kind, Kind::Str(_));
        let place = format!(
            "{}location {path} {}:{}",
            if exact { "" } else { "approximate " },
            node.span.line,
            node.span.column
        );
        self.templar
            .condition_at(&node.to_value(), Some(&place), cx)
            .map_err(|e| Fault::template(&e, node))
    }
}

/// Where the failing part of a template stands in the file, as exactly as can be told.
fn place(error: &TemplateError, node: &Node) -> Span {
    let node = match &node.kind {
        Kind::Seq(_) | Kind::Map(_) if !error.template.is_empty() => {
            holding(node, &error.template).unwrap_or(node)
        }
        _ => node,
    };
    let span = &node.span;
    let Some(range) = &error.range else {
        return span.clone();
    };
    let source = span.source();
    let Some(text) = source.text.get(span.start..span.end) else {
        return span.clone();
    };
    let template = error.template.as_str();
    let Some(part) = template.get(range.clone()) else {
        return span.clone();
    };
    // the template's text stands in the file as it is (plain or quoted without escapes), or at least the part does
    let found = match text.find(template) {
        Some(at) if !template.is_empty() => Some(span.start + at + range.start),
        _ if !part.is_empty() => text.find(part).map(|at| span.start + at),
        _ => None,
    };
    match found {
        Some(start) => Span::of_bytes(source, start, start + part.len()),
        None => span.clone(),
    }
}

/// The diagnostic of a failed template at a place: with the variables that led to it, and the hint.
fn about(error: &TemplateError, place: Span) -> Diagnostic {
    let code = match error.condition {
        Some(_) => "task::condition",
        None => "task::template",
    };
    let mut diagnostic = Diagnostic::error(code, error.message.clone()).at(&place);
    diagnostic.told = error.told();
    for step in error.chain.iter().filter(|step| !step.template.is_empty()) {
        diagnostic = diagnostic.note(format!(
            "`{}` is defined as `{}`",
            step.variable,
            short(step.template.trim_end())
        ));
    }
    diagnostic.hint.clone_from(&error.hint);
    diagnostic
}

/// Gives the failure of an action the place of the argument that it is about, if its message quotes one.
pub(super) fn point(outcome: &mut Outcome, args: &[crate::yaml::Entry]) {
    if !outcome.failed || outcome.diagnosis.is_some() {
        return;
    }
    let message = outcome.message().unwrap_or_default();
    if let Some(span) = blamed(message, args) {
        let diagnostic = Diagnostic::error("task::failed", message).at(span);
        outcome.diagnosis = Some(Diagnosis::new(diagnostic));
    }
}

/// The argument whose value a message quotes.
fn blamed<'a>(message: &str, args: &'a [crate::yaml::Entry]) -> Option<&'a Span> {
    // runbook quotes with backticks, messages in Ansible's words with apostrophes
    let inside = |quote: char| message.split(quote).skip(1).step_by(2);
    let quoted: Vec<&str> = inside('`').chain(inside('\'')).collect();
    args.iter()
        .filter_map(|entry| Some((entry.value.as_str()?, &entry.value.span)))
        .find(|(value, _)| quoted.contains(value))
        .map(|(_, span)| span)
}

/// The failing bytes of a template file; its first line if they are not known.
fn in_file(error: &TemplateError, file: &std::path::Path) -> Span {
    let shown = crate::playbook::shown(file);
    let source = if crate::vault::is_encrypted_file(file) {
        Source::hidden(shown, error.template.clone())
    } else {
        Source::new(shown, error.template.clone())
    };
    match &error.range {
        Some(range) => Span::of_bytes(&source, range.start, range.end),
        None => Span::of_bytes(&source, 0, 0),
    }
}

/// The innermost part of a value that holds this text.
fn holding<'a>(node: &'a Node, text: &str) -> Option<&'a Node> {
    match &node.kind {
        Kind::Seq(items) => items.iter().find_map(|item| holding(item, text)),
        Kind::Map(entries) => entries
            .iter()
            .find_map(|entry| holding(&entry.value, text).or_else(|| holding(&entry.key, text))),
        _ => node.to_value().to_string().contains(text).then_some(node),
    }
}

/// For templates in files: the line that failed.
fn line_of(error: &TemplateError) -> Option<String> {
    let range = error.range.clone()?;
    let before = error.template.get(..range.start)?;
    let number = before.matches('\n').count() + 1;
    let line = error.template.lines().nth(number - 1)?;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Some(format!(
        "line {number}, column {column} of the template: {}",
        line.trim_end()
    ))
}

fn short(text: &str) -> String {
    let mut out: String = text.chars().take(80).collect();
    if out.len() < text.len() {
        out.push('…');
    }
    out
}
