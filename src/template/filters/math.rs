//! Numbers.

use super::Filter;
use super::types::wrong;
use crate::template::call::{Call, fail};
use crate::value::{FromValue, Value};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("abs", |c| match c.value()? {
        Value::Int(i) => i
            .checked_abs()
            .map_or_else(|| fail("the number is too large"), |i| Ok(Val::from(i))),
        Value::Float(f) => Ok(Val::from(f.abs())),
        Value::Bool(b) => Ok(Val::from(i64::from(b))),
        _ => wrong("abs", "a number", &c.input),
    }),
    ("round", round),
    ("log", |c| {
        let base = float(
            c.args
                .opt("base")?
                .unwrap_or(Value::Float(std::f64::consts::E)),
        )?;
        let number = operand(c, "log")?;
        if number <= 0.0 {
            return fail("log() can only be used on numbers above zero");
        }
        #[expect(clippy::float_cmp, reason = "exactly ten has a more exact function")]
        Ok(Val::from(if base == 10.0 {
            number.log10()
        } else {
            number.ln() / base.ln()
        }))
    }),
    ("pow", |c| {
        let power = float(c.args.value("power")?)?;
        let result = operand(c, "pow")?.powf(power);
        if result.is_nan() {
            return fail("pow() can only be used on numbers that have that power");
        }
        Ok(Val::from(result))
    }),
    ("root", |c| {
        let base = float(c.args.opt("base")?.unwrap_or(Value::Int(2)))?;
        let number = operand(c, "root")?;
        #[expect(clippy::float_cmp, reason = "exactly two is the square root")]
        let result = if base == 2.0 {
            number.sqrt()
        } else {
            number.powf(1.0 / base)
        };
        if result.is_nan() {
            return fail("root() can only be used on numbers that have that root");
        }
        Ok(Val::from(result))
    }),
];

fn float(value: Value) -> Result<f64, Error> {
    match value {
        Value::Str(_) => fail(format!("must be real number, not str {value:?}")),
        other => f64::from_value(&other).or_else(|problem| fail(problem.0)),
    }
}

fn operand(call: &Call, filter: &str) -> Result<f64, Error> {
    match call.value()? {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => float(call.value()?),
        _ => fail(format!(
            "{filter}() can only be used on numbers, not {}",
            crate::template::print::repr(&call.input)
        )),
    }
}

/// `round(precision=0, method='common')`.
fn round(call: &mut Call) -> Result<Val, Error> {
    let precision = call.args.int("precision", Some(0))?;
    let method = call
        .args
        .opt_text("method")?
        .unwrap_or_else(|| "common".into());
    let number = operand(call, "round")?;
    let integer = call.input.is_integer();
    let factor = 10f64.powi(i32::try_from(precision.clamp(-300, 300)).unwrap_or(0));
    let rounded = match method.as_str() {
        "common" if integer && precision >= 0 => return Ok(call.input.clone()),
        "common" if precision >= 0 => {
            // as Python: the decimal text of the number decides
            let digits = usize::try_from(precision).unwrap_or(0).min(300);
            format!("{number:.digits$}").parse().unwrap_or(number)
        }
        "common" => (number * factor).round_ties_even() / factor,
        "ceil" => (number * factor).ceil() / factor,
        "floor" => (number * factor).floor() / factor,
        _ => return fail("round: method must be common, ceil or floor"),
    };
    if integer && method == "common" {
        return call.out(
            crate::template::call::int_of(&Value::Float(rounded)).map_or(Value::Null, Value::Int),
        );
    }
    Ok(Val::from(rounded))
}
