//! Failures of a task that are not a module's: a template, a keyword, a missing file. With their place.

use crate::actions;
use crate::diag::{Diagnostic, Span};
use crate::result::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Value};
use crate::yaml::Node;

/// Why a task could not be run.
pub(crate) struct Fault(pub Box<Diagnostic>);

impl Fault {
    /// A template in this node.
    pub(crate) fn template(error: &TemplateError, node: &Node) -> Self {
        let mut diagnostic = Diagnostic::error("task::template", error.message.clone());
        diagnostic = diagnostic.at(&place(error, node));
        for step in &error.chain {
            diagnostic = diagnostic.note(format!(
                "in the variable `{}`, which is `{}`",
                step.variable,
                short(&step.template)
            ));
        }
        diagnostic.hint.clone_from(&error.hint);
        Self(diagnostic.into())
    }

    /// A message at a place.
    pub(crate) fn at(message: impl Into<String>, span: &Span) -> Self {
        Self(Diagnostic::error("task::failed", message).at(span).into())
    }

    /// An action's error; its template errors stand in the task's arguments.
    pub(crate) fn action(error: &actions::Error, span: &Span, args: &[crate::yaml::Entry]) -> Self {
        match error {
            actions::Error::Template(error) => {
                let node = args
                    .iter()
                    .find(|entry| {
                        entry
                            .value
                            .to_value()
                            .to_string()
                            .contains(error.template.as_str())
                    })
                    .map(|entry| entry.value.clone());
                match node {
                    Some(node) if !error.template.is_empty() => Self::template(error, &node),
                    _ => {
                        let mut fault =
                            Diagnostic::error("task::template", error.message.clone()).at(span);
                        for step in &error.chain {
                            fault = fault.note(format!(
                                "in the variable `{}`, which is `{}`",
                                step.variable,
                                short(&step.template)
                            ));
                        }
                        if let Some(line) = line_of(error) {
                            fault = fault.note(line);
                        }
                        fault.hint.clone_from(&error.hint);
                        Self(fault.into())
                    }
                }
            }
            actions::Error::Failed(message) => Self::at(message.clone(), span),
        }
    }

    /// The failed outcome: the message, and the place for reports.
    pub(crate) fn outcome(self) -> Outcome {
        let diagnostic = *self.0;
        let mut data = Map::new();
        data.set("msg", Value::data(diagnostic.message.as_str()));
        data.set(
            "_runbook_diagnostic",
            Value::data(crate::diag::render(
                &diagnostic,
                crate::diag::RenderOptions::default(),
            )),
        );
        Outcome {
            failed: true,
            data,
            ..Outcome::default()
        }
    }
}

/// Where the failing part of a template stands in the file, as exactly as can be told.
fn place(error: &TemplateError, node: &Node) -> Span {
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
