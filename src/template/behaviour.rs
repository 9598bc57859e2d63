//! What the cases cannot show: laziness, trust, errors' places, circles, and that nothing panics.

use super::cases::{Fixed, context, vars};
use super::*;
use crate::value::{Map, Value};
use std::sync::Arc;

fn templar() -> Templar {
    Templar::new(TemplarOptions::default())
}

fn render(json: &str, template: &str) -> Result<Value, TemplateError> {
    templar().render_str(template, &context(vars(json)))
}

fn is_data(value: &Value) -> bool {
    match value {
        Value::Str(text) => text.trust() == crate::value::Trust::Data,
        Value::List(items) => items.iter().all(is_data),
        Value::Map(map) => map.values().all(is_data),
        _ => true,
    }
}

#[test]
fn unused_variables_are_not_expanded() {
    let value = render(
        r#"{"broken": "{{ 1 | nope }}", "fine": "{{ 1 + 1 }}"}"#,
        "{{ fine }}!",
    )
    .unwrap();
    assert_eq!(value.as_str(), Some("2!"));
}

#[test]
fn data_is_never_expanded_and_what_is_made_of_it_is_data() {
    let templar = templar();
    let mut map =
        vars(r#"{"user": "plain", "via": "{{ fact }}", "deep": "{{ facts.a | upper }}"}"#);
    map.set("fact", Value::data("{{ 1 + 1 }}"));
    map.set(
        "facts",
        Value::map(
            Map::new()
                .with("a", Value::data("{{ x }}"))
                .with("b", "{{ user }}"),
        ),
    );
    let cx = context(map);
    for template in [
        "{{ fact }}",
        "{{ via }}",
        "a {{ fact }}",
        "{{ [fact] }}",
        "{{ fact ~ 'x' }}",
        "{{ deep }}",
        "{{ facts.a }}",
    ] {
        let value = templar.render_str(template, &cx).unwrap();
        assert!(is_data(&value), "{template}: {value:?}");
        assert!(
            crate::value::str_of(&value).contains("{{"),
            "{template}: {value:?}"
        );
    }
    for template in ["{{ user }}", "{{ user }} x", "{{ facts.b }}"] {
        assert!(
            !is_data(&templar.render_str(template, &cx).unwrap()),
            "{template}"
        );
    }
    assert!(is_data(
        &templar
            .render_str("{{ lookup('pipe', 'echo hi') }}", &cx)
            .unwrap()
    ));
    assert!(templar.condition(&Value::data("true"), &cx).is_err());
    assert!(templar.condition(&Value::str("{{ fact }}"), &cx).is_err());
    assert!(
        templar
            .condition(&Value::str("fact is defined"), &cx)
            .unwrap()
    );
}

#[test]
fn errors_have_places_chains_and_hints() {
    let error = render(r#"{"hostname": 1}"#, "a {{ hostnam }} b").unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Undefined);
    assert_eq!(error.name.as_deref(), Some("hostnam"));
    assert_eq!(
        error.template.get(error.range.clone().unwrap()),
        Some("hostnam")
    );
    assert_eq!(error.hint.as_deref(), Some("did you mean `hostname`?"));

    let error = render(
        r#"{"a": "x {{ b }}", "b": "{{ 'q\\1' ~ nope }}"}"#,
        "{{ a }}",
    )
    .unwrap_err();
    let names: Vec<&str> = error
        .chain
        .iter()
        .map(|step| step.variable.as_str())
        .collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(error.template.get(error.range.clone().unwrap()), Some("a"));
    let last = error.chain.last().unwrap();
    assert_eq!(last.template, r"{{ 'q\1' ~ nope }}");
    assert!(
        last.template
            .get(last.range.clone().unwrap())
            .unwrap()
            .contains("nope"),
        "{last:?}"
    );

    let error = render(r#"{"d": {"address": 1}}"#, "{{ d.adress }}").unwrap_err();
    assert!(
        error.message.contains("has no attribute 'adress'"),
        "{error}"
    );
    assert_eq!(error.hint.as_deref(), Some("did you mean `address`?"));

    let error = render("{}", "{{ 1 | defalt(1) }}").unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Syntax);
    assert_eq!(error.hint.as_deref(), Some("did you mean `default`?"));

    let error = templar()
        .expression("nope + 1", &context(Map::new()))
        .unwrap_err();
    assert_eq!(error.template.get(error.range.unwrap()), Some("nope"));
    let error = templar()
        .condition(&Value::str("x and nope"), &context(vars(r#"{"x": true}"#)))
        .unwrap_err();
    assert_eq!(error.name.as_deref(), Some("nope"));
}

#[test]
fn circles_are_named() {
    for json in [
        r#"{"a": "{{ b }}", "b": "{{ c }}", "c": "{{ a }}"}"#,
        r#"{"a": "{{ b }}", "b": "x{{ a | default('y') }}"}"#,
    ] {
        let error = render(json, "{{ a }}").unwrap_err();
        assert_eq!(error.kind, TemplateErrorKind::Recursion, "{error}");
        assert!(error.message.contains("`a` -> `b`"), "{error}");
    }
}

#[test]
fn long_chains_of_variables_work_and_endless_ones_fail() {
    let chain = |len: usize| {
        let mut map = Map::new();
        for i in 0..len {
            map.set(&format!("v{i}"), format!("{{{{ v{} }}}}.", i + 1));
        }
        map.set(&format!("v{len}"), "end");
        map
    };
    let value = templar()
        .render_str("{{ v0 }}", &context(chain(150)))
        .unwrap();
    assert!(value.as_str().unwrap().starts_with("end."));
    let error = templar()
        .render_str("{{ v0 }}", &context(chain(400)))
        .unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Recursion);
}

#[test]
fn templates_look_each_other_up_to_some_depth() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("own.j2", "{{ lookup('template', 'own.j2') }}"),
        ("other.j2", "{{ around }}"),
        (
            "down.j2",
            "{{ n }}{% if n > 0 %} {{ lookup('template', 'down.j2', template_vars={'n': n - 1}) }}{% endif %}",
        ),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let lookup = |name: &str| {
        let vars = vars(
            r#"{"n": 30, "around": "{{ lookup('template', 'other.j2', template_vars={'x': 1}) }}"}"#,
        );
        let files = FileContext {
            basedir: directory.path().to_owned(),
            ..FileContext::default()
        };
        let cx = Context::new(Arc::new(Fixed(vars)), Arc::new(files));
        templar().render_str(&format!("{{{{ lookup('template', '{name}.j2') }}}}"), &cx)
    };
    let down = lookup("down").unwrap();
    assert!(down.as_str().unwrap().ends_with(" 2 1 0"), "{down:?}");
    for name in ["own", "other"] {
        let error = lookup(name).unwrap_err();
        assert_eq!(error.kind, TemplateErrorKind::Recursion, "{error}");
        assert!(error.message.starts_with("more than 200"), "{error}");
    }
}

#[derive(Debug)]
struct Hosts;

impl ScopeMap for Hosts {
    fn keys(&self) -> Vec<Arc<str>> {
        vec!["h1".into(), "h2".into()]
    }

    fn scope(&self, key: &str) -> Option<Arc<dyn Scope>> {
        let json = format!(
            r#"{{"ip": "10.0.0.{}", "url": "http://{{{{ ip }}}}", "bad": "{{{{ nope }}}}"}}"#,
            key.get(1..)?
        );
        self.keys()
            .iter()
            .any(|known| &**known == key)
            .then(|| Arc::new(Fixed(vars(&json))) as Arc<dyn Scope>)
    }
}

#[derive(Debug)]
struct World(Arc<Fixed>);

impl Scope for World {
    fn get(&self, name: &str) -> Option<Variable> {
        match name {
            "hostvars" => Some(Variable::Scopes(Arc::new(Hosts))),
            "vars" => Some(Variable::Scope(Arc::clone(&self.0) as Arc<dyn Scope>)),
            other => self.0.get(other),
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0.names()
    }
}

#[test]
fn nothing_of_a_rendering_stays() {
    let world: Arc<dyn Scope> = Arc::new(World(Arc::new(Fixed(vars(
        r#"{"list": [1, [2]], "dict": {"a": {"b": "{{ list }}"}}}"#,
    )))));
    let gone = Arc::downgrade(&world);
    let cx = Context::new(world, Arc::default());
    let templar = templar();
    for template in [
        "{{ 1 in list }} {{ dict.a.b[1][0] }}",
        "{{ dict }}",
        "{% for h in hostvars %}{{ hostvars[h].url }}{% endfor %} {{ vars.dict.a }}",
        "{{ hostvars.h1.bad }}",
        "{{ lookup('vars', 'list') }} {{ list | map('string') | join }}",
    ] {
        let _ = templar.render_str(template, &cx);
    }
    let condition = Value::str("1 in list and dict.a is defined");
    assert!(templar.condition(&condition, &cx).unwrap());
    drop(cx);
    assert!(
        gone.upgrade().is_none(),
        "something still holds the variables"
    );
}

#[test]
fn scopes_are_mappings() {
    let world = World(Arc::new(Fixed(vars(
        r#"{"x": 5, "y": "{{ x }}!", "loop_": "{{ vars.loop_ }}"}"#,
    ))));
    let cx = Context::new(Arc::new(world), Arc::default());
    let templar = templar();
    for (template, expected) in [
        ("{{ hostvars['h1'].url }}", "http://10.0.0.1"),
        (
            "{{ hostvars | length }} {{ 'h2' in hostvars }} {{ 'h9' in hostvars }}",
            "2 True False",
        ),
        ("{% for h in hostvars %}{{ h }}{% endfor %}", "h1h2"),
        (
            "{% for h, v in hostvars.items() %}{{ v.ip }};{% endfor %}",
            "10.0.0.1;10.0.0.2;",
        ),
        (
            "{{ ['h1', 'h2'] | map('extract', hostvars, 'ip') | join(',') }}",
            "10.0.0.1,10.0.0.2",
        ),
        (
            "{{ ['h1'] | map('extract', hostvars, ['url']) | first }}",
            "http://10.0.0.1",
        ),
        (
            "{{ hostvars['h1'].bad is defined }} {{ hostvars.h9 is defined }}",
            "True False",
        ),
        // what is undefined in it stays as it is written
        ("{{ hostvars['h1'].bad | default('d') }}", "{{ nope }}"),
        (
            "{{ vars['y'] }} {{ vars.x }} {{ 'x' in vars }} {{ vars.get('zz', 1) }}",
            "5! 5 True 1",
        ),
        ("{{ lookup('vars', 'y') }}", "5!"),
        (
            "{{ hostvars.values() | map(attribute='ip') | list | length }}",
            "2",
        ),
        (
            "{{ hostvars.h2 | dict2items | selectattr('key', 'equalto', 'ip') | map(attribute='value') | first }}",
            "10.0.0.2",
        ),
    ] {
        let value = templar
            .render_str(template, &cx)
            .unwrap_or_else(|error| panic!("{template}: {error}"));
        assert_eq!(crate::value::str_of(&value), expected, "{template}");
    }
    let error = templar
        .render_str("{{ hostvars['h1'].absent }}", &cx)
        .unwrap_err();
    assert!(
        error.message.contains("has no attribute 'absent'"),
        "{error}"
    );
}

#[test]
fn values_are_expanded_deeply_and_keys_are_not() {
    let value =
        crate::template::cases::vars(r#"{"{{ x }}": ["{{ x }}", {"k": "{{ x + 1 }}"}], "n": 1}"#);
    let value = templar()
        .render(&Value::map(value), &context(vars(r#"{"x": 5}"#)))
        .unwrap();
    assert_eq!(
        crate::value::repr(&value),
        "{'{{ x }}': [5, {'k': '6'}], 'n': 1}"
    );
}

#[test]
fn native_types_are_kept_on_request() {
    let templar = Templar::new(TemplarOptions {
        jinja2_native: true,
        ..TemplarOptions::default()
    });
    let cx = context(vars(r#"{"n": 5, "s": "1"}"#));
    for (template, expected) in [
        ("{{ n + 1 }}", "6"),
        ("{{ n }}{{ n }}", "55"),
        ("{{ s }}", "1"),
        ("{{ none }}", "None"),
        ("a{{ n }}", "'a5'"),
    ] {
        let value = templar.render_str(template, &cx).unwrap();
        assert_eq!(crate::value::repr(&value), expected, "{template}");
    }
}

#[test]
fn containers_cannot_hold_themselves() {
    for template in [
        "{% set l = [] %}{% do l.append(l) %}{{ l }}",
        "{% set d = {} %}{% do d.update(x=[d]) %}{{ d }}",
    ] {
        assert!(render("{}", template).is_err(), "{template}");
    }
}

/// Templates made of fragments at random: errors are fine, panics and endless work are not.
#[test]
fn nothing_panics() {
    const PARTS: &[&str] = &[
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " ",
        "x",
        "d.a",
        "l[0]",
        "'",
        "\"",
        "\\",
        "|",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        "-",
        "+",
        "*",
        "%",
        "~",
        "/",
        "//",
        "**",
        "==",
        "<",
        " in ",
        " is ",
        " not ",
        " if ",
        " else ",
        "1",
        "0",
        "-1",
        "1.5",
        "9999999999999999999",
        "true",
        "none",
        "é",
        "日本",
        "\n",
        "for i in l",
        "endfor",
        "set y = ",
        "if x",
        "endif",
        "default",
        "upper",
        "regex_replace",
        "regex_search",
        "ipaddr",
        "json_query",
        "split",
        ".split(",
        ".format(",
        "truncate",
        "wordwrap",
        "indent",
        "comment",
        "to_json",
        "center",
        "batch",
        "slice",
        "combinations",
        "human_to_bytes",
        "strftime",
        "to_datetime",
        "round",
        "pow",
        "int",
        "version",
        "from_yaml",
        "from_json",
        "b64decode",
        "urlsplit",
        "password_hash",
        "lookup('sequence',",
        "lookup('ini',",
        "path_join",
        "range(3)",
        "loop",
        "omit",
        "[::-1]",
        "[1:",
        ".zfill(",
        ".center(",
        ".find(",
        "'%s' % ",
        "'%d' % ",
        "'%05.2f' % ",
    ];
    let templar = templar();
    let cx = context(vars(
        r#"{"x": "a\u00e9b", "d": {"a": [1, 2]}, "l": [3, "x", null], "y": "{{ x }}"}"#,
    ));
    let mut random = super::filters::Random::new(Some("fuzz"));
    for round in 0..6000 {
        let mut text = String::from(if round % 3 == 0 { "" } else { "{{ " });
        for _ in 0..=random.below(9) {
            text.push_str(PARTS.get(random.below(PARTS.len())).unwrap());
        }
        if round % 3 == 1 {
            text.push_str(" }}");
        }
        if text.contains("password_hash") && round % 50 != 0 {
            continue;
        }
        let _ = templar.render_str(&text, &cx);
        let _ = templar.render_file(&text, &FileOptions::default(), &cx);
        let _ = templar.condition(&Value::str(text.trim_start_matches("{{")), &cx);
    }
    let filters: Vec<&str> = super::filters::names()
        .filter(|name| *name != "password_hash")
        .collect();
    let operands = [
        "x",
        "d",
        "l",
        "''",
        "[]",
        "-1",
        "1.5",
        "none",
        "true",
        "[[1], [2]]",
        "'10.0.0.0/8'",
        "'{{'",
    ];
    for filter in filters {
        for operand in operands {
            for args in [
                "",
                "('')",
                "(-1)",
                "(0)",
                "(1, 2, 3)",
                "('é', 'b')",
                "([])",
                "({})",
                "(none)",
                "(99999999999)",
                "(x=1)",
                "('(')",
            ] {
                let _ = templar.render_str(&format!("{{{{ {operand} | {filter}{args} }}}}"), &cx);
            }
        }
    }
    for test in super::tests::names() {
        for operand in operands {
            for args in ["", "('')", "(-1)", "(0)", "([])", "('(')"] {
                let _ = templar.render_str(&format!("{{{{ {operand} is {test}{args} }}}}"), &cx);
            }
        }
    }
}
