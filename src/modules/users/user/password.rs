//! Passwords: setting, locking, their ages.

use super::{Args, UpdatePassword, need, run};
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;

/// Whole days of a time in seconds.
#[expect(clippy::cast_possible_truncation, reason = "days fit")]
pub(super) fn days(seconds: f64) -> i64 {
    (seconds / 86400.0).floor() as i64
}

/// Whether a text can be a hash of crypt(5), or one of the words that lock an account.
pub(super) fn looks_hashed(password: &str) -> bool {
    if matches!(password, "" | "*" | "!" | "*************") {
        return true;
    }
    if password.contains([':', '*', '!']) {
        return false;
    }
    let fields: Vec<&str> = password.split('$').collect();
    let [_, method, .., hash] = fields.as_slice() else {
        return false;
    };
    let length = match *method {
        "1" => Some(22),
        "5" | "y" => Some(43),
        "6" => Some(86),
        _ => None,
    };
    length.is_none_or(|length| hash.len() == length)
        && hash
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'))
}

/// Plans the password and its lock. `now` is the field in `/etc/shadow`, `None` for an account that is made.
pub(super) fn plan_password<'a>(args: &'a Args, now: Option<&str>, plan: &mut Plan<'a>) {
    let bare = |text: &str| text.trim_start_matches('!').to_owned();
    let lock = args.password_lock == Some(true);
    let wanted = args.password.as_ref().filter(|password| match now {
        None => true,
        Some(now) => {
            args.update_password == UpdatePassword::Always && bare(now) != bare(password.reveal())
        }
    });
    if let Some(password) = wanted {
        let diff = Diff::new(
            format!("password of {}", args.name),
            now.map(|_| "(hidden)\n"),
            Some("(hidden, new)\n"),
        );
        plan.act(
            format!("set the password of {}", args.name),
            Some(diff),
            move |sys, data| {
                need("chpasswd", sys)?;
                let lock = if lock { "!" } else { "" };
                let line = format!("{}:{lock}{}\n", args.name, password.reveal());
                let command = sys.tool(["chpasswd", "-e"]).stdin(line);
                run(
                    &command,
                    &format!("the password of {} cannot be set", args.name),
                    sys,
                    data,
                )
            },
        );
        return;
    }
    let locked = now.is_none_or(|now| now.starts_with('!'));
    let Some(wanted) = args.password_lock else {
        return;
    };
    // an account without a password is locked when it is made, and cannot be unlocked
    if wanted == locked || now.is_none() {
        return;
    }
    let text = |locked: bool| Some(format!("locked: {locked}\n"));
    let diff = Diff::new(
        format!("password of {}", args.name),
        text(locked),
        text(wanted),
    );
    let switch = if wanted { "-L" } else { "-U" };
    plan.act(
        format!("usermod {switch} {}", args.name),
        Some(diff),
        move |sys, data| {
            need("usermod", sys)?;
            let command = sys.tool(["usermod", switch, &args.name]);
            run(
                &command,
                &format!("the lock of {} cannot be changed", args.name),
                sys,
                data,
            )
        },
    );
}

/// Plans the ages of the password.
pub(super) fn plan_ages<'a>(args: &'a Args, plan: &mut Plan<'a>, sys: &Sys) -> ModuleResult<()> {
    let shadow = sys.shadow(&args.name)?;
    let (mut words, mut before, mut after) = (Vec::new(), String::new(), String::new());
    for (switch, what, wanted, now) in [
        (
            "-m",
            "min",
            args.password_expire_min,
            shadow.as_ref().and_then(|s| s.min),
        ),
        (
            "-M",
            "max",
            args.password_expire_max,
            shadow.as_ref().and_then(|s| s.max),
        ),
        (
            "-W",
            "warn",
            args.password_expire_warn,
            shadow.as_ref().and_then(|s| s.warn),
        ),
    ] {
        if let Some(wanted) = wanted
            && Some(wanted) != now.or(Some(-1))
        {
            let now = now.map_or("none".to_owned(), |days| days.to_string());
            before.push_str(&format!("{what}: {now}\n"));
            after.push_str(&format!("{what}: {wanted}\n"));
            words.extend([switch.to_owned(), wanted.to_string()]);
        }
    }
    if words.is_empty() {
        return Ok(());
    }
    let diff = Diff::new(
        format!("password age of {}", args.name),
        Some(before),
        Some(after),
    );
    plan.act(
        format!("chage {}", args.name),
        Some(diff),
        move |sys, data| {
            need("chage", sys)?;
            let words = ["chage".to_owned()]
                .into_iter()
                .chain(words)
                .chain([args.name.clone()]);
            let command = sys.tool(words);
            run(
                &command,
                &format!("the password age of {} cannot be set", args.name),
                sys,
                data,
            )
        },
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::looks_hashed;

    #[test]
    fn hashes() {
        let six = format!("$6$rounds=5000$salt${}", "a".repeat(86));
        assert!(looks_hashed(&six));
        assert!(looks_hashed("*") && looks_hashed("!"));
        assert!(looks_hashed("$2b$12$abcdefghijklmnopqrstuv"));
        for plain in ["secret", "$6$salt$short", "a:b", "!$6$x", "$x"] {
            assert!(!looks_hashed(plain), "{plain}");
        }
    }
}
