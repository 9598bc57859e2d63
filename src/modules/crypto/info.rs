//! `x509_info`: what a certificate says.

use super::lifetime::Seconds;
use super::seen::Seen;
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Value};
use std::path::PathBuf;

module_args! {
    /// Arguments of `x509_info`.
    pub struct Args {
        /// The certificate's file on the machine, in PEM.
        path: Option<PathBuf> => optional;
        /// The certificate itself, in PEM.
        content: Option<String> => optional;
        /// Moments as spans from now (`30d`) by names of your own; `valid_at` says for each whether it is valid then.
        valid_at: Map => default(Map::new());
    }
}

/// The module.
pub struct X509Info;

impl Module for X509Info {
    const NAME: &'static str = "x509_info";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str =
        "Read a certificate. The first of the file is described, others are in `chain`.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::OneOf(&["path", "content"]),
        ArgRule::Exclusive(&["path", "content"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let (content, place) = match (&args.path, &args.content) {
            (Some(path), _) => {
                let path = sys.expand(path);
                let content = sys.read(&path)?;
                let content = content
                    .ok_or_else(|| Failure::new(format!("there is no file {}", path.display())))?;
                (content, path.display().to_string())
            }
            (None, Some(content)) => (content.clone().into_bytes(), "the content".to_owned()),
            (None, None) => return Err("one of path and content is needed".into()),
        };
        let failed = |problem: String| {
            Failure::new(format!("{place} has no readable certificate: {problem}"))
        };
        let all = Seen::parse_all(&content).map_err(failed)?;
        let first = all
            .first()
            .ok_or_else(|| failed("there is none in it".to_owned()))?;
        let now = sys.local_time().timestamp().as_second();
        let mut plan = Plan::new();
        for (key, value) in first.facts(now).str_iter() {
            plan.returns(key, value.clone());
        }
        let mut valid_at = Map::new();
        for (name, span) in args.valid_at.str_iter() {
            let span = <Seconds as crate::value::FromValue>::from_value(span)
                .map_err(|p| Failure::new(p.0))?;
            let at = now + span.0;
            valid_at.set(name, (first.not_before..=first.not_after).contains(&at));
        }
        plan.returns("valid_at", valid_at);
        let chain: Vec<Value> = all
            .iter()
            .skip(1)
            .map(|seen| Value::map(seen.facts(now)))
            .collect();
        plan.returns("chain", chain);
        Ok(plan)
    }
}
