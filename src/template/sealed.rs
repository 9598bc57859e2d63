//! Encrypted strings inside the values of variables: opened when a template touches them, not before.

use super::TemplateError;
use super::context::lock;
use super::render::Render;
use crate::value::{Map, Text, Trust, Value};
use minijinja::value::Value as Val;
use minijinja::{Error, ErrorKind};
use std::error::Error as _;
use std::sync::Arc;

/// What a rendering has opened: the content as the engine has it, and what it was.
pub(crate) type Opened = Vec<(Arc<str>, Text)>;

impl Render {
    /// The content of an encrypted string.
    pub(crate) fn open(&self, sealed: &Text) -> Result<Arc<str>, TemplateError> {
        let cipher = sealed.shared();
        let known = lock(&self.opened)
            .iter()
            .find(|(_, text)| Arc::ptr_eq(&text.shared(), &cipher))
            .map(|(plain, _)| Arc::clone(plain));
        if let Some(plain) = known {
            return Ok(plain);
        }
        let plain: Arc<str> = self.templar.decrypt(sealed)?.into();
        lock(&self.opened).push((Arc::clone(&plain), sealed.clone()));
        Ok(plain)
    }

    /// An encrypted string whose content is known, for the engine.
    pub(crate) fn opened_already(&self, plain: &str, sealed: Text) -> Val {
        let plain: Arc<str> = plain.into();
        lock(&self.opened).push((Arc::clone(&plain), sealed));
        super::class::opened(plain)
    }

    /// The encrypted string that the engine's value is the content of, or could not be: that very string, not another
    /// one like it.
    pub(crate) fn sealed(&self, value: &Val) -> Option<Text> {
        if let Some(locked) = locked_in(value) {
            return Some(locked);
        }
        let text = value.as_str()?;
        lock(&self.opened)
            .iter()
            .find(|(plain, _)| plain.as_ptr() == text.as_ptr() && plain.len() == text.len())
            .map(|(_, sealed)| sealed.clone())
    }

    /// The value with everything encrypted in it opened.
    pub(crate) fn unseal(&self, value: Value) -> Result<Value, TemplateError> {
        if !self.session.shared.may_hold_sealed() || !holds_sealed(&value) {
            return Ok(value);
        }
        self.unseal_all(&value)
    }

    fn unseal_all(&self, value: &Value) -> Result<Value, TemplateError> {
        Ok(match value {
            Value::Str(text) if text.trust() == Trust::Vault => Value::data(self.open(text)?),
            Value::List(items) => Value::list(
                items
                    .iter()
                    .map(|item| self.unseal_all(item))
                    .collect::<Result<_, _>>()?,
            ),
            Value::Map(map) => Value::map(
                map.iter()
                    .map(|(key, value)| Ok((key.clone(), self.unseal_all(value)?)))
                    .collect::<Result<Map, TemplateError>>()?,
            ),
            other => other.clone(),
        })
    }
}

/// An encrypted string that cannot be opened. Nothing can be done with it, but some filters and tests need only know
/// that it is one.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Locked {
    sealed: Text,
    #[source]
    why: TemplateError,
}

/// The engine's value of an encrypted string that cannot be opened: using it fails.
pub(crate) fn locked(sealed: &Text, why: TemplateError) -> Val {
    let error = Error::new(ErrorKind::InvalidOperation, why.to_string());
    Val::from(error.with_source(Locked {
        sealed: sealed.clone(),
        why,
    }))
}

/// The encrypted string, if the value is one that cannot be opened.
pub(crate) fn locked_in(value: &Val) -> Option<Text> {
    let error = super::convert::refusal(value)?;
    let locked = error.source()?.downcast_ref::<Locked>()?;
    Some(locked.sealed.clone())
}

