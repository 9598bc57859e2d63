//! `openssh_keypair`: the two files of a key for ssh. No `ssh-keygen` is needed.

use super::ssh_key::{Form, SshKey, Written};
use super::{Regenerate, State};
use crate::modules::crypto::output::{Output, check_parent, options, with_mode, write_all};
use crate::modules::files::attrs::FileAttrs;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use crate::value::{Secret, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// Kinds of keys.
    pub enum Kind {
        /// RSA.
        Rsa = "rsa",
        /// Not built.
        Dsa = "dsa",
        /// Not built.
        Rsa1 = "rsa1",
        /// An elliptic curve of the NIST.
        Ecdsa = "ecdsa",
        /// Edwards curve 25519.
        Ed25519 = "ed25519",
    }
}

module_args! {
    /// Arguments of `openssh_keypair`.
    pub struct Args {
        /// The private key's file; the public key is beside it, with `.pub` at the end of its name.
        path: PathBuf => required;
        /// Whether they are to be there.
        state: State => default("present");
        /// The kind of key. Built are `rsa`, `ecdsa` and `ed25519`.
        r#type: Kind => default("rsa");
        /// Bits: 4096 for `rsa` and 256 for `ecdsa` (which has 256, 384 and 521) unless said.
        size: Option<i64> => optional;
        /// Make a new key each time.
        force: bool => default(false);
        /// A word for the public key.
        comment: Option<String> => optional;
        /// The private key is encrypted with it. It is read with it, too.
        passphrase: Option<Secret<String>> => optional, secret;
        /// How the private key is written: `ssh` is what `auto` takes. The others are built without a passphrase.
        private_key_format: Form => default("auto");
        /// Without effect: runbook needs no program and no library on the machine.
        backend: String => default("auto");
        /// When a key that is there is replaced.
        regenerate: Regenerate => default("partial_idempotence");
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct OpensshKeypair;

impl Module for OpensshKeypair {
    const NAME: &'static str = "openssh_keypair";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Make a key for ssh: a private and a public file.\nA key that is there stays unless its type, \
                               size or form is another; only its comment is changed in place.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let bits = bits(args)?;
        let path = sys.expand(&args.path);
        let public = beside(&path);
        let kind_of = |path: &Path| ModuleResult::Ok(sys.stat(path, true)?.map(|meta| meta.kind));
        if kind_of(&path)? == Some(FileKind::Directory) {
            return Err(Failure::new(format!(
                "{} is a directory. Please specify a path to a file.",
                path.display()
            )));
        }
        let mut plan = Plan::new();
        plan.returns("filename", Value::data(path.to_string_lossy().as_ref()));
        plan.returns("type", args.r#type.word());
        plan.returns("size", i64::try_from(bits).unwrap_or_default());
        if args.state == State::Absent {
            super::plan_removal(sys, &mut plan, &path, false)?;
            super::plan_removal(sys, &mut plan, &public, false)?;
            return Ok(plan);
        }
        check_parent(sys, &path)?;
        let passphrase = args
            .passphrase
            .as_ref()
            .map(|secret| secret.reveal().as_str());
        let content = sys.read_text(&path)?;
        let found = content
            .as_deref()
            .map(|text| SshKey::read(text, passphrase));
        let now = sys.read_text(&public)?.as_deref().and_then(Written::parse);
        tell(
            found.as_ref().and_then(|found| found.as_ref().ok()),
            now.as_ref(),
            &mut |key, value| {
                plan.returns(key, value);
            },
        );
        if let Some(reason) = decide(args, bits, found.as_ref())? {
            let before = found
                .as_ref()
                .map(|found| side(found.as_ref().ok(), now.as_ref()));
            let wanted = format!(
                "type: {}\nsize: {bits}\nfingerprint: [new]\ncomment: {}\n",
                args.r#type.word(),
                args.comment.as_deref().unwrap_or_default()
            );
            let private_options = options(sys, &with_mode(&args.attrs, "0600"), &path)?;
            let public_options = options(sys, &with_mode(&args.attrs, "0644"), &public)?;
            let diff = Diff::new(path.to_string_lossy(), before, Some(wanted));
            plan.act(
                format!("make the key {}: {reason}", path.display()),
                Some(diff),
                move |sys, data| {
                    let comment = args.comment.as_deref().unwrap_or_default();
                    let key =
                        SshKey::generate(args.r#type, bits, args.private_key_format, comment)?;
                    let passphrase = args
                        .passphrase
                        .as_ref()
                        .map(|secret| secret.reveal().as_str());
                    let written = key.public(comment)?;
                    tell(Some(&key), Some(&written), &mut |name, value| {
                        data.set(name, value);
                    });
                    let outputs = [
                        Output {
                            path: &path,
                            content: key.text(passphrase)?,
                            options: private_options,
                        },
                        Output {
                            path: &public,
                            content: written.line(),
                            options: public_options,
                        },
                    ];
                    write_all(sys, &outputs, false, data)
                },
            );
            if args.force || args.regenerate == Regenerate::Always {
                plan.repeats();
            }
            return Ok(plan);
        }
        let Some(Ok(key)) = found else {
            return Ok(plan);
        };
        let comment = args.comment.clone();
        let wanted = key.public(comment.as_deref().unwrap_or(&key.comment()))?;
        let is_same = now.as_ref().is_some_and(|now| {
            now.is_key_of(&wanted)
                && comment
                    .as_ref()
                    .is_none_or(|comment| *comment == now.comment)
        });
        if !is_same {
            let before = now.as_ref().map(Written::line);
            let diff = Diff::new(public.to_string_lossy(), before, Some(wanted.line()));
            let private_options = options(sys, &args.attrs, &path)?;
            let mode = if now.is_some() {
                &args.attrs
            } else {
                &with_mode(&args.attrs, "0644")
            };
            let public_options = options(sys, mode, &public)?;
            let (private_path, public_path) = (path.clone(), public.clone());
            plan.act(
                format!("write {}", public.display()),
                Some(diff),
                move |sys, data| {
                    let passphrase = args
                        .passphrase
                        .as_ref()
                        .map(|secret| secret.reveal().as_str());
                    tell(Some(&key), Some(&wanted), &mut |name, value| {
                        data.set(name, value);
                    });
                    let mut outputs = vec![Output {
                        path: &public_path,
                        content: wanted.line(),
                        options: public_options,
                    }];
                    if let Some(comment) = &args.comment
                        && let Some(content) = key.with_comment(comment, passphrase)?
                    {
                        outputs.push(Output {
                            path: &private_path,
                            content,
                            options: private_options,
                        });
                    }
                    write_all(sys, &outputs, false, data)
                },
            );
        }
        for (file, there) in [(&path, true), (&public, is_same)] {
            if there {
                args.attrs.plan(sys, &mut plan, file, true)?;
            }
        }
        Ok(plan)
    }
}

/// `x.pub` beside `x`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}

fn bits(args: &Args) -> ModuleResult<usize> {
    let size = args
        .size
        .map(|size| usize::try_from(size).unwrap_or_default());
    match (args.r#type, size) {
        (Kind::Rsa, None) => Ok(4096),
        (Kind::Rsa, Some(bits)) if bits >= 1024 => Ok(bits),
        (Kind::Rsa, Some(_)) => Err(
            "For RSA keys, the minimum size is 1024 bits and the default is 4096 bits. Attempting to use bit lengths under \
             1024 will cause the module to fail."
                .into(),
        ),
        (Kind::Ecdsa, None) | (Kind::Ed25519, _) => Ok(256),
        (Kind::Ecdsa, Some(bits @ (256 | 384 | 521))) => Ok(bits),
        (Kind::Ecdsa, Some(_)) => Err(
            "For ECDSA keys, size determines the key length by selecting from one of three elliptic curve sizes: 256, 384 \
             or 521 bits. Attempting to use bit lengths other than these three values for ECDSA keys will cause this module \
             to fail."
                .into(),
        ),
        (Kind::Dsa | Kind::Rsa1, _) => Err(Failure::new(format!(
            "keys of the type {} are not built: ssh does not take them any more; use ed25519",
            args.r#type.word()
        ))),
    }
}

/// Why a new key is made; `None` if that stays which is there.
fn decide(
    args: &Args,
    bits: usize,
    found: Option<&Result<SshKey, String>>,
) -> ModuleResult<Option<String>> {
    let Some(found) = found else {
        return Ok(Some("missing".into()));
    };
    if args.force || args.regenerate == Regenerate::Always {
        return Ok(Some("asked for".into()));
    }
    let key = match found {
        Ok(key) => key,
        Err(problem) if args.regenerate == Regenerate::Full => {
            return Ok(Some(format!("unreadable: {problem}")));
        }
        Err(problem) => {
            return Err(Failure::new(format!(
                "Unable to read the key ({problem}). The key is protected with a passphrase or broken. Will not proceed. To \
                 force regeneration, call the module with `regenerate` set to `full_idempotence` or `always`, or with \
                 `force=true`."
            )));
        }
    };
    if args.regenerate == Regenerate::Never {
        return Ok(None);
    }
    let is_form = args.private_key_format == Form::Auto || args.private_key_format == key.form;
    if key.kind() == Some((args.r#type.word(), bits)) && is_form {
        return Ok(None);
    }
    if args.regenerate == Regenerate::Fail {
        return Err(
            "Key has wrong type and/or size. Will not proceed. To force regeneration, call the module with `regenerate` set \
             to `partial_idempotence`, `full_idempotence` or `always`, or with `force=true`."
                .into(),
        );
    }
    Ok(Some("its type, size or form is another".into()))
}

/// The results that describe the key.
fn tell(key: Option<&SshKey>, public: Option<&Written>, set: &mut dyn FnMut(&str, Value)) {
    let text = |text: Option<String>| Value::data(text.unwrap_or_default());
    set("fingerprint", text(key.map(SshKey::fingerprint)));
    set("public_key", text(public.map(Written::key)));
    set("comment", text(public.map(|public| public.comment.clone())));
}

fn side(key: Option<&SshKey>, public: Option<&Written>) -> String {
    let Some((key, (kind, bits))) = key.and_then(|key| Some((key, key.kind()?))) else {
        return "[unreadable]\n".into();
    };
    let comment = public.map_or("", |public| public.comment.as_str());
    format!(
        "type: {kind}\nsize: {bits}\nfingerprint: {}\ncomment: {comment}\n",
        key.fingerprint()
    )
}

#[cfg(test)]
mod tests {
    use super::{OpensshKeypair, Value};
    use crate::modules::kit::{RunMode, run};
    use crate::result::Outcome;
    use crate::sys::{FakeRunner, Sys};
    use crate::value::Map;
    use std::sync::Arc;

    fn apply(sys: &mut Sys, more: &[(&str, Value)]) -> Outcome {
        let mut args = Map::new().with("path", "/k").with("type", "ed25519");
        for (name, value) in more {
            args.set(name, value.clone());
        }
        run::<OpensshKeypair>(&args, sys, RunMode::default())
    }

    fn machine() -> (tempfile::TempDir, Sys) {
        let root = tempfile::tempdir().unwrap();
        let sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        (root, sys)
    }

    fn print(outcome: &Outcome) -> String {
        outcome
            .data
            .get("fingerprint")
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    #[test]
    fn a_key_stays_and_its_comment_does_not() {
        let (root, mut sys) = machine();
        for kind in ["ed25519", "ecdsa"] {
            let kind = ("type", Value::str(kind));
            let force = ("force", Value::from(true));
            let made = apply(
                &mut sys,
                &[kind.clone(), force, ("comment", Value::str("me@here"))],
            );
            assert!(
                made.changed && print(&made).starts_with("SHA256:"),
                "{:?}",
                made.data
            );
            let again = apply(
                &mut sys,
                &[kind.clone(), ("comment", Value::str("me@here"))],
            );
            assert!(
                !again.changed && print(&again) == print(&made),
                "{:?}",
                again.data
            );
            let renamed = apply(&mut sys, &[kind.clone(), ("comment", Value::str("you"))]);
            assert!(
                renamed.changed && print(&renamed) == print(&made),
                "{:?}",
                renamed.data
            );
            let line = std::fs::read_to_string(root.path().join("k.pub")).unwrap();
            assert!(line.ends_with(" you\n"), "{line}");
            // the private key tells its comment when the public one is lost
            std::fs::remove_file(root.path().join("k.pub")).unwrap();
            let restored = apply(&mut sys, &[kind]);
            assert!(restored.changed, "{:?}", restored.data);
            assert_eq!(
                std::fs::read_to_string(root.path().join("k.pub")).unwrap(),
                line
            );
        }
    }

    #[test]
    fn passphrases_protect() {
        let (root, mut sys) = machine();
        let pass = ("passphrase", Value::str("hunter2"));
        let made = apply(&mut sys, std::slice::from_ref(&pass));
        assert!(made.changed, "{:?}", made.data);
        assert!(!apply(&mut sys, std::slice::from_ref(&pass)).changed);
        for wrong in [vec![], vec![("passphrase", Value::str("other"))]] {
            let outcome = apply(&mut sys, &wrong);
            assert!(
                outcome.failed
                    && outcome
                        .message()
                        .unwrap_or_default()
                        .contains("Unable to read the key")
            );
        }
        let full = ("regenerate", Value::str("full_idempotence"));
        let new = apply(&mut sys, std::slice::from_ref(&full));
        assert!(new.changed && print(&new) != print(&made));
        // and one without a passphrase is not the one that is wanted
        assert!(apply(&mut sys, std::slice::from_ref(&pass)).failed);
        assert!(apply(&mut sys, &[pass, full]).changed);
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(root.path().join("k"))
                .unwrap()
                .permissions(),
        );
        assert_eq!(mode & 0o777, 0o600);
    }
}
