//! `openssl_dhparam`: parameters for a key exchange after Diffie and Hellman. The program `openssl` looks for the prime;
//! whether a file has one of the right size is read here.

use super::State;
use crate::module_args;
use crate::modules::crypto::der::{blocks, element};
use crate::modules::crypto::output::{Output, check_parent, options, with_mode};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use std::path::PathBuf;

module_args! {
    /// Arguments of `openssl_dhparam`.
    pub struct Args {
        /// The file.
        path: PathBuf => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// Bits of the prime.
        size: i64 => default(4096);
        /// Make new ones each time.
        force: bool => default(false);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Return the parameters as `dhparams`.
        return_content: bool => default(false);
        /// Without effect: they are made by the program `openssl`.
        select_crypto_backend: String => default("auto");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct OpensslDhparam;

impl Module for OpensslDhparam {
    const NAME: &'static str = "openssl_dhparam";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Make parameters for a key exchange after Diffie and Hellman.\nThey are made by the machine's \
                               program `openssl`, which takes its time.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("filename", Value::data(path.to_string_lossy().as_ref()));
        plan.returns("size", args.size);
        check_parent(sys, &path)?;
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, args.backup)?;
            return Ok(plan);
        }
        let content = sys.read(&path)?;
        let now = content.as_deref().map(bits);
        if now == Some(Some(args.size)) && !args.force {
            if args.return_content {
                let text = String::from_utf8_lossy(content.as_deref().unwrap_or_default());
                plan.returns("dhparams", Value::data(text.as_ref()));
            }
            args.attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        if sys.which("openssl").is_none() {
            return Err("openssl is not there: install it (package: name=openssl)".into());
        }
        if args.return_content {
            plan.returns("dhparams", Value::Null);
        }
        let options = options(sys, &with_mode(&args.attrs, "0644"), &path)?;
        let before = now.map(|bits| match bits {
            Some(bits) => format!("size: {bits}\n"),
            None => "[unreadable]\n".to_owned(),
        });
        let diff = Diff::new(
            path.to_string_lossy(),
            before,
            Some(format!("size: {}\n", args.size)),
        );
        plan.act(
            format!("make {}", path.display()),
            Some(diff),
            move |sys, data| {
                let command = sys.tool(["openssl", "dhparam", &args.size.to_string()]);
                let output = sys.run(&command)?;
                if !output.ok() {
                    return Err(command_failed("openssl", &command, &output));
                }
                let content = output.text();
                if bits(content.as_bytes()) != Some(args.size) {
                    return Err(Failure::new("openssl printed no parameters of that size"));
                }
                let returned_as = args.return_content.then_some("dhparams");
                let output = Output {
                    path: &path,
                    content,
                    options,
                };
                super::write_one(sys, output, args.backup, returned_as, data)
            },
        );
        if args.force {
            plan.repeats();
        }
        Ok(plan)
    }
}

/// Bits of the prime in a file (PKCS #3: a sequence that begins with it).
fn bits(content: &[u8]) -> Option<i64> {
    let block = blocks(content).into_iter().find(|block| {
        matches!(
            block.label.as_str(),
            "DH PARAMETERS" | "X9.42 DH PARAMETERS"
        )
    })?;
    let (0x30, inner, _) = element(&block.bytes)? else {
        return None;
    };
    let (0x02, prime, _) = element(inner)? else {
        return None;
    };
    let prime: Vec<u8> = prime
        .iter()
        .copied()
        .skip_while(|byte| *byte == 0)
        .collect();
    let unused = prime.first()?.leading_zeros();
    i64::try_from(prime.len() * 8)
        .ok()?
        .checked_sub(i64::from(unused))
}