fn holds_sealed(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.trust() == Trust::Vault,
        Value::List(items) => items.iter().any(holds_sealed),
        Value::Map(map) => map.values().any(holds_sealed),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::context;
    use super::super::{Templar, TemplarOptions, TemplateErrorKind};
    use crate::value::{Map, Text, Trust, Value};
    use crate::vault::{Identity, Password, Vault, encrypt};
    use std::sync::Arc;

    fn sealed(plain: &str, password: &str) -> Value {
        let password = Password::new(password).unwrap();
        let text = encrypt(plain.as_bytes(), &password, None, Some(b"salt")).unwrap();
        Value::Str(Text::vault(text))
    }

    fn variables() -> Map {
        let both = Map::new()
            .with("good", sealed("good {{ x }}", "right"))
            .with("bad", sealed("bad", "wrong"));
        let fine = Map::new()
            .with("good", sealed("good {{ x }}", "right"))
            .with("list", Value::list(vec![sealed("in", "right")]));
        Map::new()
            .with("top", sealed("good {{ x }}", "right"))
            .with("badtop", sealed("bad", "wrong"))
            .with("both", both)
            .with("fine", fine)
            .with("alias", "{{ top }}")
    }

    fn templar() -> Templar {
        let identity = Identity {
            id: "default".into(),
            password: Password::new("right").unwrap(),
            origin: "a test".into(),
        };
        Templar::new(TemplarOptions {
            vault: Arc::new(Vault::new(vec![identity], false)),
            ..TemplarOptions::default()
        })
    }

    fn render(template: &str) -> Result<Value, crate::template::TemplateError> {
        templar().render_str(template, &context(variables()))
    }

    #[test]
    fn values_are_opened_and_never_expanded() {
        for template in [
            "{{ top }}",
            "{{ alias }}",
            "{{ both.good }}",
            "{{ fine.good }}",
        ] {
            let value = render(template).unwrap();
            assert_eq!(value.as_str(), Some("good {{ x }}"), "{template}");
            assert!(
                matches!(value, Value::Str(text) if text.trust() == Trust::Data),
                "{template}"
            );
        }
        let texts = [
            ("{{ top | upper }}!", "GOOD {{ X }}!"),
            ("{{ top ~ '-' ~ fine.list[0] }}", "good {{ x }}-in"),
            (
                "{{ fine | to_json }}",
                r#"{"good": "good {{ x }}", "list": ["in"]}"#,
            ),
            ("a {{ fine.list }}", "a ['in']"),
            ("{{ lookup('vars', 'top') }}.", "good {{ x }}."),
        ];
        for (template, expected) in texts {
            assert_eq!(
                render(template).unwrap().to_string(),
                expected,
                "{template}"
            );
        }
        let whole = render("{{ fine }}").unwrap();
        assert_eq!(
            whole.to_string(),
            "{'good': 'good {{ x }}', 'list': ['in']}"
        );
        let inline = templar().render(&sealed("x", "right"), &context(Map::new()));
        assert_eq!(inline.unwrap().as_str(), Some("x"));
    }

    #[test]
    fn what_is_not_used_may_stay_closed() {
        for (template, expected) in [
            ("{{ both.good }}", "good {{ x }}"),
            ("{{ both | length }}", "2"),
            ("{{ both.keys() | join(',') }}", "good,bad"),
            ("{{ 'bad' in both }}", "True"),
        ] {
            assert_eq!(
                render(template).unwrap().to_string(),
                expected,
                "{template}"
            );
        }
        for template in [
            "{{ badtop }}",
            "{{ both }}",
            "x{{ both }}",
            "{{ both.bad }}",
            "{{ both | to_json }}",
            "{{ badtop is string }}",
            "{{ badtop | default('x') }}",
            "{{ badtop == 'bad' }}",
            "{{ 1 if badtop else 2 }}",
        ] {
            let error = render(template).unwrap_err();
            assert_eq!(error.kind, TemplateErrorKind::Vault, "{template}: {error}");
            assert!(error.message.contains("a test"), "{template}: {error}");
        }
        assert!(
            render("{{ badtop }}")
                .unwrap_err()
                .to_string()
                .contains("through `badtop`")
        );
    }

    #[test]
    fn templates_can_tell_what_was_encrypted() {
        for (template, expected) in [
            ("{{ top is vault_encrypted }}", "True"),
            ("{{ both.good is vault_encrypted }}", "True"),
            ("{{ fine is vault_encrypted }}", "False"),
            ("{{ 'good {{ x }}' is vault_encrypted }}", "False"),
            ("{{ (top ~ '') is vault_encrypted }}", "False"),
            // what no password opens
            ("{{ badtop is vault_encrypted }}", "True"),
            (
                "{{ badtop is defined and both['bad'] is ansible.builtin.defined }}",
                "True",
            ),
            (
                "{{ badtop is undefined or badtop is not defined }}",
                "False",
            ),
            (
                "{{ both.bad | type_debug }}",
                "AnsibleVaultEncryptedUnicode",
            ),
            ("{{ badtop | unvault('wrong') }}", "bad"),
            ("{{ top | unvault('right') }}", "good {{ x }}"),
            ("{{ badtop | to_yaml is search('^!vault') }}", "True"),
        ] {
            assert_eq!(
                render(template).unwrap().to_string(),
                expected,
                "{template}"
            );
        }
        let yaml = render("{{ both | to_nice_yaml }}").unwrap().to_string();
        assert!(yaml.contains("good: !vault |\n"), "{yaml}");
        let yaml = render("{{ top | to_yaml }}").unwrap().to_string();
        assert!(yaml.starts_with("!vault |"), "{yaml}");
    }

    #[test]
    fn filters_take_a_password_of_their_own() {
        for (template, expected) in [
            ("{{ 'plain' | vault('sec') | unvault('sec') }}", "plain"),
            ("{{ 'plain' | unvault('sec') }}", "plain"),
            (
                "{{ ('plain' | vault('sec', 'abcdefgh')).splitlines()[0] }}",
                "$ANSIBLE_VAULT;1.2;AES256;filter_default",
            ),
            (
                "{{ ('plain' | vault('sec', vault_id='me')).splitlines()[0] }}",
                "$ANSIBLE_VAULT;1.2;AES256;me",
            ),
        ] {
            assert_eq!(
                render(template).unwrap().to_string(),
                expected,
                "{template}"
            );
        }
        for (template, problem) in [
            (
                "{{ 'plain' | vault('sec') | unvault('other') }}",
                "no vault password fits",
            ),
            (
                "{{ 5 | vault('sec') }}",
                "only strings can be encrypted, not int",
            ),
            ("{{ 'x' | vault }}", "missing argument `secret`"),
            ("{{ 'x' | vault(7) }}", "the secret must be a string"),
            ("{{ 'x' | vault('') }}", "must not be empty"),
            ("{{ top | unvault('other') }}", "no vault password fits"),
            ("{{ badtop | unvault('other') }}", "no vault password fits"),
        ] {
            let error = render(template).unwrap_err().to_string();
            assert!(error.contains(problem), "{template}: {error}");
        }
    }
}
