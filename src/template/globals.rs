//! Functions that every template has.

use super::call::{Args, fail};
use super::lookups;
use super::methods;
use super::objects::{Dict, List, wrap};
use super::render::Render;
use super::{TemplateError, TemplateErrorKind};
use crate::value::{OMIT, Value};
use minijinja::value::{Object, Rest, Value as Val, ValueOrKwargs};
use minijinja::{Environment, Error, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

type Function = fn(&mut State, &mut Args) -> Result<Val, Error>;

const TABLE: &[(&str, Function)] = &[
    ("lookup", lookup),
    ("query", query),
    ("q", query),
    ("now", now),
    ("undef", undef),
    ("range", range),
    ("dict", dict),
    ("cycler", cycler),
    ("joiner", joiner),
    ("lipsum", lipsum),
];

/// Adds the functions.
pub(crate) fn register(env: &mut Environment<'static>) {
    env.remove_global("debug");
    for (name, function) in TABLE {
        env.add_function(
            *name,
            move |state: &mut State, args: Rest<ValueOrKwargs>| {
                let mut args = Args::new(&args.into_values())?;
                function(state, &mut args)
            },
        );
    }
    env.add_global("omit", Val::from(OMIT));
}

fn lookup(state: &mut State, args: &mut Args) -> Result<Val, Error> {
    lookups::call(&Render::of(state)?, args, false)
}

fn query(state: &mut State, args: &mut Args) -> Result<Val, Error> {
    lookups::call(&Render::of(state)?, args, true)
}

/// `now(utc=False, fmt=None)`.
fn now(_: &mut State, args: &mut Args) -> Result<Val, Error> {
    let utc = args.flag("utc", false)?;
    let format = args.opt_text("fmt")?;
    let zone = if utc {
        jiff::tz::TimeZone::UTC
    } else {
        jiff::tz::TimeZone::system()
    };
    let now = jiff::Timestamp::now().to_zoned(zone);
    Ok(match format {
        Some(format) => Val::from(super::filters::time::strftime(
            &format,
            &now,
            super::filters::time::Clock::Naive,
        )?),
        None => super::filters::time::DateTime::value(now.datetime()),
    })
}

/// `undef(hint=None)`: an error as soon as the value is used.
fn undef(state: &mut State, args: &mut Args) -> Result<Val, Error> {
    let hint = match args.take("hint") {
        Some(hint) if !hint.is_undefined() && hint.is_true() => super::print::str_of(&hint),
        _ => "Mandatory variable has not been overridden".to_owned(),
    };
    let error = TemplateError::new(TemplateErrorKind::Undefined, hint);
    Render::of(state)?.note(super::render::UNDEF, error);
    Ok(Val::UNDEFINED)
}

fn range(_: &mut State, args: &mut Args) -> Result<Val, Error> {
    let first = args.int("start", None)?;
    let second = args.int("stop", Some(i64::MIN))?;
    let step = args.int("step", Some(1))?;
    let (start, stop) = if second == i64::MIN {
        (0, first)
    } else {
        (first, second)
    };
    if step == 0 {
        return fail("range() arg 3 must not be zero");
    }
    let mut items = Vec::new();
    let mut at = start;
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        if items.len() >= 1_000_000 {
            return fail("range has too many elements");
        }
        items.push(Val::from(at));
        match at.checked_add(step) {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(List::of(items))
}

fn dict(_: &mut State, args: &mut Args) -> Result<Val, Error> {
    Ok(Dict::of(methods::members_of(args)?.into_iter().collect()))
}

/// `cycler('a', 'b')`.
#[derive(Debug)]
struct Cycler {
    items: Vec<Val>,
    at: AtomicUsize,
}

impl Object for Cycler {
    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        (key.as_str()? == "current").then(|| self.current())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Val],
    ) -> Result<Val, Error> {
        match method {
            "next" => {
                let current = self.current();
                self.at.fetch_add(1, Ordering::Relaxed);
                Ok(current)
            }
            "reset" => {
                self.at.store(0, Ordering::Relaxed);
                Ok(Val::from(()))
            }
            _ => fail(format!("a cycler has no method `{method}`")),
        }
    }
}

impl Cycler {
    fn current(&self) -> Val {
        let at = self.at.load(Ordering::Relaxed) % self.items.len().max(1);
        self.items.get(at).cloned().unwrap_or_default()
    }
}

fn cycler(_: &mut State, args: &mut Args) -> Result<Val, Error> {
    let items = args.rest();
    if items.is_empty() {
        return fail("at least one item has to be provided");
    }
    Ok(Val::from_object(Cycler {
        items,
        at: AtomicUsize::new(0),
    }))
}

/// `joiner(', ')`: nothing at first, the separator from then on.
#[derive(Debug)]
struct Joiner {
    separator: String,
    used: AtomicUsize,
}

impl Object for Joiner {
    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Val]) -> Result<Val, Error> {
        Ok(match self.used.fetch_add(1, Ordering::Relaxed) {
            0 => Val::from(""),
            _ => Val::from(self.separator.clone()),
        })
    }
}

fn joiner(_: &mut State, args: &mut Args) -> Result<Val, Error> {
    let separator = args.opt_text("sep")?.unwrap_or_else(|| ", ".into());
    Ok(Val::from_object(Joiner {
        separator,
        used: AtomicUsize::new(0),
    }))
}

fn lipsum(state: &mut State, args: &mut Args) -> Result<Val, Error> {
    const WORDS: &[&str] = &[
        "lorem",
        "ipsum",
        "dolor",
        "sit",
        "amet",
        "consectetur",
        "adipiscing",
        "elit",
        "sed",
        "do",
        "eiusmod",
        "tempor",
        "incididunt",
        "ut",
        "labore",
        "et",
        "dolore",
        "magna",
        "aliqua",
    ];
    let paragraphs = args.int("n", Some(5))?.clamp(0, 100);
    let html = args.flag("html", true)?;
    let length = usize::try_from(args.int("min", Some(20))?.clamp(1, 1000)).unwrap_or(20);
    let text: Vec<String> = (0..paragraphs)
        .map(|_| {
            let words: Vec<&str> = WORDS.iter().cycle().take(length).copied().collect();
            let line = format!("{}.", methods::capitalize(&words.join(" ")));
            if html { format!("<p>{line}</p>") } else { line }
        })
        .collect();
    Ok(wrap(
        &Value::str(text.join(if html { "\n" } else { "\n\n" })),
        &Render::of(state)?,
    ))
}
